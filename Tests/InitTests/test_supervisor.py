# SPDX-License-Identifier: Apache-2.0
"""The supervisor: statuses, signals, descriptors, reaping, and what happens around the plan."""

import errno
import os
import signal
import socket
import struct

from base import NO_STEP, InitTestCase, line
from driver import (MEMORY_LIMIT, NEWPID, PIVOT, PRIVATE, PROC, SANITIZED, USUAL, Container, execute, make_root, overlay,
                    shell, step)


class StatusTests(InitTestCase):
    def test_the_exit_code_is_recorded(self):
        for code in (0, 1, 3, 255):
            outcome = self.run_plan(shell(f"exit {code}"))
            self.assertEqual((outcome.status, outcome.code, outcome.report), (str(code << 8), 0, None))

    def test_a_signals_death_is_recorded(self):
        self.assertEqual(self.run_plan(shell("kill -9 $$")).status, "9")
        self.assertEqual(self.run_plan(shell("kill -TERM $$")).status, "15")
        self.assertIn(self.run_plan(shell("kill -SEGV $$")).status, ("11", "139"))

    def test_a_killed_supervisor_leaves_an_empty_status(self):
        read, write = os.pipe()
        container = Container(self.spawner, stdin=read)
        container.send(execute("/bin/cat"))
        self.assertIsNone(container.report())
        container.kill(signal.SIGKILL)
        info = container.wait()
        os.close(read)
        os.close(write)
        self.assertEqual((info.si_code, info.si_status, container.status), (os.CLD_KILLED, signal.SIGKILL, ""))


class ExecuteTests(InitTestCase):
    def test_a_missing_program_is_reported(self):
        self.fails(execute("/nonexistent"), name="execute", errno=errno.ENOENT, index=0, text="/nonexistent")
        self.fails(execute("nonexistent"), name="execute", errno=errno.ENOENT, text="nonexistent")

    def test_a_file_without_permission_is_reported(self):
        self.fails(execute("/etc/passwd"), name="execute", errno=errno.EACCES)
        self.fails(execute("group", environment=["PATH=/nonexistent:/etc:/bin"]), name="execute", errno=errno.EACCES)

    def test_a_file_that_is_no_program_is_reported(self):
        root = make_root()
        with open(f"{root}/bin/broken", "w") as file:
            file.write("text")
        os.chmod(f"{root}/bin/broken", 0o755)
        self.fails(execute(f"{root}/bin/broken"), name="execute", errno=errno.ENOEXEC)

    def test_path_is_the_plans(self):
        root = make_root()
        with open(f"{root}/bin/only-here", "w") as file:
            file.write("#!/bin/sh\necho found\n")
        os.chmod(f"{root}/bin/only-here", 0o755)
        out = self.succeeds(execute("only-here", environment=[f"PATH=/nonexistent::/etc/passwd:{root}/bin"]))
        self.assertEqual(out, "found\n")
        self.fails(execute("only-here", environment=["PATH=/bin"]), name="execute", errno=errno.ENOENT)

    def test_path_has_a_default(self):
        self.assertEqual(self.succeeds(execute("echo", "x", environment=[])), "x\n")

    def test_the_working_directory_wins_if_asked(self):
        root = make_root()
        with open(f"{root}/etc/echo", "w") as file:
            file.write("#!/bin/sh\nprintf here\n")
        os.chmod(f"{root}/etc/echo", 0o755)
        there = step("working_directory", path=f"{root}/etc")
        self.assertEqual(self.succeeds(there, execute("echo", "x", search_working_directory=True)), "here")
        self.assertEqual(self.succeeds(there, execute("echo", "x")), "x\n")
        os.chmod(f"{root}/etc/echo", 0o644)
        self.assertEqual(self.succeeds(there, execute("echo", "x", search_working_directory=True)), "x\n")

    def test_arguments_and_environment_are_verbatim(self):
        out = self.succeeds(execute("renamed", "-c", 'echo "$0|$1|$2"; env', "a", "", "b c", path="/bin/sh",
                                    environment=["A=1", "B=x y", "EMPTY="]))
        lines = out.splitlines()
        self.assertEqual(lines[0], "a||b c")
        self.assertLessEqual({"A=1", "B=x y", "EMPTY="}, set(lines))
        self.assertNotIn("ASAN_OPTIONS", out)

    def test_many_arguments(self):
        out = self.succeeds(execute("/bin/sh", "-c", "echo $#", "sh", *(["x"] * 20000)))
        self.assertEqual(out, "20000\n")

    def test_too_many_arguments_are_reported(self):
        self.fails(execute("/bin/true", *(["x" * 100000] * 30)), name="execute", errno=errno.E2BIG)


