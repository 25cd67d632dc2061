# SPDX-License-Identifier: Apache-2.0
"""The strict reader: whatever comes, a report and no crash, and nothing was executed."""

import errno
import os
import random
import re

from base import InitTestCase
from driver import (KINDS, MESSAGES, REPOSITORY, chunk, execute, message, step, text, varint)

# One step of every kind, with every field. It is never executed as a whole: see what uses it.
SAMPLES = {
    "propagation": dict(flags=0x84000, path="/nonexistent"),
    "overlay_root": dict(target="/nonexistent/t", lower=["/nonexistent/a", "/nonexistent/b"], upper="/nonexistent/u",
                         work="/nonexistent/w", options=["volatile"]),
    "bind_root": dict(target="/nonexistent", read_only=True),
    "mount": dict(type="tmpfs", target="/nonexistent/m", attributes=15, options=["mode=755", "size=1m"]),
    "bind": dict(source="/nonexistent/a", target="/nonexistent/b", recursive=True, attributes=1, source_in_root=True, strict_source=True,
                 optional=True),
    "directory": dict(path="/nonexistent/d/../../proc/none", mode=0o755),
    "device": dict(path="/nonexistent/null", mode=0o20666, major=1, minor=3),
    "symbolic_link": dict(to="a", path="/nonexistent/link"),
    "mask": dict(path="/nonexistent/mask"),
    "cgroup_namespace": {},
    "pivot_root": {},
    "hostname": dict(name="sample"),
    "loopback": {},
    "resource_limit": dict(resource=7, soft=1024, hard=1024),
    "working_directory": dict(path="/nonexistent", create=False),
    "identity": dict(uid=1000, gid=1000, groups=[1, 2, 300], keep_capabilities=True),
    "capabilities": dict(bounding=1, effective=1, permitted=1, inheritable=1, ambient=1),
    "no_new_privileges": {},
    "execute": dict(path="/bin/true", arguments=["true"], environment=["A=b"], search_working_directory=True),
    "terminal": {},
    "seccomp": dict(program=b"\x06\0\0\0\0\0\xff\x7f", flags=0),
    "attributes": dict(path="/nonexistent", set=1, clear=2, propagation=0x40000, recursive=True),
    "file": dict(path="/nonexistent/f", mode=0o600, uid=0, gid=0, content=b"secret"),
    "command": dict(path="/nonexistent", arguments=["x"], environment=["A=b"]),
    "park": dict(trees=["/dev"]),
    "attach": dict(tree=0, target="/dev", strict=True),
}


def whole_plan():
    """Every kind; execute last."""
    order = [kind for kind in SAMPLES if kind not in ("execute", "park")] + ["execute"]
    return b"".join(step(kind, origin="test", **SAMPLES[kind]) for kind in order)


class SchemaTests(InitTestCase):
    LETTERS = {"t": "bytes", "o": "bytes", "T": "repeated bytes", "u": "uint32", "i": "uint32", "U": "uint64", "b": "bool",
               "N": "repeated uint32", "B": "bytes"}

    def test_the_table_agrees_with_the_proto(self):
        with open(os.path.join(REPOSITORY, "Sources/GantryInit/steps.c")) as file:
            rows = re.findall(r'\{(\d+), "(\w+)", "(\w*)", step_(\w+)\}', file.read())
        self.assertEqual({name: int(number) for number, name, _, _ in rows},
                         {name: number for name, (number, _) in KINDS.items()})
        for _, name, schema, function in rows:
            self.assertEqual(function, name)
            fields = MESSAGES[KINDS[name][1]]
            self.assertEqual([number for *_, number in fields], list(range(1, len(fields) + 1)))
            kinds = [("repeated " if repeated else "") + kind for repeated, kind, _, _ in fields]
            self.assertEqual([self.LETTERS[letter] for letter in schema], kinds, name)

    def test_every_kind_has_a_sample(self):
        self.assertEqual(set(SAMPLES), set(KINDS))
        for kind, values in SAMPLES.items():
            self.assertEqual(set(values), {field for _, _, field, _ in MESSAGES[KINDS[kind][1]]})


