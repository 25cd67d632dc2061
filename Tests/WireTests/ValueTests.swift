// SPDX-License-Identifier: Apache-2.0
import Testing
import Wire

/// What the generated values promise to those who use them.
@Suite struct ValueTests {
    @Test func copiesAreIndependent() {
        var first = Mesos.ContainerID(value: "c", parent: Mesos.ContainerID(value: "b"))
        let second = first
        first.parent?.value = "x"
        #expect(second.parent?.value == "b")
        #expect(first.parent?.value == "x")
        first.parent = nil
        #expect(second.parent != nil && first.parent == nil)
        first.parent?.value = "nothing is there to change"
        #expect(first == Mesos.ContainerID(value: "c"))
    }

    /// A boxed field is changed in place: doing it 100,000 times takes no time worth mentioning.
    @Test func nestedAppendsAreNotQuadratic() {
        var config = Mesos.Slave.ContainerConfig(directory: "/", commandInfo: Mesos.CommandInfo())
        config.containerInfo = Mesos.ContainerInfo(type: .mesos)
        for _ in 0..<100_000 {
            config.containerInfo?.volumes.append(Mesos.Volume(containerPath: "/v", mode: .rw))
            config.commandInfo.arguments.append("x")
        }
        #expect(config.containerInfo?.volumes.count == 100_000)
        #expect(config.commandInfo.arguments.count == 100_000)
    }

    @Test func presenceIsPartOfTheValue() throws {
        var command = Mesos.CommandInfo()
        #expect(command.shell == nil && command.shellOrDefault)
        #expect(try command.encoded().isEmpty)
        command.shell = true
        #expect(command != Mesos.CommandInfo())
        #expect(try command.encoded() == [0x30, 0x01])
        #expect(try Mesos.CommandInfo(decoding: command.encoded()) == command)
        command.shell = false
        #expect(!command.shellOrDefault)
        #expect(Mesos.Resource(name: "cpus", type: .scalar).roleOrDefault == "*")
    }

    @Test func equalityIsThatOfTheBytes() {
        let nan = Mesos.Value.Scalar(value: .nan)
        #expect(nan == nan && nan.hashValue == Mesos.Value.Scalar(value: .nan).hashValue)
        #expect(Mesos.Value.Scalar(value: 0) != Mesos.Value.Scalar(value: -0.0))
        #expect(Set([Mesos.ContainerID(value: "a"), Mesos.ContainerID(value: "a")]).count == 1)
        var known = Mesos.TTYInfo()
        known.unknownFields = [0x78, 0x01]
        #expect(known != Mesos.TTYInfo())
        let environment = ["a": "1", "b": "2"]
        #expect(
            Gantry.V1.LaunchRequest(environment: environment) == Gantry.V1.LaunchRequest(environment: environment))
    }

    @Test func enumNames() {
        #expect(Mesos.TaskState.taskFailed.rawValue == 3)
        #expect(Mesos.TaskState(name: "TASK_FAILED") == .taskFailed)
        #expect(Mesos.TaskState(name: "FAILED") == nil)
        #expect("\(Mesos.TaskStatus.Reason.containerLimitationMemory)" == "REASON_CONTAINER_LIMITATION_MEMORY")
        #expect("\(Mesos.TaskState(rawValue: 99))" == "99")
        #expect(Mesos.Slave.ContainerClass.debug.rawValue == 2)
        #expect(Mesos.NetworkInfo.ProtocolEnum.ipv4.rawValue == 1)
    }

    @Test func oneofs() throws {
        var operation = Mesos.Slave.ContainerFileOperation(operation: .mount)
        operation.parameters = .mount(Mesos.Slave.ContainerMountInfo(target: "/t"))
        let decoded = try Mesos.Slave.ContainerFileOperation(decoding: operation.encoded())
        guard case .mount(let mount) = decoded.parameters else {
            Issue.record("\(decoded)")
            return
        }
        #expect(mount.target == "/t")
    }

    @Test func unknownFieldsStayWhereTheyCame() throws {
        let bytes = try #require(GoldenCase["unknown_at_depths"]).bytes
        var config = try Mesos.Slave.ContainerConfig(decoding: bytes)
        #expect(!config.unknownFields.isEmpty)
        let copy = config
        config.directory = "/elsewhere"
        #expect(config.unknownFields == copy.unknownFields)
        #expect(try Mesos.Slave.ContainerConfig(decoding: config.encoded()) == config)
    }

    @Test func theRegistryKnowsThemAll() throws {
        #expect(MessageRegistry.names == MessageRegistry.names.sorted())
        #expect(MessageRegistry.type(named: "mesos.ContainerID") == Mesos.ContainerID.self)
        #expect(MessageRegistry.type(named: "mesos.Nothing") == nil)
        #expect(MessageRegistry.type(named: "docker.spec.v1.ImageManifest.Config.LabelsEntry") == nil)
    }

    @Test func errorsSayWhere() throws {
        let uris = [Mesos.CommandInfo.URI(value: "a"), Mesos.CommandInfo.URI(value: "bc")]
        let config = Mesos.Slave.ContainerConfig(directory: "/d", commandInfo: Mesos.CommandInfo(uris: uris))
        var bytes = try Gantry.V1.LaunchRequest(containerConfig: config).encoded()
        let found = bytes.indices.first { Array(bytes[$0...].prefix(2)) == [0x62, 0x63] }
        let at = try #require(found)
        bytes[at + 1] = 0xff
        let error = #expect(throws: WireError.self) { try Gantry.V1.LaunchRequest(decoding: bytes) }
        #expect(error?.code == .invalidUTF8)
        #expect(error?.offset == at + 1)
        #expect(error?.path == "container_config.command_info.uris[1].value")
        #expect(
            error?.description
                == "invalid UTF-8 at byte \(at + 1) of gantry.v1.LaunchRequest, field "
                + "container_config.command_info.uris[1].value")
    }
}