class CommandsWorldTests(InitTestCase):
    def test_only_three_descriptors_are_open(self):
        script = f"for n in {numbers(64)}; do [ -e /proc/self/fd/$n ] && echo $n; done; exit 0"
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, PIVOT, shell(script))
        self.assertEqual(out.split(), ["0", "1", "2"])

    def test_the_supervisor_keeps_the_status_file_only(self):
        read, write = os.pipe()
        out_read, out_write = os.pipe()
        container = Container(self.spawner, stdin=read, stdout=out_write)
        os.close(out_write)
        container.send(shell("echo ready; read line"))
        self.assertIsNone(container.report())
        self.assertEqual(line(out_read), "ready")
        # It closes after the fork: wait until its standard input is gone.
        while os.path.lexists(f"/proc/{container.pid}/fd/0"):
            pass
        while len(os.listdir(f"/proc/{container.pid}/fd")) > 1:
            pass
        self.assertEqual(os.readlink(f"/proc/{container.pid}/fd/4"), os.path.join(container.directory, "status"))
        os.write(write, b"\n")
        self.assertEqual(container.wait().si_status, 0)
        for fd in (read, write, out_read):
            os.close(fd)

    def test_signals_are_default_and_unblocked(self):
        # The driver ignores SIGPIPE, as a daemon does; nothing of that may arrive.
        self.assertEqual(signal.getsignal(signal.SIGPIPE), signal.SIG_IGN)
        out = self.succeeds(execute("/bin/grep", "^Sig[BI]", "/proc/self/status"))
        for row in out.splitlines():
            self.assertEqual(int(row.split()[1], 16), 0, row)

    def test_umask_and_session(self):
        out = self.succeeds(shell("umask; cat /proc/$PPID/stat; cat /proc/$$/stat"), namespaces=0)
        mask, supervisor, command = out.splitlines()
        self.assertEqual(int(mask, 8), 0o022)
        # pid, ..., state, ppid, pgrp, session
        self.assertEqual(supervisor.rsplit(")", 1)[1].split()[3], supervisor.split()[0])
        self.assertEqual(command.rsplit(")", 1)[1].split()[3], supervisor.split()[0])

    def test_orphans_are_reaped(self):
        script = ("for n in %s; do (true & true &) ; done; "
                  "while grep -q '^State:.Z' /proc/[0-9]*/status 2>/dev/null; do :; done; echo clean" % numbers(50))
        self.assertEqual(self.succeeds(PRIVATE, overlay(make_root()), PROC, PIVOT, shell(script)), "clean\n")

    def test_the_container_ends_with_its_command(self):
        outcome = self.run_plan(PRIVATE, overlay(make_root()), PROC, PIVOT, shell("sleep 1000 & exit 7"))
        self.assertEqual(outcome.status, str(7 << 8))


