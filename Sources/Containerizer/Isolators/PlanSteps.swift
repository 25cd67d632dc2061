// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Wire

/// Steps of init's plan in Swift's types. The texts are Gantry's own; text from a request goes through
/// `PlanText.checked` first.
extension Gantry.Init.V1.Step.Kind {
    static func mount(
        _ type: String, on target: String, attributes: MountAttributes, options: [String] = []
    ) -> Self {
        .mount(
            .init(
                type: PlanText.trusted(type), target: PlanText.trusted(target), attributes: attributes.rawValue,
                options: options.map(PlanText.trusted)))
    }

    /// A host path on a path inside the container.
    static func bind(
        source: String, target: String, recursive: Bool = false, attributes: MountAttributes = [],
        optional: Bool = false
    ) -> Self {
        .bind(
            .init(
                source: PlanText.trusted(source), target: PlanText.trusted(target), recursive: recursive,
                attributes: attributes.rawValue, optional: optional))
    }

    /// A path inside the container on itself, with attributes of its own; skipped where the kernel does not have it.
    static func restrict(_ path: String, _ attributes: MountAttributes) -> Self {
        .bind(
            .init(
                source: PlanText.trusted(path), target: PlanText.trusted(path), recursive: true,
                attributes: attributes.rawValue, sourceInRoot: true, optional: true))
    }

    static func device(_ path: String, major: UInt32, minor: UInt32, mode: UInt32) -> Self {
        .device(.init(path: PlanText.trusted(path), mode: mode, major: major, minor: minor))
    }

    static func directory(_ path: String, mode: UInt32) -> Self {
        .directory(.init(path: PlanText.trusted(path), mode: mode))
    }

    static func symbolicLink(to: String, path: String) -> Self {
        .symbolicLink(.init(to: PlanText.trusted(to), path: PlanText.trusted(path)))
    }
}
