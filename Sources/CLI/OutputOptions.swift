// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// How data is printed.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json
}

struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .long], help: "Print a table for people, or JSON for programs.")
    var output: OutputFormat = .table

    /// Prints one of the two; only that one is made.
    func print(table: @autoclosure () throws -> String, json: @autoclosure () throws -> String) throws {
        switch output {
        case .table: try Output.standard.text(try table())
        case .json: try Output.standard.line(try json())
        }
    }
}
