// SPDX-License-Identifier: Apache-2.0
import CProto
import Testing

@testable import Wire

/// Input that is made to hurt: deep, wide, repeated, split, or larger when decoded than on the wire.
@Suite struct HostileTests {
    // MARK: depth

    /// `levels` parents around a container.
    private func nested(_ levels: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x0a, 0x01, 0x61]
        for _ in 0..<levels {
            bytes = [0x0a, 0x01, 0x61, 0x12] + varint(bytes.count) + bytes
        }
        return bytes
    }

    private func varint(_ value: Int) -> [UInt8] {
        var value = UInt64(value)
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    @Test func exactlyAHundredLevels() throws {
        let message = try Mesos.ContainerID(decoding: nested(100))
        #expect(try message.encoded() == nested(100))
        #expect(try Mesos.ContainerID(json: message.json()) == message)
        let error = #expect(throws: WireError.self) { try Mesos.ContainerID(decoding: nested(101)) }
        #expect(error?.code == .tooDeep)
        #expect(error?.path.hasPrefix("parent.parent") == true)
    }

    @Test(arguments: [1000, 10_000, 100_000])
    func depthDoesNotReachTheStack(_ levels: Int) {
        // Lengths are not right all the way down; the limit comes first.
        let piece: [UInt8] = [0x12, 0xff, 0xff, 0xff, 0x0f]
        let bytes = Array(repeatElement(piece, count: levels).joined())
        #expect(throws: WireError.self) { try Mesos.ContainerID(decoding: bytes) }
    }

    @Test func groupsCountAsLevels() throws {
        func groups(_ levels: Int) -> [UInt8] {
            [UInt8](repeating: 0x7b, count: levels) + [UInt8](repeating: 0x7c, count: levels)
        }
        #expect(try Mesos.Slave.ContainerTermination(decoding: groups(100)).encoded() == groups(100))
        let error = #expect(throws: WireError.self) { try Mesos.Slave.ContainerTermination(decoding: groups(101)) }
        #expect(error?.code == .tooDeep)
        let many = #expect(throws: WireError.self) {
            try Mesos.Slave.ContainerTermination(decoding: [UInt8](repeating: 0x7b, count: 1 << 20))
        }
        #expect(many?.code == .tooDeep)
    }

    @Test func aValueThatIsTooDeepIsNotEncoded() throws {
        var message = Mesos.ContainerID(value: "a")
        for _ in 0..<100 { message = Mesos.ContainerID(value: "a", parent: message) }
        #expect(try message.encoded() == nested(100))
        message = Mesos.ContainerID(value: "a", parent: message)
        #expect(#expect(throws: WireError.self) { try message.encoded() }?.code == .tooDeep)
        #expect(#expect(throws: WireError.self) { try message.json() }?.code == .tooDeep)
    }

    // MARK: what cannot be decoded is not encoded

    @Test func anUndeclaredRequiredValueIsNotEncoded() throws {
        var operation = Mesos.Offer.Operation.LaunchGroup(
            executor: Mesos.ExecutorInfo(executorID: .init(value: "e")), taskGroup: .init())
        var volume = Mesos.Volume(containerPath: "/v", mode: .init(rawValue: 77))
        var container = Mesos.ContainerInfo(
            type: .mesos, volumes: [Mesos.Volume(containerPath: "/w", mode: .rw), volume])
        operation.executor.container = container
        let error = #expect(throws: WireError.self) { try operation.encoded() }
        #expect(error?.code == .missingRequired)
        #expect(error?.path == "executor.container.volumes[1].mode")
        volume.mode = .ro
        container.volumes = [volume]
        operation.executor.container = container
        let again = try Mesos.Offer.Operation.LaunchGroup(decoding: operation.encoded())
        #expect(again == operation)
    }

    @Test(
        arguments: [
            ([0x7a], .truncated), ([0x7a, 0x05, 0x00], .truncated), ([0x7b], .truncated), ([0x7c], .malformedGroup),
            ([0x7f, 0x00], .unknownWireType), ([0x00, 0x00], .malformedTag),
            ([0x78] + [UInt8](repeating: 0xff, count: 10), .malformedVarint),
            ([UInt8](repeating: 0x7b, count: 100) + [UInt8](repeating: 0x7c, count: 100), .tooDeep),
        ] as [([UInt8], WireError.Code)])
    func unknownFieldsThatAreNone(_ unknown: [UInt8], _ code: WireError.Code) throws {
        var outer = Mesos.ContainerID(value: "a", parent: Mesos.ContainerID(value: "b"))
        outer.parent?.unknownFields = unknown
        let error = #expect(throws: WireError.self) { try outer.encoded() }
        #expect(error?.code == code)
        #expect(error?.path == "parent")
    }

    @Test func aMessageWithoutFields() throws {
        let bytes = HostileShape.times(1000, [0x7a, 0x03, 0x61, 0x62, 0x63])
        #expect(try Gantry.V1.HealthRequest(decoding: bytes).encoded() == bytes)
        for limit in stride(from: 0, to: 40_000, by: 500) {
            do throws(WireError) {
                _ = try Gantry.V1.HealthRequest(decoding: bytes, memoryLimit: limit)
            } catch {
                #expect(error.code == .memoryLimit)
                #expect(error.path == "")
            }
        }
    }

    // MARK: memory

    /// Bytes that a decode takes from malloc.
    private func memory(_ table: UnsafePointer<cp_message>, _ bytes: [UInt8]) -> (used: Int, accepted: Bool) {
        var arena = cp_arena()
        cp_arena_init(&arena, nil, 0, 1 << 40)
        defer { cp_arena_free(&arena) }
        var error = cp_error()
        let message = bytes.withUnsafeBufferPointer {
            cp_decode(table, $0.baseAddress, $0.count, &arena, 0, &error)
        }
        return ((1 << 40) - arena.budget, message != nil)
    }

    /// Empty sub-messages, two bytes each, are the most that memory can be multiplied by.
    @Test func memoryIsLinearInTheInput() {
        // mesos.agent.Response.get_executors.executors, and mesos.slave.ContainerLaunchInfo.mounts
        for (table, tag) in [
            (Mesos.Agent.Response.GetExecutors.schema.table, UInt8(0x0a)),
            (Mesos.Slave.ContainerLaunchInfo.schema.table, UInt8(0x8a)),
        ] {
            let piece: [UInt8] = tag < 0x80 ? [tag, 0x00] : [tag, 0x01, 0x00]
            let small = memory(table, Array(repeatElement(piece, count: 1000).joined())).used
            let large = memory(table, Array(repeatElement(piece, count: 32_000).joined())).used
            #expect(large < 64 * small)
            #expect(large < 32_000 * 1024)
        }
    }

    @Test func stringsAreNotCopied() {
        let content = [UInt8](repeating: 0x61, count: 1 << 20)
        let used = memory(Mesos.ContainerID.schema.table, [0x0a] + varint(content.count) + content).used
        #expect(used < 16 << 10)
    }

    @Test func theLimitHolds() throws {
        // 32,000 executors of two bytes each.
        let bytes = Array(repeatElement([0x0a, 0x00] as [UInt8], count: 32_000).joined())
        let error = #expect(throws: WireError.self) {
            try Mesos.Agent.Response.GetExecutors(decoding: bytes, memoryLimit: 1 << 20)
        }
        #expect(error?.code == .memoryLimit)
        #expect(error.map { $0.offset ?? 0 > 0 && $0.offset ?? .max < bytes.count } == true)
        // Within the limit, what is wrong is that each lacks its required field.
        let complete = #expect(throws: WireError.self) { try Mesos.Agent.Response.GetExecutors(decoding: bytes) }
        #expect(complete?.code == .missingRequired)
        #expect(complete?.path == "executors[0].executor_info")
    }

    @Test(arguments: [0, 1, 100, 1000, 5000])
    func anyLimitIsSafe(_ limit: Int) throws {
        for golden in GoldenCase.all where golden.accepted && !golden.split && golden.bytes.count < 10_000 {
            let type = try #require(MessageRegistry.type(named: golden.type))
            do throws(WireError) {
                let again = try type.init(decoding: golden.bytes, memoryLimit: limit).encoded()
                #expect(again == golden.reencoded)
            } catch {
                #expect(error.code == .memoryLimit, "\(golden.name): \(error)")
            }
        }
    }

    // MARK: time; each of these was quadratic in some decoder

    @Test func manyPiecesOfOneMessage() throws {
        // container_id in 200,000 pieces that each change the value.
        let bytes = Array(repeatElement([0x0a, 0x03, 0x0a, 0x01, 0x62] as [UInt8], count: 200_000).joined())
        let request = try Gantry.V1.WaitRequest(decoding: bytes)
        #expect(request.containerID == Mesos.ContainerID(value: "b"))
    }

    @Test func manyEqualKeys() throws {
        let entry: [UInt8] = [0x4a, 0x06, 0x0a, 0x01, 0x6b, 0x12, 0x01, 0x76]
        let last: [UInt8] = [0x4a, 0x06, 0x0a, 0x01, 0x6b, 0x12, 0x01, 0x77]
        let bytes = Array(repeatElement(entry, count: 200_000).joined()) + last
        #expect(try Docker.Spec.V1.ImageManifest.Config(decoding: bytes).labels == ["k": "w"])
    }

    @Test func manyKeysInReverse() throws {
        var bytes: [UInt8] = []
        for number in stride(from: 99_999, through: 10_000, by: -1) {
            bytes += [0x4a, 0x0a, 0x0a, 0x05] + Array(String(number).utf8) + [0x12, 0x01, 0x76]
        }
        let message = try Docker.Spec.V1.ImageManifest.Config(decoding: bytes)
        #expect(message.labels.count == 90_000)
        let again = try Docker.Spec.V1.ImageManifest.Config(decoding: message.encoded())
        #expect(again == message)
    }

    @Test func manyUnknownFields() throws {
        let bytes = Array(repeatElement([0x78, 0x01] as [UInt8], count: 500_000).joined())
        let message = try Mesos.Slave.ContainerTermination(decoding: bytes)
        #expect(message.unknownFields == bytes)
        #expect(try message.encoded() == bytes)
    }

    @Test func aOneofThatKeepsChanging() throws {
        // symlink (2) and mkdir (3), 200,000 times; the last, an empty symlink, stays.
        var bytes = Array(repeatElement([0x12, 0x00, 0x1a, 0x00] as [UInt8], count: 200_000).joined())
        bytes += [0x12, 0x00]
        let operation = try Mesos.Slave.ContainerFileOperation(decoding: bytes)
        #expect(operation.parameters == .symlink(.init()))
        #expect(try operation.encoded() == [0x12, 0x00])
    }

    @Test func aReplacedMemberNeedNotBeComplete() throws {
        // mount, which lacks its required target, then symlink.
        #expect(try Mesos.Slave.ContainerFileOperation(decoding: [0x2a, 0x00, 0x12, 0x00]).encoded() == [0x12, 0x00])
        let error = #expect(throws: WireError.self) {
            try Mesos.Slave.ContainerFileOperation(decoding: [0x12, 0x00, 0x2a, 0x00])
        }
        #expect(error?.code == .missingRequired)
        #expect(error?.path == "mount.target")
    }
}
