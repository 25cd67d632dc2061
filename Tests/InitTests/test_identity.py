# SPDX-License-Identifier: Apache-2.0
"""Steps that say who the container is and what it may do."""

import errno
import os
import struct

from base import InitTestCase
from driver import PIVOT, PRIVATE, PROC, execute, make_root, overlay, shell, step

SETPCAP, CHOWN, SYS_ADMIN, SYS_PTRACE, NET_BIND_SERVICE, KILL = 8, 0, 21, 19, 10, 5
STATUS = execute("/bin/grep", "-E", "^(Cap|Uid|Gid|Groups|NoNewPrivs|Seccomp:)", "/proc/self/status")


def bits(*numbers):
    return sum(1 << number for number in numbers)


def capabilities(bounding, effective=None, permitted=None, inheritable=0, ambient=0):
    effective = bounding if effective is None else effective
    permitted = bounding if permitted is None else permitted
    return step("capabilities", bounding=bounding, effective=effective, permitted=permitted, inheritable=inheritable, ambient=ambient)


def held():
    """What the host lets root have: containers of a container may lack some."""
    with open("/proc/self/status") as file:
        (row,) = [row for row in file if row.startswith("CapPrm")]
    return int(row.split()[1], 16)


class StatusTestCase(InitTestCase):
    def status(self, *steps):
        out = self.succeeds(*steps, STATUS)
        return dict(row.split(":\t", 1) for row in out.splitlines())

    def sets(self, *steps):
        status = self.status(*steps)
        return {name[3:]: int(status[name], 16) for name in status if name.startswith("Cap")}


class IdentityTests(StatusTestCase):
    def test_all_ids_are_set(self):
        status = self.status(step("identity", uid=1000, gid=2000, groups=[5, 6, 4000000000]))
        self.assertEqual(status["Uid"].split(), ["1000"] * 4)
        self.assertEqual(status["Gid"].split(), ["2000"] * 4)
        self.assertEqual(status["Groups"].split(), ["5", "6", "4000000000"])
        self.assertEqual(int(status["CapEff"], 16), 0)

    def test_the_groups_are_exactly_those_given(self):
        self.assertEqual(self.status(step("identity", uid=1000, gid=1000))["Groups"].split(), [])
        self.assertEqual(self.status(step("identity", uid=0, gid=0, groups=[7]))["Groups"].split(), ["7"])
        many = list(range(1, 60000))
        self.assertEqual(self.status(step("identity", uid=1, gid=1, groups=many))["Groups"].split(), [str(n) for n in many])

    def test_large_ids_do_not_wrap(self):
        self.assertEqual(self.status(step("identity", uid=4294967294, gid=2147483648))["Uid"].split(), ["4294967294"] * 4)

    def test_failures(self):
        self.fails(step("identity", uid=0, gid=0, groups=[0xFFFFFFFF]), execute("x"), name="identity", errno=errno.EINVAL,
                   text="group 4294967295")
        self.fails(step("identity", uid=0, gid=0, groups=list(range(70000))), execute("x"), name="identity", errno=errno.EINVAL,
                   text="setgroups")
        self.fails(step("identity", uid=1000, gid=1000), step("identity", uid=0, gid=0), execute("x"), name="identity",
                   errno=errno.EPERM, index=1, text="setgid 0")


class CapabilityTests(StatusTestCase):
    def test_the_five_sets(self):
        some = bits(CHOWN, KILL, NET_BIND_SERVICE)
        sets = self.sets(capabilities(some, effective=bits(CHOWN), permitted=some))
        # The command is executed by uid 0: the kernel gives root what the bounding set allows.
        self.assertEqual(sets, {"Bnd": some, "Prm": some, "Eff": some, "Inh": 0, "Amb": 0})

    def test_nothing_at_all(self):
        self.assertEqual(set(self.sets(capabilities(0)).values()), {0})

    def test_they_survive_a_change_of_user(self):
        some = bits(CHOWN, NET_BIND_SERVICE)
        sets = self.sets(step("identity", uid=1000, gid=1000, keep_capabilities=True),
                         capabilities(some, inheritable=some, ambient=bits(NET_BIND_SERVICE)))
        # exec by another user keeps the ambient ones only.
        self.assertEqual(sets, {"Bnd": some, "Inh": some, "Amb": bits(NET_BIND_SERVICE), "Prm": bits(NET_BIND_SERVICE),
                                "Eff": bits(NET_BIND_SERVICE)})

    def test_the_inheritable_set_is_empty_unless_asked(self):
        everything = held()
        self.assertEqual(self.sets(capabilities(everything))["Inh"], 0)

    def test_what_the_kernel_does_not_know_is_left_out(self):
        everything = held()
        beyond = everything | 0xFFFF << 48
        sets = self.sets(capabilities(beyond, inheritable=beyond, ambient=beyond))
        self.assertEqual(set(sets.values()), {everything})

    def test_the_last_capability_can_be_dropped(self):
        most = held() & ~(1 << held().bit_length() - 1)
        self.assertEqual(self.sets(capabilities(most))["Bnd"], most)

    def test_failures(self):
        self.fails(capabilities(1, ambient=1), execute("x"), name="capabilities", errno=errno.EINVAL, text="ambient")
        self.fails(capabilities(3, effective=3, permitted=1), execute("x"), name="capabilities", errno=errno.EINVAL, text="effective")
        self.fails(step("identity", uid=1000, gid=1000), capabilities(0), execute("x"), name="capabilities", errno=errno.EPERM,
                   index=1, text="bounding")
        everything = held()
        self.fails(capabilities(everything & ~bits(CHOWN)), capabilities(everything), execute("x"), name="capabilities",
                   errno=errno.EPERM, index=1, text="capset: not held is capability 0")


