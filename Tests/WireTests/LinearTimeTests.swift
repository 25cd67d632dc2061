// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Wire

/// Eight times the input takes about eight times as long, whatever it is made of. Counted in the time of one thread's
/// instructions, in a process of its own, the best of a few tries: other work on the machine hardly shows. Something
/// quadratic would take 64 times as long.
@Suite(.serialized) struct LinearTimeTests {
    @Test func everyShape() async {
        await #expect(processExitsWith: .success) {
            for shape in Shape.all {
                let small = Self.seconds(shape.type, shape.make(shape.count))
                let large = Self.seconds(shape.type, shape.make(shape.count * 8))
                #expect(large < 24 * max(small, 0.0002), "\(shape.name): \(small) s, then \(large) s")
            }
        }
    }

    private struct Shape: Sendable {
        var name: String
        var type: any Message.Type
        /// Pieces of the small input, which takes about a millisecond.
        var count: Int
        var make: @Sendable (Int) -> [UInt8]

        init(_ name: String, _ type: any Message.Type, _ count: Int, _ make: @escaping @Sendable (Int) -> [UInt8]) {
            self.name = name
            self.type = type
            self.count = count
            self.make = make
        }

        static let all: [Shape] = [
            Shape("pieces of one message", Gantry.V1.WaitRequest.self, 10_000) {
                HostileShape.times($0, [0x0a, 0x03, 0x0a, 0x01, 0x62])
            },
            Shape("pieces that end with nothing required", Mesos.ContainerID.self, 10_000) {
                HostileShape.times($0, [0x12, 0x00])
            },
            Shape("equal keys", Docker.Spec.V1.ImageManifest.Config.self, 5000) {
                HostileShape.times($0, [0x4a, 0x06, 0x0a, 0x01, 0x6b, 0x12, 0x01, 0x76])
            },
            Shape("falling keys", Docker.Spec.V1.ImageManifest.Config.self, 2000) { HostileShape.manyKeys($0) },
            Shape("unknown fields", Mesos.ContainerID.self, 20_000) {
                [0x0a, 0x00] + HostileShape.times($0, [0x78, 0x01])
            },
            Shape("unknown groups", Mesos.ContainerID.self, 20_000) {
                [0x0a, 0x00] + HostileShape.times($0, [0x7b, 0x7c])
            },
            Shape("a oneof that keeps changing", Mesos.Slave.ContainerFileOperation.self, 10_000) {
                HostileShape.times($0, [0x12, 0x00, 0x1a, 0x00]) + [0x12, 0x00]
            },
            Shape("texts", Mesos.Slave.ContainerLayers.self, 5000) {
                HostileShape.times($0, HostileShape.field(1, Array("/layers/00001".utf8)))
            },
            Shape("one text", Mesos.ContainerID.self, 200_000) {
                HostileShape.field(1, [UInt8](repeating: 0x61, count: $0))
            },
            Shape("one text that is not ASCII", Mesos.ContainerID.self, 50_000) {
                HostileShape.field(1, HostileShape.times($0, [0xc3, 0xa9]))
            },
            Shape("packed values", Mesos.CSIPluginContainerInfo.self, 50_000) {
                HostileShape.field(1, [UInt8](repeating: 1, count: $0))
            },
            Shape("undeclared values", Mesos.CSIPluginContainerInfo.self, 20_000) {
                HostileShape.field(1, [UInt8](repeating: 0x7f, count: $0))
            },
            Shape("messages", Mesos.Slave.ContainerLaunchInfo.self, 2000) {
                HostileShape.times($0, [0x8a, 0x01, 0x02, 0x0a, 0x00])
            },
        ]
    }

    /// Of a decode and, if it is accepted, an encode.
    private static func seconds(_ type: any Message.Type, _ bytes: [UInt8]) -> Double {
        (0..<5).map { _ in
            let start = now()
            if let message = try? type.init(decoding: bytes) { _ = try? message.encoded() }
            return now() - start
        }.min() ?? 0
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
