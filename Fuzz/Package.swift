// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// A second opinion on every message: apple/swift-protobuf with the same .proto files. scripts/build-oracles makes the
// sources and builds it elsewhere; nothing of it is built with Gantry.
let package = Package(
    name: "differential",
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0")
    ],
    targets: [
        .target(name: "Oracle", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")])
    ],
    swiftLanguageModes: [.v6]
)
