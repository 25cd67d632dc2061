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
        var ours = Samples()
        var theirs = Samples()
        let clock = ContinuousClock()
        let processorBefore = (try gantry.processorTime(), Crun.processorTime())
        for number in warmUps..<warmUps + count {
            ours.add(try await clock.measure { try await gantry.once(number) })
            theirs.add(try clock.measure { try crun.once() })
        }
        let processor = (
            (try gantry.processorTime() - processorBefore.0) / Double(count),
            (Crun.processorTime() - processorBefore.1) / Double(count)
        )
        print("metric\tgantry\tpeer\tpeer's figure\tratio\tunit")
        report("start p50", ours.quantile(0.5), peer, theirs.quantile(0.5))
        report("start p99", ours.quantile(0.99), peer, theirs.quantile(0.99))
        report("start processor time", processor.0, peer, processor.1)
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
