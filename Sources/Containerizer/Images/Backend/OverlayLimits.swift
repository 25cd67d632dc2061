// SPDX-License-Identifier: Apache-2.0

internal import Core

/// What one overlay mount can take (mount(2), overlayfs.rst).
enum OverlayLimits {
    /// OVL_MAX_STACK of the kernel.
    static let layers = 500
    /// The option string is one page, with its NUL.
    static let optionBytes = 4096

    /// Refuses a root that the kernel would refuse with a bare EINVAL, or worse, mount with options that are cut off.
    static func check(lower: [String], upper: String, work: String, image: String) throws {
        guard lower.count <= layers else { throw tooMany(lower.count, image, "\(layers) are the kernel's limit") }
        let options = lower.map(escapedCount).reduce(lower.count - 1, +) + escapedCount(upper) + escapedCount(work)
        let bytes = options + "lowerdir=,upperdir=,workdir=,volatile".utf8.count + 1
        guard bytes <= optionBytes else {
            throw tooMany(lower.count, image, "their paths need \(bytes) bytes of \(optionBytes)")
        }
    }

    /// A colon separates layers and a comma options: both, and the backslash, cost one more byte.
    private static func escapedCount(_ path: String) -> Int {
        path.utf8.reduce(0) { $0 + (":,\\".utf8.contains($1) ? 2 : 1) }
    }

    private static func tooMany(_ count: Int, _ image: String, _ reason: String) -> ContainerError {
        ContainerError(
            .failedPrecondition, code: "mount.overlay.too-many-layers",
            "image \(image) has \(count) layers: \(reason)", subject: image,
            hint: "squash the image to fewer layers, or start gantryd with a shorter --root")
    }
}