class MalformedTests(InitTestCase):
    def refused(self, *steps, error=errno.EBADMSG, **expected):
        return self.fails(*steps, name="check_plan", errno=error, **expected)

    def test_every_truncation_is_refused(self):
        plan = whole_plan()
        for length in range(len(plan)):
            outcome = self.run_plan(plan[:length])
            self.assertIsNotNone(outcome.report, length)
            self.assertEqual((outcome.report.name, outcome.report.errno), ("check_plan", errno.EBADMSG), (length, outcome))
            self.assertEqual((outcome.status, outcome.code), ("256", 1), length)

    def test_every_truncated_step_is_refused(self):
        for kind, values in SAMPLES.items():
            number, name = KINDS[kind]
            body = message(name, values)
            for length in range(len(body)):
                # The cut body with a right length, and then execute: whole fields may be missing, halves not.
                outcome = self.run_plan(chunk(1, chunk(number, body[:length])), step("hostname", name=b"\0"), execute("x"))
                self.assertEqual((outcome.report.name, outcome.report.errno), ("check_plan", errno.EBADMSG), (kind, length))

    def test_mutations_never_crash(self):
        # Without execute at its end no mutation of one byte can be a plan that runs to its end.
        plan = b"".join(step(kind, origin="test", **values) for kind, values in SAMPLES.items() if kind != "execute")
        randomness = random.Random(1)
        for _ in range(1500):
            data = bytearray(plan)
            for _ in range(randomness.choice((1, 1, 2, 5))):
                data[randomness.randrange(len(data))] = randomness.choice((0, 1, 0x7F, 0x80, 0xFF, randomness.randrange(256)))
            outcome = self.run_plan(bytes(data))
            self.assertIsNotNone(outcome.report, data.hex())
            self.assertEqual((outcome.status, outcome.code), ("256", 1), data.hex())
            self.assertNotIn("Sanitizer", outcome.stderr)

    def test_noise_never_crashes(self):
        randomness = random.Random(2)
        for _ in range(300):
            outcome = self.run_plan(randomness.randbytes(randomness.randrange(1, 400)))
            self.assertEqual(outcome.report.name, "check_plan")
            self.assertEqual(outcome.status, "256")

    def test_texts_end_in_their_only_nul(self):
        for value in (b"", b"x", b"x\0y", b"x\0y\0", b"x\0\0"):
            self.refused(step("hostname", name=value), execute("x"), index=0, text="field 1 of hostname")
            self.refused(step("mount", type="tmpfs", target="/x", attributes=0, options=["a", value]), execute("x"),
                         text="field 4 of mount")
            self.refused(step("hostname", origin=value, name="x"), execute("x"), text="origin")

    def test_needed_texts_are_not_empty(self):
        self.refused(step("hostname", name=b"\0"), execute("x"), text="field 1 of hostname: missing")
        self.refused(step("hostname"), execute("x"), text="field 1 of hostname: missing")
        self.refused(step("bind", source="/x"), execute("x"), text="field 2 of bind: missing")
        self.refused(step("execute", arguments=["x"]), text="field 1 of execute: missing")

    def test_the_failing_step_is_told_and_none_is_run(self):
        outcome = self.refused(step("hostname", name="changed"), step("loopback"), step("hostname"), execute("x"), index=2)
        self.assertEqual(outcome.stdout, "")
        root = "/nonexistent-gantry-init-test"
        self.refused(step("directory", path=root), step("hostname"), execute("x"), index=1)
        self.assertFalse(os.path.exists(root))

    def test_execute_is_the_last_step_and_only_that(self):
        self.refused(step("hostname", name="x"), text="does not end with execute or park")
        self.refused(execute("/bin/true"), execute("/bin/true"), index=1, text="not the last")
        self.refused(execute("/bin/true"), step("loopback"), index=1, text="not the last")

    def test_unknown_kinds_are_refused(self):
        for number in (28, 100, 536870911):
            self.refused(chunk(1, chunk(number, b"")), execute("/bin/true"), error=errno.EOPNOTSUPP, index=0)

    def test_a_step_has_one_kind(self):
        self.refused(chunk(1, b""), execute("/bin/true"), text="without kind")
        self.refused(chunk(1, chunk(1, text("origin"))), execute("/bin/true"), text="without kind")
        both = chunk(14, b"") + chunk(19, b"")
        self.refused(chunk(1, both), execute("/bin/true"), text="two kinds")
        self.refused(chunk(1, chunk(14, b"") * 2), execute("/bin/true"), text="two kinds")

    def test_wire_types_must_fit(self):
        self.refused(b"\x08\x01", execute("/bin/true"))  # steps as a number
        self.refused(chunk(1, b"\x68\x01"), execute("/bin/true"))  # hostname as a number
        self.refused(chunk(1, chunk(13, b"\x08\x01")), execute("/bin/true"), text="wire type")  # its name as a number
        self.refused(chunk(1, chunk(2, chunk(1, b"x"))), execute("/bin/true"), text="wire type")  # flags as bytes
        self.refused(chunk(1, chunk(2, b"\x0d\0\0\0\0")), execute("/bin/true"), text="wire type")  # fixed32

    def test_groups_and_field_zero_are_refused(self):
        for data in (b"\x0b\x0c", b"\x0c", b"\x0e\x00", b"\x0f\x00", b"\x00\x00", b"\x02\x00"):
            self.refused(data, execute("/bin/true"))
            self.refused(chunk(1, chunk(13, data + chunk(1, b"x\0"))), execute("/bin/true"))

    def test_numbers_must_fit(self):
        def limit(encoded):
            return chunk(1, chunk(15, b"\x08" + encoded))

        self.refused(limit(varint(1 << 32)), execute("/bin/true"), text="out of range")
        self.refused(limit(b"\x80" * 9 + b"\x02"), execute("/bin/true"))
        self.refused(limit(b"\x80" * 10 + b"\x01"), execute("/bin/true"))
        self.refused(chunk(1, chunk(17, chunk(3, varint(1 << 32)))), execute("/bin/true"), text="out of range")
        self.refused(chunk(1, chunk(17, chunk(3, b"\x80"))), execute("/bin/true"), text="out of range")

    def test_an_id_is_not_minus_one(self):
        self.refused(step("identity", uid=0xFFFFFFFF, gid=0), execute("/bin/true"), text="field 1 of identity")
        self.refused(step("identity", uid=0, gid=0xFFFFFFFF), execute("/bin/true"), text="field 2 of identity")
        self.refused(step("file", path="/x", uid=0xFFFFFFFF), execute("/bin/true"), text="field 3 of file")

    def test_lengths_beyond_the_end_are_refused(self):
        for length in (1, 127, 1 << 31, 1 << 32, (1 << 63) - 1, (1 << 64) - 1):
            self.refused(execute("/bin/true"), b"\x0a" + varint(length))
            self.refused(chunk(1, b"\x6a" + varint(length)), execute("/bin/true"))
            self.refused(chunk(1, chunk(13, b"\x0a" + varint(length))), execute("/bin/true"))


