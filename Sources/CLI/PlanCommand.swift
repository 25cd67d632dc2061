// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Client
internal import Glibc
internal import Services
internal import Wire

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a container's first process would be told, and who asks for it.",
        discussion: """
            The file holds a launch request as JSON, as 'gantry call Containerizer/Launch' takes it; '-' is standard \
            input. Without a container_id a random one is taken. The container is prepared and taken down again; \
            nothing is launched.

            Examples:
              gantry plan web.json
              gantry plan -o json - <web.json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var format: OutputOptions

    @Argument(help: "The file with the request; '-' for standard input.")
    var file: String

    func run() async throws {
        let request = try request()
        let plan = try await connection.withClient { client in try await client.system.plan(request) }
        try format.print(table: Self.table(plan), json: try plan.json(.indented))
    }

    private func request() throws -> Gantry.V1.PlanRequest {
        let text = try Self.text(of: file)
        let launch: Gantry.V1.LaunchRequest
        do {
            launch = try Gantry.V1.LaunchRequest(json: text)
        } catch {
            throw Failure(
                "\(file) is no launch request: \(refusal(error))",
                hint: "'gantry services Containerizer/Launch' shows its fields", exitCode: ExitStatus.data)
        }
        return Gantry.V1.PlanRequest(
            containerID: launch.containerID ?? ContainerName.random().id, containerConfig: launch.containerConfig,
            environment: launch.environment)
    }

    private static func text(of path: String) throws -> String {
        let isStandardInput = path == "-"
        let descriptor = isStandardInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw Failure("cannot open \(path): \(errnoText(errno))") }
        defer { if !isStandardInput { close(descriptor) } }
        var bytes: [UInt8] = []
        try readAll(descriptor, path) { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func table(_ plan: Gantry.V1.PlanResponse) -> String {
        var fields = Fields()
        fields.add("new namespaces", plan.newNamespaces.joined(separator: " "))
        fields.add("parent's namespaces", plan.enteredNamespaces.joined(separator: " "))
        for cgroup in plan.cgroups { fields.add("cgroup", cgroup) }
        var table = Table([.init("STEP"), .init("ASKED BY"), .init("WHAT")])
        for step in plan.steps { table.add([step.name, step.origin, singleLine(step.text)]) }
        return fields.rendered() + "\n" + table.rendered()
    }
}
