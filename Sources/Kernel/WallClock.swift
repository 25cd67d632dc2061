// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// The time of day (clock_gettime(2), CLOCK_REALTIME).
public enum WallClock {
    /// Nanoseconds since 1970 in universal time.
    public static var unixNanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
