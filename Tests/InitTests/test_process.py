# SPDX-License-Identifier: Apache-2.0
"""Steps about namespaces' contents, the terminal, limits and programs before the command."""

import errno
import os
import pty
import resource
import signal
import tempfile

from base import InitTestCase, line
from driver import NEWNET, NEWNS, NEWPID, NEWUTS, PIVOT, PRIVATE, PROC, WORK, Container, execute, make_root, overlay, shell, step

UNLIMITED = (1 << 64) - 1


class NamespaceTests(InitTestCase):
    def test_a_cgroup_namespace_starts_at_the_own_cgroup(self):
        hierarchy = "/sys/fs/cgroup/pids"
        if not os.path.exists(f"{hierarchy}/tasks"):
            self.skipTest("no cgroup v1 pids")
        group = tempfile.mkdtemp(prefix="gantry-init-test-", dir=hierarchy)
        self.addCleanup(os.rmdir, group)
        tasks = os.open(f"{group}/tasks", os.O_WRONLY)
        out = self.succeeds(step("cgroup_namespace"), execute("/bin/cat", "/proc/self/cgroup"), tasks=[tasks])
        os.close(tasks)
        self.assertIn(":pids:/\n", out)

    def test_cgroup_namespace_failure(self):
        self.fails(step("identity", uid=1000, gid=1000), step("cgroup_namespace"), execute("x"), name="cgroup_namespace",
                   errno=errno.EPERM, index=1)

    def test_the_hostname(self):
        before = os.uname().nodename
        self.assertEqual(self.succeeds(step("hostname", name="a.b-c"), execute("/bin/hostname")), "a.b-c\n")
        self.assertEqual(os.uname().nodename, before)

    def test_hostname_failures(self):
        self.fails(step("hostname", name="x" * 65), execute("x"), name="hostname", errno=errno.EINVAL, index=0)
        self.fails(step("identity", uid=1000, gid=1000), step("hostname", name="x"), execute("x"), name="hostname", errno=errno.EPERM)

    def test_loopback_is_up(self):
        show = execute("/bin/busybox", "ip", "address", "show", "lo")
        self.assertNotIn("127.0.0.1", self.succeeds(show))
        out = self.succeeds(step("loopback"), show)
        self.assertIn("LOOPBACK,UP,LOWER_UP", out)
        self.assertIn("127.0.0.1/8", out)
        self.assertIn("::1/128", out) if os.path.exists("/proc/net/if_inet6") else None

    def test_loopback_failure(self):
        self.fails(step("identity", uid=1000, gid=1000), step("loopback"), execute("x"), name="loopback", errno=errno.EPERM)


class ResourceLimitTests(InitTestCase):
    def test_limits_are_the_commands(self):
        out = self.succeeds(step("resource_limit", resource=resource.RLIMIT_NOFILE, soft=100, hard=200),
                            step("resource_limit", resource=resource.RLIMIT_CORE, soft=0, hard=UNLIMITED),
                            execute("/bin/grep", "-E", "open files|core file", "/proc/self/limits"))
        self.assertEqual([row.split()[-3:-1] if row.split()[-1] in ("files", "bytes") else row for row in out.splitlines()],
                         [["0", "unlimited"], ["100", "200"]])

    def test_few_descriptors_do_not_hurt_later_steps(self):
        self.succeeds(PRIVATE, overlay(make_root()), PIVOT, step("resource_limit", resource=resource.RLIMIT_NOFILE, soft=3, hard=3),
                      step("working_directory", path="/etc"), step("identity", uid=1, gid=1), shell("[ -e image ]"))

    def test_a_file_size_limit_does_not_lose_the_status(self):
        plan = [step("resource_limit", resource=resource.RLIMIT_FSIZE, soft=0, hard=0),
                step("identity", uid=1000, gid=1000)]
        outcome = self.run_plan(*plan, execute("/bin/grep", "-c", "^Max file size  *0  *0 ", "/proc/self/limits"))
        self.assertEqual(outcome.status, str(signal.SIGXFSZ))  # grep could not write its answer
        outcome = self.run_plan(*plan, shell("exit 9"))
        self.assertEqual(outcome.status, str(9 << 8))
        outcome = self.run_plan(*plan, execute("/nonexistent"))
        self.assertEqual((outcome.status, outcome.report.errno), ("256", errno.ENOENT))

    def test_failures(self):
        self.fails(step("resource_limit", resource=99, soft=1, hard=1), execute("x"), name="resource_limit", errno=errno.EINVAL,
                   text="resource limit 99")
        self.fails(step("resource_limit", resource=resource.RLIMIT_NOFILE, soft=2, hard=1), execute("x"), name="resource_limit",
                   errno=errno.EINVAL)
        self.fails(step("resource_limit", resource=resource.RLIMIT_FSIZE, soft=2, hard=1), execute("x"), name="resource_limit",
                   errno=errno.EINVAL)
        self.fails(step("resource_limit", resource=resource.RLIMIT_NOFILE, soft=1, hard=UNLIMITED), execute("x"),
                   name="resource_limit", errno=errno.EPERM)