class NoNewPrivilegesTests(StatusTestCase):
    def test_it_is_set(self):
        self.assertEqual(self.status()["NoNewPrivs"], "0")
        self.assertEqual(self.status(step("no_new_privileges"))["NoNewPrivs"], "1")


def instruction(code, jt, jf, k):
    return struct.pack("<HBBI", code, jt, jf, k)


# if (nr == __NR_sethostname) return ERRNO(EACCES); return ALLOW
DENY_SETHOSTNAME = (instruction(0x20, 0, 0, 0) + instruction(0x15, 0, 1, 170) + instruction(0x06, 0, 0, 0x50000 | errno.EACCES) +
                    instruction(0x06, 0, 0, 0x7FFF0000))


class SeccompTests(StatusTestCase):
    def test_the_filter_binds_the_command(self):
        out = self.succeeds(step("seccomp", program=DENY_SETHOSTNAME), shell("grep ^Seccomp: /proc/self/status; { busybox hostname x; } 2>&1; exit 0"))
        self.assertIn("Seccomp:\t2", out)
        self.assertIn("ermission denied", out)

    def test_the_filter_binds_later_steps(self):
        self.fails(step("seccomp", program=DENY_SETHOSTNAME), step("hostname", name="x"), execute("x"), name="hostname",
                   errno=errno.EACCES, index=1)

    def test_failures(self):
        for program in (b"", b"x" * 7, b"\0" * 8 * 65536):
            self.fails(step("seccomp", program=program), execute("x"), name="seccomp", errno=errno.EINVAL)
        self.fails(step("seccomp", program=instruction(0xFFFF, 0, 0, 0)), execute("x"), name="seccomp", errno=errno.EINVAL,
                   text="load seccomp filter")
        self.fails(step("seccomp", program=DENY_SETHOSTNAME, flags=1 << 31), execute("x"), name="seccomp", errno=errno.EINVAL)
        # Without privilege it takes no_new_privs.
        self.fails(step("identity", uid=1000, gid=1000), step("seccomp", program=DENY_SETHOSTNAME), execute("x"), name="seccomp",
                   errno=errno.EACCES, index=1)
        self.succeeds(step("identity", uid=1000, gid=1000), step("no_new_privileges"), step("seccomp", program=DENY_SETHOSTNAME),
                      execute("/bin/true"))


class DumpableTests(InitTestCase):
    def test_nobody_else_may_look_into_it_before_exec(self):
        # A process that is dumpable belongs to its user in /proc, one that is not belongs to root.
        from driver import Container
        read, write = os.pipe()
        out_read, out_write = os.pipe()
        container = Container(self.spawner, stdin=read, stdout=out_write, namespaces=0)
        os.close(out_write)
        container.send(step("identity", uid=1000, gid=1000) + execute("/bin/sh", "-c", "echo $$; read line"))
        self.assertIsNone(container.report())
        command = b""
        while not command.endswith(b"\n"):
            command += os.read(out_read, 1)
        self.assertEqual(os.stat(f"/proc/{int(command)}/fd").st_uid, 1000)
        self.assertEqual(os.stat(f"/proc/{container.pid}/fd").st_uid, 0)
        os.write(write, b"\n")
        container.wait()
        for fd in (read, write, out_read):
            os.close(fd)

    def test_the_image_cannot_be_written_from_inside(self):
        # CVE-2019-5736: root in the container opens its process 1's image.
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, PIVOT,
                            shell("{ echo x > /proc/1/exe; } 2>&1; { dd if=/dev/zero of=/proc/1/exe count=1 conv=notrunc; } 2>&1; exit 0"))
        self.assertRegex(out, "busy|not permitted|denied")
        self.succeeds(execute("/bin/true"))
