// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A number with a fixed count of decimals: `fixed(1.25, 1)` is `1.3`. Not-a-number and infinities are `-`.
func fixed(_ value: Double, _ decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (value * scale).rounded(.toNearestOrAwayFromZero)
    guard let whole = Int64(exactly: scaled) else { return "-" }
    if decimals == 0 { return String(whole) }
    let digits = String(whole.magnitude)
    let padded = String(repeating: "0", count: max(decimals + 1 - digits.count, 0)) + digits
    return (whole < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

/// `17 B`, `1.5 KiB`, `32.0 MiB`
func byteText(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = "B"
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB"] where value >= 1024 {
        value /= 1024
        unit = larger
    }
    return fixed(value, unit == "B" ? 0 : 1) + " " + unit
}

/// The time between two moments of Unix time in nanoseconds, in its largest unit: `42s`, `7m`, `3h`, `12d`.
func ageText(since start: Int64, now: Int64) -> String {
    if start <= 0 { return "" }
    let (elapsed, overflow) = now.subtractingReportingOverflow(start)
    let seconds = overflow ? 0 : max(elapsed / 1_000_000_000, 0)
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return "\(seconds / 60)m"
    case ..<86400: return "\(seconds / 3600)h"
    default: return "\(seconds / 86400)d"
    }
}

/// `1.3 ms`, `42 us`, `2.0 s`
func durationText(nanoseconds: Int64) -> String {
    switch nanoseconds {
    case ..<1_000_000: "\(nanoseconds / 1_000) us"
    case ..<1_000_000_000: fixed(Double(nanoseconds) / 1e6, 1) + " ms"
    default: fixed(Double(nanoseconds) / 1e9, 1) + " s"
    }
}

/// `2026-11-24 09:30:00Z`; empty for 0, which is "not known" on the wire.
func timeText(unixNanoseconds: Int64) -> String {
    if unixNanoseconds == 0 { return "" }
    var seconds = time_t(unixNanoseconds / 1_000_000_000)
    var parts = tm()
    guard gmtime_r(&seconds, &parts) != nil else { return "" }
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
}

/// Unix time now, in nanoseconds.
func unixNanosecondsNow() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
