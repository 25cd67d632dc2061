// SPDX-License-Identifier: Apache-2.0

import Core
import Testing
import Wire

@testable import Isolators

struct CgroupRequestTests {
    @Test func amountsOfOneNameAddUp() throws {
        let request = try CgroupRequest(
            requests: [
                .scalar("cpus", 0.5), .scalar("cpus", 1, revocable: true), .scalar("mem", 100), .scalar("disk", 9),
            ],
            limits: [:])
        #expect(request.cpus == 1.5)
        #expect(request.hasRevocableCPUs)
        #expect(request.memory == 100 << 20)
        #expect(request.hardMemoryLimit == 100 << 20)
        #expect(request.cpuLimit == nil)
        #expect(request.processLimit == nil)
    }

    @Test(
        arguments: [
            // Requested MB, limit MB, soft bytes, hard bytes.
            (64, nil, 64 << 20, 64 << 20),
            (1, nil, 32 << 20, 32 << 20),
            (64, 128, 64 << 20, 128 << 20),
            (64, 128.9, 64 << 20, 128 << 20),
            (16, 16, 32 << 20, 32 << 20),
            (64.5, nil, 67_633_152, 67_633_152),
            (64, .infinity, 64 << 20, .max),
            (64, 1e300, 64 << 20, .max),
        ] as [(Double, Double?, UInt64, UInt64)])
    func memoryInBytes(requested: Double, limit: Double?, soft: UInt64, hard: UInt64) throws {
        let request = try CgroupRequest(
            requests: [.scalar("mem", requested)], limits: .limits(limit.map { ["mem": $0] } ?? [:]))
        #expect(request.memory == soft)
        #expect(request.hardMemoryLimit == hard)
    }

    @Test func aProcessLimitIsALimitOrARequest() throws {
        let asRequest = try CgroupRequest(requests: [.scalar("pids", 64)], limits: [:])
        #expect(asRequest.processLimit == .amount(64))
        let both = try CgroupRequest(requests: [.scalar("pids", 64)], limits: .limits(["pids": .infinity]))
        #expect(both.processLimit == .unlimited)
    }

    @Test func nothingAskedForIsNothing() throws {
        let request = try CgroupRequest(requests: [], limits: [:])
        #expect(request.cpus == nil)
        #expect(request.memory == nil)
        #expect(request.hardMemoryLimit == nil)
    }

    @Test(arguments: [("cpus", Double.nan), ("cpus", -1), ("mem", .nan), ("mem", -64), ("pids", -1), ("pids", .nan)])
    func absurdAmountsAreRefused(name: String, amount: Double) {
        let error = #expect(throws: ContainerError.self) {
            try CgroupRequest(requests: [.scalar(name, amount)], limits: [:])
        }
        #expect(error?.kind == .invalidArgument)
        #expect(error?.code == "resources.invalid-\(name)")
    }

    @Test(
        arguments: [
            (0, 0), (0.999, 0), (1.999, 1), (-5, 0), (.nan, 0), (.infinity, .max), (1e20, .max),
            (18_446_744_073_709_549_568, 18_446_744_073_709_549_568),
        ] as [(Double, UInt64)])
    func truncation(value: Double, result: UInt64) {
        #expect(UInt64(truncating: value) == result)
    }
}
