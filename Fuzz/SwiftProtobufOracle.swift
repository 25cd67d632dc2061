// SPDX-License-Identifier: Apache-2.0

#if ORACLE
    import Oracle
    import SwiftProtobuf
    import Wire

    @_silgen_name("reference_judge")
    private func reference_judge(
        _ name: UnsafePointer<CChar>, _ data: UnsafePointer<UInt8>?, _ size: Int, _ encoded: UnsafePointer<UInt8>?,
        _ encodedSize: Int
    ) -> CInt

    /// What protobuf's C++ library makes of a message that is encoded as `encoded` here.
    enum Reference {
        case refused, same, different
    }

    func reference(_ fullName: String, _ bytes: UnsafeRawBufferPointer, _ encoded: [UInt8]) -> Reference {
        let data = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return switch reference_judge(fullName, data, bytes.count, encoded, encoded.count) {
        case 0: .refused
        case 1: .same
        default: .different
        }
    }

    /// What swift-protobuf makes of a message.
    enum Verdict {
        case refused(any Error)
        /// Encoded again, maps by key; and the protobuf JSON mapping with proto field names, if there is one.
        case accepted([UInt8], json: String?)
    }

    private let byName: [String: any SwiftProtobuf.Message.Type] = Dictionary(
        uniqueKeysWithValues: allMessages.map { ($0.protoMessageName, $0) })

    func judge(_ fullName: String, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        guard let type = byName[fullName] else { fatalError("swift-protobuf has no \(fullName)") }
        var binary = BinaryEncodingOptions()
        binary.useDeterministicOrdering = true
        var text = JSONEncodingOptions()
        text.preserveProtoFieldNames = true
        do {
            let message = try type.init(serializedBytes: Array(bytes))
            return .accepted(try message.serializedBytes(options: binary), json: try? message.jsonString(options: text))
        } catch {
            return .refused(error)
        }
    }
#endif
