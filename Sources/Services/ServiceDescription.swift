// SPDX-License-Identifier: Apache-2.0
public import Wire

/// What a service is made of, for servers that tell it and tools that print it.
public struct ServiceDescription: Sendable {
    public struct Method: Sendable {
        /// The bare name: `Launch`.
        public var name: String
        public var comment: String
        public var request: any Message.Type
        public var response: any Message.Type
        /// Whether the client sends any number of requests.
        public var requestStream: Bool
        /// Whether the server sends any number of responses.
        public var responseStream: Bool

        public init(
            name: String, comment: String, request: any Message.Type, response: any Message.Type, requestStream: Bool,
            responseStream: Bool
        ) {
            self.name = name
            self.comment = comment
            self.request = request
            self.response = response
            self.requestStream = requestStream
            self.responseStream = responseStream
        }
    }

    /// The full name: `gantry.v1.Containerizer`.
    public var name: String
    public var comment: String
    /// In the order of the .proto file.
    public var methods: [Method]

    public init(name: String, comment: String, methods: [Method]) {
        self.name = name
        self.comment = comment
        self.methods = methods
    }
}
