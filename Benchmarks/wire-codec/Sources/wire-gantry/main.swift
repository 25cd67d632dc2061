// SPDX-License-Identifier: Apache-2.0
import Peer
import Wire

func measure<M: Message>(
    _ type: M.Type, _ operation: Operation, _ bytes: [UInt8], _ count: Int, read: (M) -> UInt64
) throws -> UInt64 {
    var sum: UInt64 = 0
    let value = try M(decoding: bytes)
    for _ in 0..<count {
        switch operation {
        case .decode: sum &+= try withExtendedLifetime(M(decoding: bytes)) { _ in 1 }
        case .decodeRead: sum &+= try read(M(decoding: bytes))
        case .encode: sum &+= size(try value.encoded())
        case .roundTrip: sum &+= size(try M(decoding: bytes).encoded())
        }
    }
    return sum
}

func size(_ bytes: [UInt8]) -> UInt64 { UInt64(bytes.count) + UInt64(bytes.last ?? 0) }

try serve { operation, message, bytes, count in
    switch message {
    case "container-id": try measure(Mesos.ContainerID.self, operation, bytes, count) { read($0) }
    case "launch-info": try measure(Mesos.Slave.ContainerLaunchInfo.self, operation, bytes, count) { read($0) }
    case "statistics": try measure(Mesos.ResourceStatistics.self, operation, bytes, count) { read($0) }
    default: try measure(Mesos.Slave.ContainerConfig.self, operation, bytes, count) { read($0) }
    }
}
