// SPDX-License-Identifier: Apache-2.0
import Wire

// A libFuzzer target; scripts/fuzz-wire builds and runs it. The first byte of an input chooses the message, the others
// are to be decoded. Whatever is accepted has to be stable: encoded, decoded and encoded again it gives the same bytes,
// and so it does by way of JSON. With -DORACLE protobuf's C++ library and swift-protobuf have to
// agree.

private let roots: [any Message.Type] = [
    Mesos.Slave.ContainerConfig.self, Mesos.Slave.ContainerLaunchInfo.self, Mesos.Agent.Response.self,
    Gantry.V1.LaunchRequest.self, Oci.Spec.Image.V1.Configuration.self,
]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 0 else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let type = roots[Int(data[0]) % roots.count]
    check(type, bytes)
    return 0
}

private func check<M: Message>(_ type: M.Type, _ bytes: UnsafeRawBufferPointer) {
    let message: M
    // What the decoder in C says, which makes no value.
    let verdict = Result { try Encoded<M>(checking: Array(bytes)) }
    do throws(WireError) {
        message = try M(decoding: bytes)
        if case .failure(let refusal as WireError) = verdict, refusal.code != .memoryLimit {
            fail("the decoder in C refuses it: \(refusal)")
        }
    } catch {
        if case .success = verdict, error.code != .memoryLimit { fail("the decoder in C accepts it: \(error)") }
        let place = error.offset ?? (error.code == .memoryLimit ? 0 : -1)
        expect((0...bytes.count).contains(place), "a failure without a place: \(error)")
        compareRefusal(M.fullName, bytes, error)
        return
    }
    // Whatever the limit is, there is an error or the same message.
    if let limited = try? M(decoding: bytes, memoryLimit: 4 * bytes.count) {
        expect(limited == message, "another message with less memory")
    }
    expect(message.description.utf8.count >= 0, "no description")
    guard let encoded = try? message.encoded() else { return fail("decoded, but not encoded") }
    guard let again = try? M(decoding: encoded) else { return fail("encoded, but not decoded") }
    expect((try? again.encoded()) == encoded, "encoding is no fixed point")
    guard let json = try? message.json() else { return fail("no JSON") }
    let read: M
    do throws(WireError) {
        read = try M(json: json)
    } catch {
        return fail("JSON that cannot be read: \(error)\n\(json)")
    }
    expect((try? read.json()) == json, "JSON is no fixed point: \(json)")
    compare(type, bytes, encoded, json)
}

private func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
    if !condition { fail(text()) }
}

/// libFuzzer keeps the input of a process that ends so.
private func fail(_ text: String) {
    print(text)
    fatalError(text)
}

#if ORACLE
    private func compareRefusal(_ fullName: String, _ bytes: UnsafeRawBufferPointer, _ error: WireError) {
        // The two refusals that protobuf's C++ library has no reason for.
        guard error.code != .memoryLimit, error.code != .invalidUTF8 else { return }
        expect(reference(fullName, bytes, []) == .refused, "the C++ library accepts what is refused here: \(error)")
    }

    private func compare<M: Message>(
        _ type: M.Type, _ bytes: UnsafeRawBufferPointer, _ encoded: [UInt8], _ json: String
    ) {
        let reference = reference(M.fullName, bytes, encoded)
        expect(reference == .same, "the C++ library: \(reference); here it is \(json)")
        // swift-protobuf refuses some messages that it should not, such as those with padded lengths, and cuts undeclared
        // enum values to 32 bits: so by content.
        guard case .accepted(let other, let text) = judge(M.fullName, bytes) else { return }
        expect((try? M(decoding: other).json()) == json, "swift-protobuf encodes \(other)")
        guard let text else { return fail("swift-protobuf has no JSON for \(json)") }
        expect((try? M(json: text).json()) == json, "JSON: \(json)\nand \(text)")
    }
#else
    private func compareRefusal(_ fullName: String, _ bytes: UnsafeRawBufferPointer, _ error: WireError) {}

    private func compare<M: Message>(
        _ type: M.Type, _ bytes: UnsafeRawBufferPointer, _ encoded: [UInt8], _ json: String
    ) {}
#endif
