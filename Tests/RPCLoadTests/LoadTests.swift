// SPDX-License-Identifier: Apache-2.0
import Testing

/// One after the other: each counts what the whole process has.
@Suite(.serialized) struct LoadTests {}
