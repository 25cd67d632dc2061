// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RPC

extension RouteTable {
    fileprivate func find(_ service: String, _ method: String) -> String? {
        var (service, method) = (service, method)
        return service.withUTF8 { service in
            method.withUTF8 { method in
                find(UnsafeRawBufferPointer(service), UnsafeRawBufferPointer(method)).map { "\($0.service)/\($0.name)" }
            }
        }
    }

    fileprivate func unknown(_ service: [UInt8], _ method: [UInt8]) -> RPCError {
        service.withUnsafeBytes { service in method.withUnsafeBytes { unknown(service, $0) } }
    }
}

@Suite struct RouteTableTests {
    private func table(_ count: Int) -> RouteTable {
        var router = Router()
        for number in 0..<count {
            router.unary(
                service: "pkg.Service\(number % 3)", method: "Method\(number)", decode: Bytes.decode,
                handle: { request, _ in request }, encode: Bytes.encode)
        }
        return RouteTable(router)
    }

    @Test func everyMethodIsFoundAndNoOther() {
        let table = table(100)
        for number in 0..<100 {
            #expect(
                table.find("pkg.Service\(number % 3)", "Method\(number)") == "pkg.Service\(number % 3)/Method\(number)")
            #expect(table.find("pkg.Service\((number + 1) % 3)", "Method\(number)") == nil)
        }
        #expect(table.find("", "") == nil)
        #expect(table.find("pkg.Service0/", "Method0") == nil)
        #expect(self.table(0).find("a", "b") == nil)
    }

    @Test func whatIsUnknownIsNamed() {
        let table = table(3)
        #expect(table.unknown(Array("nope".utf8), Array("M".utf8)) == RPCError(.unimplemented, "service nope"))
        #expect(table.unknown(Array("pkg.Service1".utf8), Array("M".utf8)) == RPCError(.unimplemented, "method M"))
        #expect(table.unknown([0xff], []).code == .invalidArgument)
        #expect(table.unknown(Array(repeating: 0x61, count: 4 << 20), []).message.utf8.count < 300)
    }

    @Test func aLaterRegistrationTakesThePlaceOfTheEarlier() {
        var router = Router()
        for shape in 0..<2 {
            if shape == 0 {
                router.unary(
                    service: "s", method: "m", decode: Bytes.decode, handle: { request, _ in request },
                    encode: Bytes.encode)
            } else {
                router.serverStream(
                    service: "s", method: "m", decode: Bytes.decode, handle: { (_, _: ResponseStream<Bytes>, _) in },
                    encode: Bytes.encode)
            }
        }
        #expect(router.methodNames == ["s/m"])
        #expect(router.methods.first?.shape == .serverStream)
    }
}
