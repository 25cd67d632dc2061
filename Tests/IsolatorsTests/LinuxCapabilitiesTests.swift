// SPDX-License-Identifier: Apache-2.0

import Core
import Kernel
import Testing
import Wire

@testable import Isolators

struct LinuxCapabilitiesTests {
    private static let chown = CapabilitySet(numbers: [0])
    private static let raw = CapabilitySet(numbers: [13])
    private static let both = CapabilitySet(numbers: [0, 13])

    struct Case: Sendable {
        var effective: CapabilitySet?
        var deprecated: CapabilitySet?
        var bounding: CapabilitySet?
        var effectiveFlag: CapabilitySet?
        var boundingFlag: CapabilitySet?
        var result: [CapabilitySet?]
    }

    @Test(arguments: [
        Case(result: [.containerDefault, .containerDefault]),
        Case(effective: chown, result: [chown, chown]),
        Case(deprecated: chown, result: [chown, chown]),
        // Empty drops all; it is not the same as unset.
        Case(effective: [], result: [[], []]),
        Case(effective: chown, bounding: both, result: [chown, both]),
        Case(bounding: chown, result: [nil, chown]),
        Case(effectiveFlag: chown, result: [chown, chown]),
        Case(effective: raw, effectiveFlag: chown, result: [raw, raw]),
        Case(boundingFlag: both, result: [nil, both]),
        Case(effective: chown, boundingFlag: both, result: [chown, both]),
        Case(effective: chown, bounding: chown, boundingFlag: both, result: [chown, chown]),
        Case(effectiveFlag: chown, boundingFlag: both, result: [chown, both]),
    ])
    func decisions(example: Case) throws {
        let isolator = try LinuxCapabilities(effective: example.effectiveFlag, bounding: example.boundingFlag)
        let sets = try isolator.decide(info(example))
        #expect([sets.effective, sets.bounding] == example.result)
    }

    @Test(arguments: [
        Case(effective: both, bounding: chown, result: []),
        Case(bounding: both, boundingFlag: chown, result: []),
        Case(effective: raw, boundingFlag: chown, result: []),
        Case(bounding: raw, effectiveFlag: chown, result: []),
    ])
    func whatIsNotAllowed(example: Case) throws {
        let isolator = try LinuxCapabilities(effective: example.effectiveFlag, bounding: example.boundingFlag)
        let error = #expect(throws: ContainerError.self) { try isolator.decide(info(example)) }
        #expect(error?.code == "capabilities.not-allowed")
        #expect(error?.kind == .permissionDenied)
    }

    @Test func bothNamesOfOneField() throws {
        let isolator = try LinuxCapabilities(effective: nil, bounding: nil)
        let error = #expect(throws: ContainerError.self) {
            try isolator.decide(info(Case(effective: Self.chown, deprecated: Self.chown, result: [])))
        }
        #expect(error?.code == "capabilities.both")
        #expect(error?.kind == .invalidArgument)
    }

    @Test func flagsThatContradictEachOther() {
        let error = #expect(throws: ContainerError.self) {
            try LinuxCapabilities(effective: Self.both, bounding: Self.chown)
        }
        #expect(error?.code == "capabilities.flags")
        #expect(error?.message.contains("NET_RAW") == true)
    }

    @Test(arguments: [Int32(0), 999, 1063, 1064, .max, .min]) func unknownNumbers(number: Int32) throws {
        let isolator = try LinuxCapabilities(effective: nil, bounding: nil)
        let capability = Mesos.CapabilityInfo.Capability(rawValue: number)
        let error = #expect(throws: ContainerError.self) {
            try isolator.decide(.init(effectiveCapabilities: .init(capabilities: [capability])))
        }
        #expect(error?.code == "capabilities.unknown")
    }

    @Test func theContributionCarriesMessageNumbers() async throws {
        let isolator = try LinuxCapabilities(effective: nil, bounding: nil)
        let contribution = try #require(try await isolator.prepare(.init(value: "a"), .plain()))
        let numbers: [Int32] = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31].map { $0 + 1000 }
        #expect(contribution.launchInfo.effectiveCapabilities?.capabilities.map(\.rawValue) == numbers)
        #expect(contribution.launchInfo.boundingCapabilities?.capabilities.map(\.rawValue) == numbers)
    }

    private func info(_ example: Case) -> Mesos.LinuxInfo {
        Mesos.LinuxInfo(
            capabilityInfo: example.deprecated.map(Mesos.CapabilityInfo.init(capabilities:)),
            boundingCapabilities: example.bounding.map(Mesos.CapabilityInfo.init(capabilities:)),
            effectiveCapabilities: example.effective.map(Mesos.CapabilityInfo.init(capabilities:)))
    }
}
