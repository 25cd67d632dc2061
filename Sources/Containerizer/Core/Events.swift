// SPDX-License-Identifier: Apache-2.0

import Kernel
import Logging
import Reactor
import SystemPackage
import Wire

/// What happens to a container without being asked for: its process starts or fails to, exits, or breaks a limit
/// (containerizer.md 3.12).
extension Containerizer {
    /// Waits for init's word on the launch: it executed the command, or says what failed.
    func awaitStart(of id: Mesos.ContainerID, _ process: any ContainerProcess) async {
        do {
            guard let container = table[id] else { return }
            guard let report = try await process.report() else { return container.started.settle(.success(nil)) }
            let error = ContainerError(report, command: container.launchInfo?.command?.value ?? "")
            container.steps.begin(.launch, error.step)
            container.steps.end(error.step, error)
            container.started.settle(.success(error))
        } catch {
            log.warning("reading init's report: \(error)", metadata: ["container": "\(id.text)"])
            table[id]?.started.settle(.success(nil))
        }
    }

    /// Waits for the end of the first process, then starts the destruction of the rest.
    ///
    /// - Returns: the command's wait status: what init wrote, or 9 if it was killed before it could.
    func reap(_ id: Mesos.ContainerID, _ process: any ContainerProcess) async throws -> Int32? {
        let raw: Int32?
        do {
            raw = try await process.exit()
        } catch {
            log.error("waiting for pid \(process.pid): \(error)", metadata: ["container": "\(id.text)"])
            raw = nil
        }
        let status: Int32?
        switch runtime.status(of: id) {
        case .status(let recorded): status = recorded
        case .missing: status = raw == nil ? nil : 9
        case .unreadable: status = nil
        }
        if let container = table[id] { beginDestroy(container, prefilled: nil) }
        return status
    }

    func watch(_ id: Mesos.ContainerID, _ isolator: any Isolator) async {
        do {
            let limitation = try await isolator.watch(id)
            guard !Task.isCancelled, let container = table[id] else { return }
            beginDestroy(container, prefilled: Mesos.Slave.ContainerTermination(limitation))
        } catch {
            guard !Task.isCancelled, let container = table[id] else { return }
            log.error("watch (isolator \(isolator.name)): \(error)", metadata: ["container": "\(id.text)"])
            beginDestroy(container, prefilled: nil)
        }
    }
}

extension Mesos.Slave.ContainerTermination {
    init(_ limitation: Mesos.Slave.ContainerLimitation) {
        self.init(
            message: limitation.message, state: .taskFailed, reason: limitation.reason,
            limitedResources: limitation.resources)
    }
}

extension ContainerError {
    /// What init reported, in the words of whoever asked for the launch.
    init(_ report: Gantry.Init.V1.Report, command: String) {
        let name = Self.text(report.name)
        let errno = SystemErrno(report.errno)
        var code = "init.\(name)"
        var hint = "gantryd's log and the container's stderr say more"
        if name == "execute" {
            switch errno {
            case .notFound:
                (code, hint) = ("init.execute.not-found", "check the name, the image and the PATH in the container")
            case .denied:
                (code, hint) = ("init.execute.denied", "the file must be executable, and so must its interpreter")
            case .other:
                (code, hint) = ("init.execute.failed", "check that the file is a program for this machine")
            }
        }
        let number = Errno(rawValue: report.errno)
        let reason = report.errno == 0 ? "" : ": \(number.name) (\(number.description))"
        self.init(
            .failedPrecondition, code: code, Self.text(report.text) + reason, step: "\(name) (in the container)",
            subject: name == "execute" ? command : name, errno: report.errno, hint: hint)
    }

    private enum SystemErrno {
        case notFound, denied, other
        init(_ number: Int32) {
            switch number {
            case 2, 20: self = .notFound  // ENOENT, ENOTDIR
            case 13, 1: self = .denied  // EACCES, EPERM
            default: self = .other
            }
        }
    }

    /// Init's text without its closing NUL.
    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
