// SPDX-License-Identifier: Apache-2.0

/// The version of this client.
public let clientVersion = "0.1.0"
