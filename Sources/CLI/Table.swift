// SPDX-License-Identifier: Apache-2.0

/// Columns of text, aligned with spaces. Without colours, so that `awk` and people read the same.
struct Table {
    enum Alignment {
        case left, right
    }

    struct Column {
        var title: String
        var alignment: Alignment

        init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row. An empty cell becomes `-`, so that the number of words in a line stays the same.
    mutating func add(_ cells: [String]) {
        let cells = cells.prefix(columns.count).map { $0.isEmpty ? "-" : singleLine($0) }
        rows.append(cells + Array(repeating: "-", count: columns.count - cells.count))
    }

    /// The titles and the rows, each ended by a newline. No line ends with spaces.
    func rendered() -> String {
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { index in lines.map { $0[index].count }.max() ?? 0 }
        var text = ""
        for line in lines {
            var row = ""
            for (index, cell) in line.enumerated() {
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                row += columns[index].alignment == .left ? cell + padding : padding + cell
                row += "  "
            }
            text += row[...(row.lastIndex { $0 != " " } ?? row.startIndex)] + "\n"
        }
        return text
    }
}

/// A list of `name: value` lines, with the values below each other. Empty values are left out.
struct Fields {
    private var entries: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String) {
        if !value.isEmpty { entries.append((name, singleLine(value))) }
    }

    func rendered() -> String {
        let width = (entries.map(\.name.count).max() ?? 0) + 1
        var text = ""
        for (name, value) in entries {
            let label = name + ":"
            text += label + String(repeating: " ", count: width - label.count + 2) + value + "\n"
        }
        return text
    }
}
