// SPDX-License-Identifier: Apache-2.0

import Core
import RPC
import Services
import Wire

/// The methods of gantry.v1.Reflection: what this daemon offers.
struct ReflectionHandlers: ReflectionService {
    private let descriptions: [ServiceDescription]

    init(_ descriptions: [ServiceDescription]) {
        self.descriptions = descriptions.sorted { $0.name < $1.name }
    }

    func services(_ request: Gantry.V1.ServicesRequest, context: CallContext) -> Gantry.V1.ServicesResponse {
        .init(services: descriptions.map(Gantry.V1.ServiceDescription.init))
    }

    func describe(
        _ request: Gantry.V1.DescribeRequest, context: CallContext
    ) async throws -> Gantry.V1.DescribeResponse {
        let types = MessageRegistry.describe(request.name)
        guard !types.isEmpty else {
            throw ContainerError(
                .notFound, code: "reflection.unknown-type", "there is no message \(request.name)", step: "describe",
                subject: request.name, hint: "give the full name, such as mesos.ContainerID")
        }
        return .init(types: types.map(Gantry.V1.TypeDescription.init))
    }
}

extension Gantry.V1.ServiceDescription {
    fileprivate init(_ service: ServiceDescription) {
        let methods = service.methods.map {
            Gantry.V1.MethodDescription(
                name: $0.name, comment: $0.comment, requestType: $0.request.fullName,
                responseType: $0.response.fullName, requestStream: $0.requestStream, responseStream: $0.responseStream)
        }
        self.init(name: service.name, comment: service.comment, methods: methods)
    }
}

extension Gantry.V1.TypeDescription {
    fileprivate init(_ type: TypeDescription) {
        let fields = type.fields.map {
            Gantry.V1.FieldDescription(name: $0.name, number: $0.number, label: $0.label, type: $0.type)
        }
        let values = type.values.map { Gantry.V1.EnumValueDescription(name: $0.name, number: $0.number) }
        self.init(name: type.name, fields: fields, values: values)
    }
}
