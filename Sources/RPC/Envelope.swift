// SPDX-License-Identifier: Apache-2.0

/// Entries of a repeated envelope field that we take. Each costs two bytes on the wire and some fifty in memory.
private let repeatedLimit = 1_024

/// `ttrpc.Request` as it arrives. The buffers point into the frame.
struct RequestEnvelope {
    var service = UnsafeRawBufferPointer(start: nil, count: 0)
    var method = UnsafeRawBufferPointer(start: nil, count: 0)
    var payload = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The time that is left. 0: for ever. Negative: none.
    var timeoutNanoseconds: Int64 = 0
    var metadata = Metadata()

    init(decoding bytes: UnsafeRawBufferPointer) throws(EnvelopeError) {
        var reader = FieldReader(bytes)
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .bytes): service = try reader.bytes()
            case (2, .bytes): method = try reader.bytes()
            case (3, .bytes): payload = try reader.bytes()
            case (4, .varint): timeoutNanoseconds = Int64(bitPattern: try reader.varint())
            case (5, .bytes):
                guard metadata.entries.count < repeatedLimit else { throw reader.failure("too much metadata") }
                metadata.entries.append(try Metadata.Entry(decoding: reader.message()))
            default: try reader.skip(field)
            }
        }
    }
}

extension Metadata.Entry {
    fileprivate init(decoding reader: consuming FieldReader) throws(EnvelopeError) {
        var reader = reader
        self.init(key: "", value: "")
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .bytes): key = try reader.text()
            case (2, .bytes): value = try reader.text()
            default: try reader.skip(field)
            }
        }
    }

    fileprivate var encodedSize: Int {
        FieldWriter.size(nonEmpty: key.utf8.count) + FieldWriter.size(nonEmpty: value.utf8.count)
    }
}

/// `ttrpc.Request` as it is sent.
struct OutgoingRequest {
    let service: String
    let method: String
    let payload: [UInt8]
    let timeoutNanoseconds: Int64
    let metadata: Metadata
    let encodedSize: Int
    var descriptors: PassedDescriptors?

    init(service: String, method: String, payload: [UInt8], timeoutNanoseconds: Int64, metadata: Metadata) {
        self.service = service
        self.method = method
        self.payload = payload
        self.timeoutNanoseconds = timeoutNanoseconds
        self.metadata = metadata
        encodedSize = metadata.entries.reduce(
            FieldWriter.size(nonEmpty: service.utf8.count) + FieldWriter.size(nonEmpty: method.utf8.count)
                + FieldWriter.size(nonEmpty: payload.count)
                + FieldWriter.size(number: UInt64(bitPattern: timeoutNanoseconds))
        ) { $0 + FieldWriter.size(bytes: $1.encodedSize) }
    }

    func encode(to target: UnsafeMutableRawPointer) {
        var writer = FieldWriter(target)
        writer.nonEmpty(1, service)
        writer.nonEmpty(2, method)
        writer.nonEmpty(3, payload)
        writer.number(4, UInt64(bitPattern: timeoutNanoseconds))
        for entry in metadata.entries {
            writer.message(5, entry.encodedSize)
            writer.nonEmpty(1, entry.key)
            writer.nonEmpty(2, entry.value)
        }
    }
}

/// `ttrpc.Response`: a payload, or a status that is not OK.
enum ResponseEnvelope {
    case payload([UInt8])
    case status(RPCError)

    init(decoding bytes: UnsafeRawBufferPointer) throws(EnvelopeError) {
        var payload = UnsafeRawBufferPointer(start: nil, count: 0)
        var status = RPCError(.ok, "")
        var reader = FieldReader(bytes)
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .bytes): try status.merge(reader.message())
            case (2, .bytes): payload = try reader.bytes()
            default: try reader.skip(field)
            }
        }
        self = status.code == .ok ? .payload([UInt8](payload)) : .status(status)
    }

    var encodedSize: Int {
        switch self {
        case .payload(let payload): FieldWriter.size(nonEmpty: payload.count)
        case .status(let status): FieldWriter.size(bytes: status.encodedSize)
        }
    }

    func encode(to target: UnsafeMutableRawPointer) {
        var writer = FieldWriter(target)
        switch self {
        case .payload(let payload): writer.nonEmpty(2, payload)
        case .status(let status):
            writer.message(1, status.encodedSize)
            status.encode(with: &writer)
        }
    }
}

/// `google.rpc.Status`
extension RPCError {
    /// The code's bits as protobuf writes an int32: negative ones take ten bytes.
    private var wireCode: UInt64 { UInt64(bitPattern: Int64(code.rawValue)) }

    /// A message field that comes twice is merged.
    fileprivate mutating func merge(_ fields: consuming FieldReader) throws(EnvelopeError) {
        var reader = fields
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .varint): code = StatusCode(rawValue: Int32(truncatingIfNeeded: try reader.varint()))
            case (2, .bytes): message = try reader.text()
            case (3, .bytes):
                guard details.count < repeatedLimit else { throw reader.failure("too many details") }
                details.append(try StatusDetail(decoding: reader.message()))
            default: try reader.skip(field)
            }
        }
    }

    fileprivate var encodedSize: Int {
        details.reduce(FieldWriter.size(number: wireCode) + FieldWriter.size(nonEmpty: message.utf8.count)) {
            $0 + FieldWriter.size(bytes: $1.encodedSize)
        }
    }

    fileprivate func encode(with writer: inout FieldWriter) {
        writer.number(1, wireCode)
        writer.nonEmpty(2, message)
        for detail in details {
            writer.message(3, detail.encodedSize)
            writer.nonEmpty(1, detail.typeURL)
            writer.nonEmpty(2, detail.value)
        }
    }
}

/// `google.protobuf.Any`
extension StatusDetail {
    fileprivate init(decoding fields: consuming FieldReader) throws(EnvelopeError) {
        var reader = fields
        self.init(typeURL: "", value: [])
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .bytes): typeURL = try reader.text()
            case (2, .bytes): value = [UInt8](try reader.bytes())
            default: try reader.skip(field)
            }
        }
    }

    fileprivate var encodedSize: Int {
        FieldWriter.size(nonEmpty: typeURL.utf8.count) + FieldWriter.size(nonEmpty: value.count)
    }
}
