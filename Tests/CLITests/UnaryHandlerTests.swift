// SPDX-License-Identifier: Apache-2.0
import Reactor
import Services
import TestSupport
import Testing
import Wire

@testable import RPC

/// The table of methods that generated code makes of a service.
@Suite struct UnaryHandlerTests {
    private func router(_ change: (inout SystemMethods) -> Void) -> Router {
        var router = Router()
        FakeSystem(FakeServices()).register(in: &router, change)
        return router
    }

    private func immediate(_ router: Router) -> [String] {
        router.methods.filter { $0.immediate != nil }.map(\.name)
    }

    @Test func methodsRunInTasksUnlessTheyAreChanged() {
        let plain = router { _ in }
        #expect(immediate(plain).isEmpty)
        #expect(plain.methodNames.contains("gantry.v1.System/Version"))
        let changed = router { $0.health = .immediate { _, _ in Gantry.V1.HealthResponse() } }
        #expect(immediate(changed) == ["Health"])
        #expect(changed.methodNames == plain.methodNames)
    }

    @Test func bothKindsAnswer() async throws {
        let router = router { $0.version = .immediate { _, _ in Gantry.V1.VersionResponse(version: "at once") } }
        let directory = try TemporaryDirectory()
        let reactor = try Reactor(name: "unary-handler")
        try reactor.start()
        defer {
            reactor.stop()
            reactor.join()
        }
        let server = Server(reactor: reactor, router: router)
        let path = "\(directory.path)/socket"
        try server.listen(unixSocket: path)
        let client = SystemClient(try await ClientConnection.connect(unixSocket: path, reactor: reactor))
        #expect(try await client.version(Gantry.V1.VersionRequest()).version == "at once")
        #expect(try await client.health(Gantry.V1.HealthRequest()).live)
        await server.shutdown()
    }
}
