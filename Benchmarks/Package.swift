// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "gantry-benchmarks",
    dependencies: [.package(name: "gantry", path: "..")],
    targets: [
        .executableTarget(
            name: "bench-start",
            dependencies: [
                .product(name: "Client", package: "gantry")
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "bench-rpc",
            dependencies: [
                .product(name: "RPC", package: "gantry")
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
