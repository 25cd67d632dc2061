// SPDX-License-Identifier: Apache-2.0

import Glibc

enum MachineMemory {
    /// Bytes of RAM (sysconf(3)).
    static func total() -> UInt64 {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let size = sysconf(Int32(_SC_PAGESIZE))
        return UInt64(max(0, pages)) &* UInt64(max(0, size))
    }
}

enum WallClock {
    /// Seconds since 1970.
    static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