class TerminalTests(InitTestCase):
    def test_stdin_becomes_the_controlling_terminal(self):
        master, slave = pty.openpty()
        container = Container(self.spawner, stdin=slave)
        os.close(slave)
        container.send(step("terminal") + shell("echo there > /dev/tty; cat /proc/self/stat"))
        self.assertIsNone(container.report())
        self.assertEqual(container.wait().si_status, 0)
        self.assertEqual(container.status, "0")
        self.assertEqual(os.read(master, 100), b"there\r\n")
        self.assertNotEqual(container.read("stdout").rsplit(")", 1)[1].split()[4], "0")
        os.close(master)

    def test_a_key_is_one_signal(self):
        master, slave = pty.openpty()
        out_read, out_write = os.pipe()
        container = Container(self.spawner, stdin=slave, stdout=out_write)
        os.close(slave)
        os.close(out_write)
        traps = "trap 'echo INT' INT; trap 'echo QUIT' QUIT; trap 'echo TERM; exit 3' TERM; "
        # Built in: a program of its own in the foreground would be ended by the key.
        container.send(step("terminal") + shell(traps + "echo ready; while :; do read line; done"))
        self.assertIsNone(container.report())
        self.assertEqual(line(out_read), "ready")
        for key, name in ((b"\x03", "INT"), (b"\x1c", "QUIT")):
            os.write(master, key)
            self.assertEqual(line(out_read), name)
        container.kill(signal.SIGINT)  # not from the terminal
        self.assertEqual(line(out_read), "INT")
        container.kill(signal.SIGTERM)
        self.assertEqual(line(out_read), "TERM")
        container.wait()
        self.assertEqual(container.status, str(3 << 8))
        os.close(master)
        os.close(out_read)

    def test_a_hangup_reaches_the_command(self):
        master, slave = pty.openpty()
        out_read, out_write = os.pipe()
        container = Container(self.spawner, stdin=slave, stdout=out_write)
        os.close(slave)
        os.close(out_write)
        container.send(step("terminal") + shell("trap 'echo HUP; exit 4' HUP; exec 3<&0 </dev/null; echo ready; cat <&3 >/dev/null & "
                                                "until wait $!; do :; done"))
        self.assertIsNone(container.report())
        self.assertEqual(line(out_read), "ready")
        os.close(master)
        self.assertEqual(line(out_read), "HUP")
        container.wait()
        self.assertEqual(container.status, str(4 << 8))
        os.close(out_read)

    def test_failure(self):
        self.fails(step("terminal"), execute("x"), name="terminal", errno=errno.ENOTTY, index=0)


class CommandTests(InitTestCase):
    def command(self, script, environment=("PATH=/bin", "X=y")):
        return step("command", path="sh", arguments=["sh", "-c", script], environment=environment)

    def test_it_runs_before_the_command(self):
        out = self.succeeds(self.command("echo first $X"), self.command("echo second"), shell("echo third $X"))
        self.assertEqual(out, "first y\nsecond\nthird\n")

    def test_it_runs_in_the_namespaces_as_the_supervisor_is(self):
        out = self.succeeds(step("hostname", name="inside"), self.command("hostname; id -u; kill -0 $PPID && echo $PPID"),
                            step("identity", uid=1000, gid=1000), execute("/bin/true"))
        self.assertEqual(out.split(), ["inside", "0", "1"])

    def test_orphans_of_it_are_reaped(self):
        self.succeeds(PRIVATE, overlay(make_root()), PROC, self.command("(true & true &); true"), PIVOT,
                      shell("while grep -q '^State:.Z' /proc/[0-9]*/status 2>/dev/null; do :; done"))

    def test_failures(self):
        self.fails(self.command("exit 7"), execute("x"), name="command", errno=errno.ECANCELED, index=0, text="sh ended with 7")
        self.fails(self.command("kill -9 $$"), execute("x"), name="command", errno=errno.ECANCELED, text="sh was ended by signal 9")

    def test_one_report_for_a_program_that_is_not_there(self):
        outcome = self.fails(step("command", path="/nonexistent", arguments=["x"]), execute("x"), name="command", errno=errno.ENOENT,
                             index=0, text="execute /nonexistent")
        self.assertEqual(outcome.stderr.count("\n"), 1)

    def test_a_signal_ends_it_and_the_start(self):
        read, write = os.pipe()
        out_read, out_write = os.pipe()
        container = Container(self.spawner, stdin=read, stdout=out_write)
        os.close(out_write)
        container.send(self.command("echo running; read line") + execute("/bin/true"))
        self.assertEqual(line(out_read), "running")
        container.kill(signal.SIGTERM)
        self.assertEqual(container.report().name, "signal")
        self.assertEqual((container.wait().si_status, container.status), (1, "15"))
        for fd in (read, write, out_read):
            os.close(fd)
