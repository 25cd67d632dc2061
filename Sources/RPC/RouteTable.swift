// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A router's methods by the bytes of their names, so that a call costs no string.
struct RouteTable {
    private struct Name {
        var service: [UInt8]
        var method: [UInt8]
    }

    private let methods: [Router.Method]
    /// Of the method with the same index.
    private let names: [Name]
    private let services: Set<String>
    /// Indices into `methods`, open addressing; -1 is free. A power of two, at most half full.
    private var slots: [Int]
    private let longestName: Int

    init(_ router: Router) {
        var methods = router.methods
        for index in methods.indices { methods[index].index = index }
        self.methods = methods
        names = methods.map { Name(service: Array($0.service.utf8), method: Array($0.name.utf8)) }
        services = Set(methods.map(\.service))
        longestName = names.map { $0.service.count + $0.method.count }.max() ?? 0
        var capacity = 16
        while capacity < methods.count * 2 { capacity *= 2 }
        slots = Array(repeating: -1, count: capacity)
        for (index, name) in names.enumerated() {
            var slot = name.method.withUnsafeBytes { Self.hash(name.service.count, $0) } & (capacity - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (capacity - 1) }
            slots[slot] = index
        }
    }

    func find(_ service: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer) -> Router.Method? {
        // Hashing a name of megabytes would be the caller's way to keep us busy.
        guard service.count + method.count <= longestName else { return nil }
        var slot = Self.hash(service.count, method) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = slots[slot]
            if Self.equal(names[index].method, method), Self.equal(names[index].service, service) {
                return methods[index]
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private static func equal(_ name: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard name.count == bytes.count, let start = bytes.baseAddress else { return name.isEmpty && bytes.isEmpty }
        return name.withUnsafeBytes { $0.baseAddress.map { memcmp($0, start, bytes.count) == 0 } ?? true }
    }

    /// What the caller of an unknown method is told.
    func unknown(_ service: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer) -> RPCError {
        guard let serviceName = String(validating: service, as: UTF8.self),
            let methodName = String(validating: method, as: UTF8.self)
        else { return RPCError(.invalidArgument, "the request does not decode: a name is not UTF-8") }
        let isKnown = services.contains(serviceName)
        return RPCError(
            .unimplemented, isKnown ? "method \(methodName.prefix(256))" : "service \(serviceName.prefix(256))")
    }

    /// FNV-1a of the method; of the service only the length, since services share few names of methods.
    private static func hash(_ service: Int, _ method: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(service)
        for byte in method { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
