// SPDX-License-Identifier: Apache-2.0
import SwiftProtobufPluginLibrary

/// One caseless enum for each package, nested like the packages.
func packages(_ files: [FileDescriptor]) -> String {
    let root = Package()
    for file in files {
        var package = root
        for name in namespace(file.package) { package = package.child(name) }
        package.names.insert(file.package)
    }
    var p = newPrinter()
    p.lines(banner("proto"))
    root.printChildren(&p)
    return p.content
}

private final class Package {
    private var children: [String: Package] = [:]
    /// Its name in the .proto files; empty for a package that only holds others.
    var names: Set<String> = []

    func child(_ name: String) -> Package {
        if let child = children[name] { return child }
        let child = Package()
        children[name] = child
        return child
    }

    func printChildren(_ p: inout CodePrinter) {
        for (index, (name, child)) in children.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { p.print() }
            for package in child.names.sorted() { p.print("/// Package `\(package)`.") }
            if child.children.isEmpty {
                p.print("public enum \(name) {}")
            } else {
                p.print("public enum \(name) {")
                p.withIndentation { child.printChildren(&$0) }
                p.print("}")
            }
        }
    }
}

/// The list behind `MessageRegistry`, sorted by full name.
func registry(_ files: [FileDescriptor], _ model: Model) -> String {
    var p = newPrinter()
    p.lines(banner("proto"))
    p.print("extension MessageRegistry {")
    p.print("    static let all: [any Message.Type] = [")
    let messages = files.flatMap { $0.everyMessage(mapEntries: false) }.sorted { $0.fullName < $1.fullName }
    for message in messages {
        p.print("        \(model.swiftName(of: message)).self,")
    }
    p.print("    ]", "}")
    return p.content
}
