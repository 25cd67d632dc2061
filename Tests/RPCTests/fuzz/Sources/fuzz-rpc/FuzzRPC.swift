// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

@testable import RPC
@testable import Reactor

// libFuzzer's input goes through the frame decoder twice, whole and cut into pieces, which has to give the same frames;
// and into a connection of a real server, which has to answer the next client.

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    let whole = decode(input, pieces: [count])
    // The first bytes say how the rest is cut.
    let cuts = input.prefix(8).map { Int($0) + 1 }
    if decode(input, pieces: cuts + [count]) != whole { fatalError("the cut changes the frames") }
    Target.shared.attack(input)
    return 0
}

/// SwiftPM makes a program's `main` an alias of this name, in place of libFuzzer's own.
@_cdecl("fuzz_rpc_main")
public func fuzzMain(_ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var (count, words) = (count, words)
    return runDriver(&count, &words, testOneInput)
}

/// libFuzzer as a library (compiler-rt, FuzzerInterface.h).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Every frame as text: header, length and sum of its data; and what each envelope in it is.
private func decode(_ input: UnsafeRawBufferPointer, pieces: [Int]) -> [String] {
    var decoder = FrameDecoder()
    var (found, start) = ([String](), 0)
    for piece in pieces {
        let end = min(input.count, start + piece)
        let part = UnsafeRawBufferPointer(rebasing: input[start..<end])
        var offset = 0
        while let event = decoder.next(part, &offset) {
            switch event {
            case .oversized(let header): found.append("oversized \(header)")
            case .frame(let header, let data):
                let sum = data.reduce(0) { $0 &* 31 &+ Int($1) }
                let request = (try? RequestEnvelope(decoding: data)).map { "\($0.metadata) \($0.timeoutNanoseconds)" }
                let response = try? ResponseEnvelope(decoding: data)
                found.append("\(header) \(sum) \(request ?? "-") \(response == nil)")
            }
        }
        start = end
    }
    return found
}

/// A server with a method of each shape, on a socket of its own.
private final class Target: Sendable {
    static let shared = Target()

    private let path = "/tmp/gantry-fuzz-rpc-\(getpid()).sock"
    private let reactor: Reactor
    private let server: Server

    private init() {
        guard let reactor = try? Reactor(name: "fuzz") else { fatalError("no reactor") }
        self.reactor = reactor
        var router = Router()
        let decode: @Sendable (UnsafeRawBufferPointer) throws -> [UInt8] = { [UInt8]($0) }
        let encode: @Sendable ([UInt8]) throws -> [UInt8] = { $0 }
        router.immediate(service: "t.E", method: "N", decode: decode, handle: { value, _ in value }, encode: encode)
        router.unary(service: "t.E", method: "U", decode: decode, handle: { value, _ in value }, encode: encode)
        router.bidirectionalStream(
            service: "t.E", method: "B", decode: decode,
            handle: { requests, responses, _ in
                while let request = try await requests.next() { try await responses.send(request) }
            }, encode: encode)
        server = Server(reactor: reactor, router: router)
        do {
            try reactor.start()
            try server.listen(unixSocket: path)
        } catch {
            fatalError("\(error)")
        }
    }

    private func connect() -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, size) }
        }
        if result < 0 { fatalError("connect: \(errno)") }
        return socket
    }

    /// libFuzzer's clock interrupts system calls.
    private func receive(_ socket: Int32, _ block: inout [UInt8]) -> Int {
        while true {
            let count = read(socket, &block, block.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    /// Sends the bytes and reads what comes until the server closes, then makes a proper call.
    func attack(_ input: UnsafeRawBufferPointer) {
        var block = [UInt8](repeating: 0, count: 64 << 10)
        let victim = connect()
        _ = send(victim, input.baseAddress, input.count, Int32(MSG_NOSIGNAL))
        shutdown(victim, Int32(SHUT_WR))
        while receive(victim, &block) > 0 {}
        close(victim)

        let witness = connect()
        let call: [UInt8] = [0, 0, 0, 8, 0, 0, 0, 1, 1, 0, 0x0a, 3] + Array("t.E".utf8) + [0x12, 1] + Array("N".utf8)
        _ = send(witness, call, call.count, Int32(MSG_NOSIGNAL))
        let count = receive(witness, &block)
        if count < 10 || block[8] != 2 {
            fatalError("the server does not answer: \(count) bytes, errno \(errno), \(block.prefix(max(count, 0)))")
        }
        close(witness)
    }
}
