# SPDX-License-Identifier: Apache-2.0
# Two lines a target. Each calls a script that also works by itself.
.PHONY: test test-vm check build proto

test:
	@scripts/test

test-vm:
	@scripts/test-vm

check:
	@scripts/check

build:
	@scripts/build debug

proto:
	@scripts/proto
