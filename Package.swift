// swift-tools-version:6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// One setting for every Swift target: Swift 6 mode, explicit existentials, explicit import visibility,
/// and no warnings.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A Swift room. `path` is given where the directory is deeper than the name.
func room(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "gantry",
    products: [
        .executable(name: "gantryd", targets: ["gantryd"]),
        .executable(name: "gantry", targets: ["gantry"]),
        // For programs that talk to the daemon, such as Benchmarks/.
        .library(name: "Client", targets: ["Client", "Wire"]),
        .library(name: "RPC", targets: ["RPC", "Reactor"]),
        .library(name: "Wire", targets: ["Wire"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // System libraries, by their Debian packages.
        .systemLibrary(name: "CLibcap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),

        // The kernel.
        .target(name: "CLinux"),
        room("Kernel", ["CLinux", "CLibcap", system]),
        room("Reactor", ["Kernel", system]),

        // The wire and the calls on it.
        .target(name: "CProto", linkerSettings: [.linkedLibrary("protobuf-c")]),
        room("Wire", ["CProto"]),
        room("RPC", ["Reactor", "Kernel", system]),
        room("Services", ["RPC", "Wire"]),

        // The containerizer.
        room("Core", ["Kernel", "Reactor", "Wire", log, system], path: "Sources/Containerizer/Core"),
        room("Launcher", ["Core", "Kernel", "Reactor", "Wire", log, system], path: "Sources/Containerizer/Launcher"),
        room("Isolators", ["Core", "Kernel", "Reactor", "Wire", system], path: "Sources/Containerizer/Isolators"),
        room(
            "Images", ["Core", "Kernel", "Reactor", "Wire", "CArchive", "CNettle", system],
            path: "Sources/Containerizer/Images"),
        room("IO", ["Core", "Kernel", "Reactor", "Wire", system], path: "Sources/Containerizer/IO"),

        // The daemon.
        room(
            "Daemon",
            [
                "Core", "Launcher", "Isolators", "Images", "IO", "Services", "RPC", "Reactor", "Kernel", "Wire", log,
                system,
            ]),
        program("gantryd", ["Daemon", arguments, log]),

        // The command line.
        room("Client", ["Services", "RPC", "Reactor", "Kernel", "Wire", system]),
        room("CLI", ["Client", "Services", "Wire", arguments]),
        program("gantry", ["CLI"]),

        // Tests.
        tests("CoreTests", ["TestSupport", "Core", "Kernel", "Reactor", "Wire", log, system]),
        tests("WireTests", ["Wire", "CProto"], exclude: ["Goldens"]),
        tests("KernelTests", ["Kernel", system]),
        tests("IsolatorsTests", ["Isolators", "Core", "Kernel", "Reactor", "Wire", system]),
        tests(
            "ImagesTests",
            ["TestSupport", "Images", "Core", "Kernel", "Reactor", "Wire", "CArchive", "CLinux", log, system]),
        tests("ReactorTests", ["Reactor", "Kernel", system], exclude: ["tsan"]),
        tests("RPCTests", ["TestSupport", "RPC", "Reactor", "Kernel", system], exclude: ["fuzz", "go"]),
        // Apart, because what the others do at the same time would count. The server that they load is the same.
        tests("RPCLoadTests", ["RPC", "Reactor", "Kernel", "CLinux", system]),
        .target(
            name: "TestSupport", dependencies: ["Client", "Kernel", "Reactor", system], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests(
            "CLITests",
            ["TestSupport", "CLI", "gantry", "Client", "Services", "RPC", "Reactor", "Wire", arguments, system]),
        tests(
            "PrivilegedTests",
            ["TestSupport", "gantry", "gantryd", "Client", "Services", "Kernel", "Reactor", "Wire", system]),
        tests(
            "SecurityTests",
            ["TestSupport", "gantry", "gantryd", "Client", "Services", "Kernel", "Wire", system]),
    ],
    swiftLanguageModes: [.v6]
)

// GANTRY_ONLY="RPCTests ReactorTests": only these targets and what they need, for builds with a sanitizer and the like.
if let names = Context.environment["GANTRY_ONLY"] {
    var wanted = Set<String>()
    var open = names.split(separator: " ").map(String.init)
    while let name = open.popLast() {
        guard wanted.insert(name).inserted, let target = package.targets.first(where: { $0.name == name }) else {
            continue
        }
        for case .byNameItem(let name, _) in target.dependencies { open.append(name) }
    }
    package.targets.removeAll { !wanted.contains($0.name) }
    package.products = []
}
