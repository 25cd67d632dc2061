// SPDX-License-Identifier: Apache-2.0

public import Kernel
import SystemPackage

/// What went wrong, in the form in which every caller sees it: a stable code, the step, the subject, the errno and
/// what to do. Errors are thrown or logged, never both.
public struct ContainerError: Error, Sendable, Hashable {
    /// How a caller should treat the error; the RPC front end turns it into a status code (containerizer.md 0.3).
    public enum Kind: Sendable, Hashable {
        case invalidArgument, notFound, alreadyExists, failedPrecondition, aborted, resourceExhausted
        case permissionDenied, unavailable, cancelled, `internal`
    }

    public var kind: Kind
    /// A stable dotted name, e.g. `mount.overlay.too-many-layers`.
    public var code: String
    /// The whole sentence without the step, e.g. "mount overlay on /x: EINVAL".
    public var message: String
    /// What Gantry was doing, e.g. "provisioning (isolator filesystem/linux)".
    public var step: String
    /// The path, id or name that the step was working on.
    public var subject: String
    /// 0 when the error has no errno.
    public var errno: Int32
    /// What the user can do about it; empty when there is nothing to say.
    public var hint: String

    public init(
        _ kind: Kind, code: String, _ message: String, step: String = "", subject: String = "", errno: Int32 = 0,
        hint: String = ""
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.step = step
        self.subject = subject
        self.errno = errno
        self.hint = hint
    }

    /// A failed system call. A full disk, a missing permission and a vanished file get their own kind, code and hint,
    /// so that no caller has to look at errno.
    public init(_ error: SystemError, step: String = "") {
        let kind: Kind
        let code: String
        var hint = ""
        switch error.errno {
        case .noSpace:
            (kind, code) = (.resourceExhausted, "disk.full")
            hint = "free some space below the daemon's root directory, or give --root another file system"
        case Errno(rawValue: 122):
            (kind, code) = (.resourceExhausted, "disk.quota")
            hint = "raise the disk quota of the daemon's root directory"
        case .permissionDenied, .notPermitted:
            (kind, code) = (.internal, "system.not-permitted")
            hint = "gantryd needs root with all capabilities"
        default: (kind, code) = (.internal, "system.\(error.operation)")
        }
        self.init(
            kind, code: code, error.description, step: step, subject: error.subject, errno: error.errno.rawValue,
            hint: hint)
    }

    /// Any error as a `ContainerError`; `step` names what was being done, unless the error already says so.
    public init(wrapping error: any Error, step: String) {
        switch error {
        case var error as ContainerError:
            if error.step.isEmpty { error.step = step }
            self = error
        case let error as SystemError: self.init(error, step: step)
        case is CancellationError:
            self.init(.cancelled, code: "cancelled", "cancelled", step: step)
        default: self.init(.internal, code: "internal", "\(error)", step: step)
        }
    }
}

extension ContainerError: CustomStringConvertible {
    public var description: String {
        step.isEmpty ? message : "\(step): \(message)"
    }
}
