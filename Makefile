# SPDX-License-Identifier: Apache-2.0
# Two lines a target. Each calls a script that also works by itself, and says at its top what it does.
.PHONY: run test test-vm check build proto bench fuzz install

run:
	@scripts/run

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

bench:
	@scripts/bench $(or $(B),start)

fuzz:
	@scripts/fuzz $(T)

install:
	@scripts/install
