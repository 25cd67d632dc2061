// SPDX-License-Identifier: Apache-2.0
import Client
import Glibc

/// bench-start HOST DAEMON-PID COUNT [NAME PROGRAM ARGUMENT... --]...: COUNT containers of each contestant, in turn, and
/// one line for each metric and peer. The image `bench` has been imported.
@main
struct BenchStart {
    /// Not counted: caches fill, lazily made things are made.
    static let warmUps = 10

    static func main() async {
        do {
            let words = CommandLine.arguments
            guard words.count > 4, let host = HostAddress(words[1]), let daemon = Int32(words[2]),
                let count = Int(words[3]), count > 0
            else {
                throw BenchError("usage: bench-start HOST DAEMON-PID COUNT [NAME PROGRAM ARGUMENT... --]...")
            }
            let peers = words.dropFirst(4).split(separator: "--").map {
                Program($0[$0.startIndex], Array($0.dropFirst()))
            }
            try await run(GantryContestant(client: GantryClient(host: host), daemon: daemon), peers, count: count)
        } catch {
            let line = Array("bench-start: \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(1)
        }
    }

    private static func run(_ gantry: GantryContestant, _ peers: [Program], count: Int) async throws {
        var peers = peers
        _ = try await compare(gantry, &peers, warmUps, apart: false)
        let before = (try gantry.processorTime(), peers.map(\.processorTime))
        let apart = try await compare(gantry, &peers, count, apart: true)
        let own = (try gantry.processorTime() - before.0) / Double(count)
        let others = zip(peers, before.1).map { ($0.processorTime - $1) / Double(count) }
        let together = try await compare(gantry, &peers, count, apart: false)
        print("metric\tgantry\tpeer\tpeer's figure\tratio\tunit")
        for (index, peer) in peers.enumerated() {
            for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
                report("start \(name)", apart[0].quantile(part), peer, apart[index + 1].quantile(part))
            }
            report("start processor time", own, peer, others[index])
            for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
                report(
                    "start without a pause \(name)", together[0].quantile(part), peer,
                    together[index + 1].quantile(part))
            }
        }
    }

    /// The times of Gantry, then those of each peer.
    private static func compare(
        _ gantry: GantryContestant, _ peers: inout [Program], _ count: Int, apart: Bool
    ) async throws -> [Samples] {
        let clock = ContinuousClock()
        var samples = [Samples](repeating: Samples(), count: peers.count + 1)
        for number in 0..<count {
            if apart { pause() }
            samples[0].add(try await clock.measure { try await gantry.once(number) })
            for index in peers.indices {
                if apart { pause() }
                samples[index + 1].add(try clock.measure { try peers[index].once() })
            }
        }
        return samples
    }

    /// With a pause, what a contestant puts off (Gantry its housekeeping, the kernel the end of the others' namespaces) is
    /// not charged to the next one. Without one, each start also profits from the one before: the kernel moves a process
    /// into a cgroup at once if another was moved some milliseconds ago, and makes it wait for an RCU grace period if
    /// not (cgroup_threadgroup_rwsem); crun moves its containers, Gantry's are born where they belong.
    ///
    /// The processor is kept busy: one that has slept is slow for a while, on all sides.
    private static func pause() {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(20)
        while clock.now < end {}
    }

    /// The ratio says how many times the peer's figure is ours.
    private static func report(_ metric: String, _ own: Double, _ peer: Program, _ other: Double) {
        let ratio = own > 0 ? other / own : 0
        print("\(metric)\t\(fixed(own))\t\(peer.name)\t\(fixed(other))\t\(fixed(ratio))\tms")
    }

    private static func fixed(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
