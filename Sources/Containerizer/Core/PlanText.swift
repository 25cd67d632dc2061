// SPDX-License-Identifier: Apache-2.0

/// Text for init's plan: UTF-8 bytes that end with the one NUL byte that they contain, so that C uses them in place.
public struct PlanText {
    /// The text that the bytes carry.
    static func shown(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Text that Gantry itself made; it holds no NUL.
    public static func trusted(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        bytes.append(0)
        return bytes
    }

    /// Text from a request. A NUL inside would cut it short in the kernel, which is never what was meant.
    ///
    /// - Throws: `launch.nul-in-text`, kind `invalidArgument`.
    public static func checked(_ text: String, _ field: String) throws(ContainerError) -> [UInt8] {
        var bytes = Array(text.utf8)
        guard !bytes.contains(0) else {
            throw ContainerError(
                .invalidArgument, code: "launch.nul-in-text", "\(field) contains a NUL character",
                step: "checking the request", subject: field, hint: "remove the NUL character from \(field)")
        }
        bytes.append(0)
        return bytes
    }
}
