// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Services
internal import Wire

/// `SERVICE/METHOD`. A service may be written without its package.
struct MethodName: ExpressibleByArgument, CustomStringConvertible {
    var service: String
    var method: String

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        (service, method) = (String(parts[0]), String(parts[1]))
    }

    var description: String { "\(service)/\(method)" }

    /// The method as the daemon describes it.
    func find(in services: [Gantry.V1.ServiceDescription]) throws -> (service: String, Gantry.V1.MethodDescription) {
        guard let found = services.first(named: service) else {
            throw Failure(
                "the daemon has no service \(service)", hint: "'gantry services' lists all", exitCode: ExitStatus.usage)
        }
        guard let description = found.methods.first(where: { $0.name == method }) else {
            throw Failure(
                "\(found.name) has no method \(method)", hint: "'gantry services \(found.name)' lists all",
                exitCode: ExitStatus.usage)
        }
        return (found.name, description)
    }
}

extension [Gantry.V1.ServiceDescription] {
    /// By the full name, or by the last word of it.
    func first(named name: String) -> Gantry.V1.ServiceDescription? {
        first { $0.name == name } ?? first { $0.name.split(separator: ".").last.map(String.init) == name }
    }
}

extension Gantry.V1.MethodDescription {
    /// `Attach(stream gantry.v1.AttachRequest) -> stream mesos.agent.ProcessIO`
    var signature: String {
        "\(name)(\(requestStream ? "stream " : "")\(requestType)) -> \(responseStream ? "stream " : "")\(responseType)"
    }
}
