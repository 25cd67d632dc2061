// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

/// Kinds of fields that few messages have.
@Suite struct ShapeTests {
    @Test func packedFields() throws {
        let usage = Io.Containerd.Cgroups.V1.CPUUsage(total: 1, perCpu: [1, 300, 0])
        let bytes: [UInt8] = [0x08, 0x01, 0x22, 0x04, 0x01, 0xac, 0x02, 0x00]
        #expect(try usage.encoded() == bytes)
        #expect(try Io.Containerd.Cgroups.V1.CPUUsage(decoding: bytes) == usage)
        // One by one, as older writers have them.
        #expect(try Io.Containerd.Cgroups.V1.CPUUsage(decoding: [0x20, 0x07]).perCpu == [7])
    }

    @Test func optionalFieldsOfProto3() throws {
        typealias Params = Containerd.Runtime.Bootstrap.V1.BootstrapParams
        #expect(try Params().encoded().isEmpty)
        #expect(try Params(socketDir: "").encoded() == [0x4a, 0x00])
        #expect(try Params(decoding: [0x4a, 0x00]).socketDir == "")
        #expect(try Params(decoding: []).socketDir == nil)
        #expect(try Params(json: #"{"socket_dir":""}"#).socketDir == "")
        #expect(try Params(socketDir: "/s").json() == #"{"socket_dir":"/s"}"#)
    }

    @Test func negativeValuesOfEnums() throws {
        typealias Params = Containerd.Runtime.Bootstrap.V1.BootstrapParams
        let params = Params(logLevel: .trace)
        #expect(params.logLevel.rawValue == -8)
        #expect(try Params(decoding: params.encoded()) == params)
        #expect(try params.json() == #"{"log_level":"LOG_LEVEL_TRACE"}"#)
    }

    @Test func oneofsCalledType() throws {
        let capability = Csi.V1.NodeServiceCapability(type: .rpc(.init(type: .stageUnstageVolume)))
        #expect(try Csi.V1.NodeServiceCapability(decoding: capability.encoded()) == capability)
        #expect("\(capability)" == "rpc { type: STAGE_UNSTAGE_VOLUME }")
    }

    /// Nested changes are made in place: what is there already is neither copied nor visited. Every message of a chain
    /// keeps its place in memory while the innermost one grows.
    @Test func nestedChangesDoNotMoveWhatContainsThem() {
        var config = Mesos.Slave.ContainerConfig(directory: "/", commandInfo: Mesos.CommandInfo())
        config.taskInfo = Mesos.TaskInfo(
            name: "t", taskID: Mesos.TaskID(value: "t"), slaveID: Mesos.SlaveID(value: "s"),
            executor: Mesos.ExecutorInfo(executorID: Mesos.ExecutorID(value: "e")))
        config.taskInfo?.executor?.container = Mesos.ContainerInfo(type: .mesos)
        config.taskInfo?.executor?.container?.volumes.reserveCapacity(10_000)
        let place = address(&config)
        var moves = 0
        for index in 0..<10_000 {
            config.taskInfo?.executor?.container?.volumes.append(Mesos.Volume(containerPath: "/\(index)", mode: .rw))
            if address(&config) != place { moves += 1 }
        }
        #expect(moves == 0)
        #expect(config.taskInfo?.executor?.container?.volumes.count == 10_000)
    }

    /// Of the array that grows: a copy of anything around it would copy it, too.
    private func address(_ config: inout Mesos.Slave.ContainerConfig) -> UInt? {
        config.taskInfo?.executor?.container?.volumes.withUnsafeMutableBufferPointer {
            UInt(bitPattern: $0.baseAddress)
        }
    }

    /// An array that is copied on each append costs a square; one that is not allocates a logarithm of times.
    @Test func growthIsLinear() {
        var id = Mesos.Environment()
        var config = Mesos.Slave.ContainerConfig(directory: "/", commandInfo: Mesos.CommandInfo(environment: id))
        var moves = 0
        var place: UInt?
        for _ in 0..<20_000 {
            config.commandInfo.environment?.variables.append(Mesos.Environment.Variable(name: "a"))
            let now = config.commandInfo.environment?.variables.withUnsafeMutableBufferPointer {
                UInt(bitPattern: $0.baseAddress)
            }
            if now != place { moves += 1 }
            place = now
        }
        id = config.commandInfo.environment ?? id
        #expect(id.variables.count == 20_000)
        #expect(moves < 32)
    }
}
