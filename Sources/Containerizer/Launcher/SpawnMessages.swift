// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import SystemPackage

/// What gantryd asks the spawner and what it answers; the layout is Sources/GantryInit/request.h's, little-endian and
/// packed (docs/protocol.md).
struct SpawnRequest {
    var namespaces: UInt64
    /// Namespaces of a process whose pidfd is among the descriptors.
    var enters: UInt64 = 0
    var hasCgroup = false
    var takesStage = false
    var tasks = 0
    /// With a number, no container: the recipe of stages is attached with its eventfd, and so many shall wait.
    var stages: UInt32?

    static let version: UInt32 = 3

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: flags)
        bytes.append(littleEndian: namespaces)
        bytes.append(littleEndian: enters)
        bytes.append(littleEndian: UInt32(tasks))
        bytes.append(littleEndian: stages ?? 0)
        return bytes
    }

    private var flags: UInt32 {
        (hasCgroup ? 1 : 0) | (enters != 0 ? 2 : 0) | (takesStage ? 4 : 0) | (stages == nil ? 0 : 8)
    }
}

struct SpawnAnswer: Hashable {
    static let size = 20

    var pid: Int32
    /// Another child of ours that has ended already and is to be reaped; 0 for none.
    var helper: Int32

    /// - Throws: what went wrong in the spawner, by its own step.
    init(_ bytes: [UInt8]) throws(ContainerError) {
        guard bytes.count == Self.size, UInt32(littleEndian: bytes, at: 0) == SpawnRequest.version else {
            throw ContainerError(
                .internal, code: "spawner.bad-answer", "the spawner sent \(bytes.count) bytes that are no answer",
                step: "fork", subject: "gantry-init", hint: "gantryd and gantry-init must come from the same build")
        }
        pid = Int32(bitPattern: UInt32(littleEndian: bytes, at: 4))
        helper = Int32(bitPattern: UInt32(littleEndian: bytes, at: 16))
        let number = Int32(bitPattern: UInt32(littleEndian: bytes, at: 8))
        guard number != 0 else { return }
        let step = UInt32(littleEndian: bytes, at: 12)
        let operation = ["", "spawn request", "setns", "clone3", "sending the pidfd", "making a stage"]
        let name = step < operation.count ? operation[Int(step)] : "step \(step)"
        var error = ContainerError(SystemError(name, "gantry-init", Errno(rawValue: number)), step: "fork")
        error.code = "fork.\(step == 3 ? "clone" : step == 5 ? "stage" : "failed")"
        if error.hint.isEmpty {
            error.hint =
                number == Errno.noMemory.rawValue || number == Errno.resourceTemporarilyUnavailable.rawValue
                ? "the machine is out of memory, processes (kernel.pid_max) or namespaces (user.max_*_namespaces)"
                : "this kernel may lack a namespace that --isolation names"
        }
        throw error
    }
}

extension [UInt8] {
    mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}

extension UInt32 {
    /// The four bytes at `offset`, which the caller has checked to be there.
    init(littleEndian bytes: [UInt8], at offset: Int) {
        self = (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
}
