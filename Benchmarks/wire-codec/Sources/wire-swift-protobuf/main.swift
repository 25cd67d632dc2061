// SPDX-License-Identifier: Apache-2.0
import Peer
import SwiftProtobuf

func measure<M: Message>(
    _ type: M.Type, _ operation: Operation, _ bytes: [UInt8], _ count: Int, read: (M) -> UInt64
) throws -> UInt64 {
    var sum: UInt64 = 0
    let value = try M(serializedBytes: bytes)
    for _ in 0..<count {
        switch operation {
        case .decode: sum &+= try withExtendedLifetime(M(serializedBytes: bytes)) { _ in 1 }
        case .decodeRead: sum &+= try read(M(serializedBytes: bytes))
        case .encode: sum &+= size(try value.serializedBytes())
        case .roundTrip: sum &+= size(try M(serializedBytes: bytes).serializedBytes())
        }
    }
    return sum
}

func size(_ bytes: [UInt8]) -> UInt64 { UInt64(bytes.count) + UInt64(bytes.last ?? 0) }

try serve { operation, message, bytes, count in
    switch message {
    case "container-id": try measure(Mesos_ContainerID.self, operation, bytes, count) { read($0) }
    case "launch-info": try measure(Mesos_Slave_ContainerLaunchInfo.self, operation, bytes, count) { read($0) }
    case "statistics": try measure(Mesos_ResourceStatistics.self, operation, bytes, count) { read($0) }
    default: try measure(Mesos_Slave_ContainerConfig.self, operation, bytes, count) { read($0) }
    }
}
