// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "gantry", path: "../../..")],
    targets: [
        .executableTarget(
            name: "fuzz-rpc", dependencies: [.product(name: "RPC", package: "gantry")],
            swiftSettings: [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])])
    ],
    swiftLanguageModes: [.v6]
)