class SignalTests(InitTestCase):
    def test_signals_are_forwarded(self):
        numbers_ = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
                    signal.SIGPIPE, signal.SIGALRM, signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP, signal.SIGTTIN,
                    signal.SIGTTOU, signal.SIGURG, signal.SIGIO, signal.SIGPWR, signal.SIGVTALRM, signal.SIGPROF]
        traps = "".join(f"trap 'echo got {int(number)}' {int(number)}; " for number in numbers_)
        read, write = os.pipe()
        out_read, out_write = os.pipe()
        container = Container(self.spawner, stdin=read, stdout=out_write)
        os.close(out_write)
        # A background reader of the pipe ends when the test closes it; wait is interrupted by traps.
        container.send(shell(f"exec 3<&0; {traps} cat <&3 & echo ready; until wait $!; do :; done; exit 5"))
        self.assertIsNone(container.report())
        self.assertEqual(line(out_read), "ready")
        for number in numbers_:
            container.kill(number)
            self.assertEqual(line(out_read), f"got {int(number)}")
        os.close(read)
        os.close(write)
        self.assertEqual(container.wait().si_status, 0)
        self.assertEqual(container.status, str(5 << 8))
        os.close(out_read)

    def test_a_real_time_signal_is_forwarded(self):
        read, write = os.pipe()
        container = Container(self.spawner, stdin=read)
        container.send(execute("/bin/cat"))
        self.assertIsNone(container.report())
        container.kill(40)
        container.wait()
        os.close(read)
        os.close(write)
        self.assertEqual(container.status, "40")

    def test_a_signal_before_the_plan_ends_the_start(self):
        for namespaces in (0, NEWPID):
            for number in (signal.SIGTERM, signal.SIGHUP, 34):
                container = Container(self.spawner, namespaces=namespaces)
                container.kill(number)
                report = container.report()
                self.assertEqual((report.step, report.name, report.errno), (NO_STEP, "signal", errno.EINTR))
                self.assertEqual((container.wait().si_status, container.status), (1, str(int(number))))

    def test_a_signal_with_half_a_plan_ends_the_start(self):
        container = Container(self.spawner)
        container.send(execute("/bin/true")[:10], length=20)
        container.kill(signal.SIGINT)
        self.assertEqual(container.report().name, "signal")
        container.wait()
        self.assertEqual(container.status, "2")

    def test_a_harmless_signal_before_the_plan_is_kept(self):
        container = Container(self.spawner)
        for number in (signal.SIGWINCH, signal.SIGCONT, signal.SIGURG, signal.SIGCHLD):
            container.kill(number)
        container.send(execute("/bin/true"))
        self.assertIsNone(container.report())
        self.assertEqual((container.wait().si_status, container.status), (0, "0"))


class BeforeThePlanTests(InitTestCase):
    def ends(self, send, how="close"):
        container = Container(self.spawner)
        if send:
            container.control.sendall(send)
        if how == "shutdown":
            container.control.shutdown(socket.SHUT_WR)
            report = container.report()
            self.assertEqual((report.step, report.name, report.errno), (NO_STEP, "read_plan", errno.ECONNRESET))
        else:
            container.control.close()
        self.assertEqual((container.wait().si_status, container.status), (1, "256"))
        self.assertIn("gantry-init: read_plan: the daemon went away", container.read("stderr"))

    def test_end_of_file_before_the_plan(self):
        for how in ("close", "shutdown"):
            self.ends(b"", how)
            self.ends(b"\x10", how)
            self.ends(b"\x10\x00\x00\x00", how)
            self.ends(b"\x10\x00\x00\x00" + b"\x0a" * 15, how)

    def test_a_plan_over_the_limit_is_refused(self):
        for length in (MEMORY_LIMIT + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            container = Container(self.spawner)
            container.send(b"", length=length)
            report = container.report()
            self.assertEqual((report.name, report.errno), ("read_plan", errno.EMSGSIZE))
            self.assertIn(str(length), report.text)
            self.assertEqual((container.wait().si_status, container.status), (1, "256"))

    def test_a_plan_just_under_the_limit_is_taken(self):
        plan = execute("/bin/true")
        padding = MEMORY_LIMIT - len(plan) - 5
        # An unknown field of the plan, number 2, that fills it up.
        filler = bytes([0x12]) + encoded_length(padding) + b"\0" * padding
        self.assertEqual(len(filler) + len(plan), MEMORY_LIMIT)
        self.assertEqual(self.run_plan(filler, plan).status, "0")

    def test_a_plan_in_small_pieces_is_taken(self):
        container = Container(self.spawner)
        plan = execute("/bin/true")
        for byte in struct.pack("<I", len(plan)) + plan + b"\0":
            container.control.sendall(bytes([byte]))
        self.assertIsNone(container.report())
        self.assertEqual((container.wait().si_status, container.status), (0, "0"))

    def test_a_daemon_that_dies_after_the_plan_changes_nothing(self):
        for plan, status in ((execute("/bin/true"), "0"), (shell("exit 3"), "768"), (execute("/nonexistent"), "256"),
                             (step("hostname", name="x" * 65) + execute("/bin/true"), "256")):
            container = Container(self.spawner)
            container.send(plan)
            container.control.close()
            container.wait()
            self.assertEqual(container.status, status)

    def test_an_empty_plan_is_refused(self):
        self.fails(name="check_plan", errno=errno.EBADMSG, text="execute")


def numbers(count):
    return " ".join(str(number) for number in range(count))


def encoded_length(value):
    """A varint of exactly four bytes."""
    return bytes([value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14 & 0x7F | 0x80, value >> 21])