class AcceptedTests(InitTestCase):
    def test_unknown_fields_in_plan_and_message_are_skipped(self):
        unknown = chunk(100, b"anything") + b"\xa0\x06\x05" + b"\xa1\x06" + b"\0" * 8 + b"\xa5\x06" + b"\0" * 4
        number, name = KINDS["execute"]
        body = unknown + message(name, dict(path="/bin/echo", arguments=["echo", "x"])) + unknown
        self.assertEqual(self.succeeds(unknown, chunk(1, chunk(number, body)), unknown), "x\n")

    def test_the_last_of_a_single_field_counts(self):
        self.assertEqual(self.succeeds(chunk(1, chunk(13, chunk(1, b"a\0") + chunk(1, b"b\0"))), execute("/bin/hostname")),
                         "b\n")

    def test_numbers_may_be_packed_or_not(self):
        for groups in (chunk(3, b"\x05\x06\xac\x02"), b"\x18\x05" + b"\x18\x06\x18\xac\x02", b"\x18\x05" + chunk(3, b"\x06\xac\x02"),
                       chunk(3, b"") + chunk(3, b"\x05\x06") + b"\x18\xac\x02"):
            out = self.succeeds(chunk(1, chunk(17, groups)), execute("/bin/grep", "Groups", "/proc/self/status"))
            self.assertEqual(out.split()[1:], ["5", "6", "300"])

    def test_every_kind_decodes(self):
        # All are valid; the first that runs, propagation on a path that is not there, fails.
        self.fails(whole_plan(), name="propagation", errno=errno.ENOENT, index=0)

    def test_the_origin_is_in_the_report(self):
        outcome = self.fails(step("bind_root", origin="filesystem/linux", target="/nonexistent"), execute("x"),
                             name="bind_root", errno=errno.ENOENT)
        self.assertEqual(outcome.report.origin, "filesystem/linux")
