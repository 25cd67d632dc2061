// SPDX-License-Identifier: Apache-2.0

/// The text on one line, with control characters as `\n` or `\u{1b}`: names and messages of others must not move the
/// cursor or rewrite what the user sees.
func singleLine(_ text: String) -> String {
    if !text.unicodeScalars.contains(where: mustBeEscaped) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where mustBeEscaped(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// Control characters, line separators, and the marks that turn the direction of writing.
private func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    default: false
    }
}

/// At most `width` characters; the last is an ellipsis if something was cut off.
func shortened(_ text: String, to width: Int) -> String {
    text.count <= width ? text : String(text.prefix(max(width - 1, 0))) + "…"
}
