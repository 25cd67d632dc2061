// SPDX-License-Identifier: Apache-2.0

/// A router's methods by the bytes of their names, so that a call costs no string.
struct RouteTable {
    private let methods: [Router.Method]
    private let services: Set<String>
    /// Indices into `methods`, open addressing; -1 is free. A power of two, at most half full.
    private var slots: [Int]
    private let longestName: Int

    init(_ router: Router) {
        methods = router.methods
        services = Set(methods.map(\.service))
        longestName = methods.map { $0.service.utf8.count + $0.name.utf8.count }.max() ?? 0
        var capacity = 16
        while capacity < methods.count * 2 { capacity *= 2 }
        slots = Array(repeating: -1, count: capacity)
        for (index, method) in methods.enumerated() {
            var slot = Self.hash(method.service.utf8, method.name.utf8) & (capacity - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (capacity - 1) }
            slots[slot] = index
        }
    }

    func find(_ service: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer) -> Router.Method? {
        // Hashing a name of megabytes would be the caller's way to keep us busy.
        guard service.count + method.count <= longestName else { return nil }
        var slot = Self.hash(service, method) & (slots.count - 1)
        while slots[slot] >= 0 {
            let candidate = methods[slots[slot]]
            if candidate.service.utf8.elementsEqual(service), candidate.name.utf8.elementsEqual(method) {
                return candidate
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
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

    /// FNV-1a.
    private static func hash(_ service: some Sequence<UInt8>, _ method: some Sequence<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in service { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0x2f) &* 0x100_0000_01b3
        for byte in method { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
