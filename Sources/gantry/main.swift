// SPDX-License-Identifier: Apache-2.0
internal import CLI

Program.main(CommandLine.arguments)
