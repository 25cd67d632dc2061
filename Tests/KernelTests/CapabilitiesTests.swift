// SPDX-License-Identifier: Apache-2.0

import Kernel
import Testing

struct CapabilitiesTests {
    @Test func theDefaultSetByName() {
        #expect(
            CapabilitySet.containerDefault.names == [
                "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE",
                "NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP",
            ])
    }

    @Test(
        arguments: [
            ("CHOWN", 0), ("cap_chown", 0), ("CAP_NET_RAW", 13), ("net_raw", 13), ("SYS_ADMIN", 21), ("AUDIT_READ", 37),
            ("CHECKPOINT_RESTORE", 40),
        ] as [(String, UInt32)])
    func aNameHasANumber(name: String, number: UInt32) {
        #expect(CapabilitySet.number(named: name) == number)
    }

    @Test(arguments: ["", "cap_", "NO_SUCH", "chown\0", "0"])
    func whatIsNoNameHasNone(name: String) {
        #expect(CapabilitySet.number(named: name) == nil)
    }

    @Test func everyNumberGoesToItsNameAndBack() {
        for number in UInt32(0)...40 {
            #expect(CapabilitySet.number(named: CapabilitySet.name(of: number)) == number)
        }
        #expect(CapabilitySet.name(of: .max) == "4294967295")
    }

    @Test func numbersAndBits() {
        #expect(CapabilitySet(numbers: [0, 13, 63, 64, .max]).rawValue == 0x8000_0000_0000_2001)
        #expect(CapabilitySet(rawValue: 0b1010).numbers == [1, 3])
    }

    @Test func theKernelKnowsTheDefaultSet() {
        #expect(CapabilitySet.supported().isSuperset(of: .containerDefault))
        #expect(CapabilitySet.supported() != CapabilitySet(rawValue: .max))
    }
}
