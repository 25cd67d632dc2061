// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc

/// bench-start HOST DAEMON-PID DIRECTORY PEER COUNT: COUNT containers of each contestant, in turn, and one line for each
/// metric. DIRECTORY holds crun's bundle; the image `bench` has been imported.
@main
struct BenchStart {
    /// Not counted: caches fill, lazily made things are made.
    static let warmUps = 10

    static func main() async {
        do {
            let words = CommandLine.arguments
            guard words.count == 6, let host = HostAddress(words[1]), let daemon = Int32(words[2]),
                let count = Int(words[5]), count > 0
            else {
                throw BenchError("usage: bench-start HOST DAEMON-PID DIRECTORY PEER COUNT")
            }
            let crun = Crun(path: "/usr/bin/crun", bundle: words[3] + "/bundle", state: words[3] + "/crun")
            try await run(
                GantryContestant(client: GantryClient(host: host), daemon: daemon), crun, peer: words[4], count: count)
        } catch {
            let line = Array("bench-start: \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(1)
        }
    }

    private static func run(_ gantry: GantryContestant, _ crun: Crun, peer: String, count: Int) async throws {
        for number in 0..<warmUps {
            try await gantry.once(number)
            try crun.once()
        }
        let processorBefore = (try gantry.processorTime(), Crun.processorTime())
        let apart = try await compare(gantry, crun, count, apart: true)
        let processor = (
            (try gantry.processorTime() - processorBefore.0) / Double(count),
            (Crun.processorTime() - processorBefore.1) / Double(count)
        )
        let together = try await compare(gantry, crun, count, apart: false)
        print("metric\tgantry\tpeer\tpeer's figure\tratio\tunit")
        report("start p50", apart.ours.quantile(0.5), peer, apart.theirs.quantile(0.5))
        report("start p99", apart.ours.quantile(0.99), peer, apart.theirs.quantile(0.99))
        report("start processor time", processor.0, peer, processor.1)
        report("start without a pause p50", together.ours.quantile(0.5), peer, together.theirs.quantile(0.5))
        report("start without a pause p99", together.ours.quantile(0.99), peer, together.theirs.quantile(0.99))
    }

    private static func compare(
        _ gantry: GantryContestant, _ crun: Crun, _ count: Int, apart: Bool
    ) async throws -> (ours: Samples, theirs: Samples) {
        let clock = ContinuousClock()
        var (ours, theirs) = (Samples(), Samples())
        for number in 0..<count {
            if apart { pause() }
            ours.add(try await clock.measure { try await gantry.once(number) })
            if apart { pause() }
            theirs.add(try clock.measure { try crun.once() })
        }
        return (ours, theirs)
    }

    /// With a pause, what a contestant puts off (Gantry its housekeeping, the kernel the end of crun's namespaces) is not
    /// charged to the other one. Without one, each start also profits from the one before: the kernel moves a process
    /// into a cgroup at once if another was moved some milliseconds ago, and makes it wait for an RCU grace period if
    /// not (cgroup_threadgroup_rwsem); crun moves its containers, Gantry's are born where they belong.
    ///
    /// The processor is kept busy: one that has slept is slow for a while, on both sides.
    private static func pause() {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(20)
        while clock.now < end {}
    }

    /// The ratio says how many times the peer's figure is ours.
    private static func report(_ metric: String, _ own: Double, _ peer: String, _ other: Double) {
        let ratio = own > 0 ? other / own : 0
        print("\(metric)\t\(fixed(own))\t\(peer)\t\(fixed(other))\t\(fixed(ratio))\tms")
    }

    private static func fixed(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
