// SPDX-License-Identifier: Apache-2.0

/// One block of memory that whoever needs it takes for a turn of the loop and gives back. It belongs to one thread.
package final class SpareBlock {
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var isTaken = false

    init() {}

    deinit {
        memory.deallocate()
    }

    /// nil: somebody has it, or it is too small.
    package func take(_ size: Int) -> UnsafeMutableRawBufferPointer? {
        if isTaken || size > memory.count { return nil }
        isTaken = true
        return memory
    }

    package func giveBack() {
        isTaken = false
    }
}
