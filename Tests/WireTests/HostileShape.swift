// SPDX-License-Identifier: Apache-2.0
import CProto

@testable import Wire

/// Bytes that are made to hurt.
struct HostileShape: Sendable {
    var name: String
    var type: any Message.Type
    var bytes: [UInt8]

    static func varint(_ value: Int) -> [UInt8] {
        var value = UInt64(value)
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    static func field(_ number: UInt32, _ content: [UInt8]) -> [UInt8] {
        varint(Int(number) << 3 | 2) + varint(content.count) + content
    }

    static func times(_ count: Int, _ piece: [UInt8]) -> [UInt8] {
        Array(repeatElement(piece, count: count).joined())
    }

    /// `count` elements of each repeated sub-message that `type` has: empty ones, and ones of a small field.
    static func repeatedMessages<M: Message>(of type: M.Type, count: Int) -> [HostileShape] {
        let descriptor = type.schema.table.pointee.descriptor.pointee
        return (0..<Int(descriptor.n_fields)).flatMap { index -> [HostileShape] in
            let field = descriptor.fields[index]
            guard field.label == PROTOBUF_C_LABEL_REPEATED, field.type == PROTOBUF_C_TYPE_MESSAGE,
                let raw = field.descriptor
            else { return [] }
            let element = raw.assumingMemoryBound(to: ProtobufCMessageDescriptor.self).pointee
            let name = "\(type.fullName).\(String(cString: field.name))"
            return [
                HostileShape(name: name, type: type, bytes: times(count, Self.field(field.id, []))),
                HostileShape(
                    name: name + " of a field", type: type, bytes: times(count, Self.field(field.id, smallest(element)))
                ),
            ]
        }
    }

    /// The shortest field that is not nothing.
    private static func smallest(_ descriptor: ProtobufCMessageDescriptor) -> [UInt8] {
        for index in 0..<Int(descriptor.n_fields) {
            let field = descriptor.fields[index]
            switch field.type {
            case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_UINT64,
                PROTOBUF_C_TYPE_BOOL, PROTOBUF_C_TYPE_ENUM:
                return varint(Int(field.id) << 3) + [1]
            default: continue
            }
        }
        // Otherwise an empty string, bytes or message; an unknown field where there is none at all.
        return descriptor.n_fields > 0 ? field(descriptor.fields[0].id, []) : [0x78, 0x01]
    }

    /// Length claims of 2 GiB less a byte.
    private static let twoGiB: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0x07]

    static let large: [HostileShape] = [
        // container_id in pieces, which merge.
        shape("a sub-message 16,000 times", Gantry.V1.WaitRequest.self, times(16_000, [0x0a, 0x02, 0x12, 0x00])),
        shape("16,000 mounts", Mesos.Slave.ContainerLaunchInfo.self, times(16_000, [0x8a, 0x01, 0x02, 0x0a, 0x00])),
        shape("100,000 levels", Mesos.ContainerID.self, times(100_000, [0x12] + twoGiB)),
        shape("100,000 groups", Mesos.ContainerID.self, times(100_000, [0x7b])),
        shape("2 GiB of text", Mesos.ContainerID.self, [0x0a] + twoGiB),
        shape("2 GiB of a message", Mesos.ContainerID.self, [0x12] + twoGiB),
        shape("2 GiB of an unknown field", Mesos.ContainerID.self, [0x7a] + twoGiB),
        shape("2 GiB of packed values", Mesos.CSIPluginContainerInfo.self, [0x0a] + twoGiB),
        shape("a million empty texts", Mesos.Slave.ContainerLayers.self, times(1_000_000, [0x0a, 0x00])),
        shape("a million empty texts in one place", Mesos.ContainerID.self, times(1_000_000, [0x0a, 0x00])),
        shape("a million unknown fields", Mesos.ContainerID.self, times(1_000_000, [0x7a, 0x00])),
        shape("a million packed values", Mesos.CSIPluginContainerInfo.self, field(1, times(1_000_000, [0x01]))),
        shape("a million empty entries", Docker.Spec.V1.ImageManifest.Config.self, times(1_000_000, [0x4a, 0x00])),
        shape("60,000 keys", Docker.Spec.V1.ImageManifest.Config.self, manyKeys(60_000)),
        shape("texts of 16 bytes", Mesos.Slave.ContainerLayers.self, times(60_000, field(1, times(16, [0x61])))),
    ]

    private static func shape(_ name: String, _ type: any Message.Type, _ bytes: [UInt8]) -> HostileShape {
        HostileShape(name: name, type: type, bytes: bytes)
    }

    /// A map's entries, from the last key to the first.
    static func manyKeys(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in stride(from: count, to: 0, by: -1) {
            let key: [UInt8] = [UInt8(number >> 12 & 63), UInt8(number >> 6 & 63), UInt8(number & 63)]
            bytes += field(9, field(1, key) + field(2, [0x76]))
        }
        return bytes
    }
}
