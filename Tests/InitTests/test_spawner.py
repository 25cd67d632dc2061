# SPDX-License-Identifier: Apache-2.0
"""The spawner: requests, answers, descriptors, namespaces."""

import errno
import os
import shutil
import signal
import socket
import tempfile

from base import InitTestCase, line
from driver import (HAS_CGROUP, HAS_ENTER, NEWCGROUP, NEWIPC, NEWNET, NEWNS, NEWPID, NEWUSER, NEWUTS, PIVOT, PRIVATE, PROC,
                    SANITIZED, USUAL, Container, SpawnFailed, Spawner, execute, make_root, overlay, request, run, shell,
                    step)

NAMESPACE_FILES = ("cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "uts", "user")


class RequestTests(InitTestCase):
    def five(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        return [theirs.fileno(), 2, 2, 2, 2]

    def refused(self, data, fds, error=errno.EINVAL, where=1):
        pid, code, at, received = self.spawner.ask(data, fds)
        self.assertEqual((pid, code, at, received), (0, error, where, []))
        # Nothing of the request is left, and the next one is served.
        self.succeeds(execute("/bin/true"), namespaces=0)
        self.assertEqual(self.spawner.descriptors(), list(range(11)))

    def test_a_short_request_is_refused(self):
        self.refused(request()[:31], self.five())
        self.refused(b"x", self.five())

    def test_a_long_request_is_refused(self):
        self.refused(request() + b"x", self.five())
        self.refused(request() + b"x" * 60000, [])

    def test_an_empty_request_is_refused(self):
        self.refused(b"", [])
        self.refused(b"", self.five())

    def test_another_version_is_refused(self):
        for version in (0, 1, 2, 4, 0xFFFFFFFF):
            self.refused(request(version=version), self.five())

    def test_unknown_flags_are_refused(self):
        self.refused(request(flags=16), self.five())
        self.refused(request(stages=1), self.five())

    def test_flags_that_are_no_namespaces_are_refused(self):
        for flags in (0x100, 0x200, 0x400, 0x800, 0x1000, 0x4000, 0x8000, 0x10000, 1 << 33, 1 << 63):
            self.refused(request(namespaces=flags), self.five())

    def test_too_few_descriptors_are_refused(self):
        for count in range(5):
            self.refused(request(), self.five()[:count])

    def test_too_many_descriptors_are_refused(self):
        self.refused(request(), self.five() + [2])
        self.refused(request(), self.five() + [2] * 34)
        self.refused(request(), self.five() + [2] * 60)
        self.refused(request(), self.five() + [2] * 240)

    def test_descriptors_must_match_the_counts(self):
        self.refused(request(tasks=1), self.five())
        self.refused(request(tasks=33), self.five() + [2] * 33)
        self.refused(request(tasks=0xFFFFFFFF), self.five() + [2] * 4)
        self.refused(request(flags=HAS_CGROUP), self.five())
        self.refused(request(flags=HAS_CGROUP | HAS_ENTER, enter=NEWNS), self.five() + [2])

    def test_entering_needs_its_flag_and_known_namespaces(self):
        self.refused(request(enter=NEWNS), self.five())
        self.refused(request(flags=HAS_ENTER), self.five() + [self.spawner.pidfd])
        self.refused(request(flags=HAS_ENTER, enter=NEWUSER), self.five() + [self.spawner.pidfd])
        self.refused(request(flags=HAS_ENTER, enter=0x100), self.five() + [self.spawner.pidfd])

    def test_a_cgroup_that_is_none_fails_in_clone(self):
        self.refused(request(flags=HAS_CGROUP), self.five() + [2], error=errno.EBADF, where=3)

    def test_a_pidfd_that_is_none_fails_in_setns(self):
        self.refused(request(flags=HAS_ENTER, enter=NEWNS), self.five() + [2], error=errno.EINVAL, where=2)

    def test_a_dead_target_fails_in_setns(self):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        pidfd = os.pidfd_open(pid)
        os.waitpid(pid, 0)
        pid, code, where, _ = self.spawner.ask(request(flags=HAS_ENTER, enter=NEWNS), self.five() + [pidfd])
        os.close(pidfd)
        self.assertEqual((pid, code, where), (0, errno.ESRCH, 2))

    def test_requests_may_be_sent_ahead(self):
        pairs = [socket.socketpair() for _ in range(10)]
        null = os.open("/dev/null", os.O_RDWR)
        for _, theirs in pairs:
            self.spawner.socket.sendmsg(
                [request(namespaces=0)],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"".join(fd.to_bytes(4, "little") for fd in
                                                                 [theirs.fileno()] + [null] * 4))])
            theirs.close()
        for ours, _ in pairs:
            pid, code, _, (pidfd,) = self.spawner.answer()
            self.assertEqual(code, 0)
            ours.close()
            self.assertEqual(os.waitid(os.P_PIDFD, pidfd, os.WEXITED).si_pid, pid)
            os.close(pidfd)
        os.close(null)


class SpawnerLifeTests(InitTestCase):
    def test_end_of_file_ends_it(self):
        self.assertEqual(Spawner().close(), 0)

    def test_signals_do_not_end_it(self):
        spawner = Spawner()
        run(spawner, execute("/bin/true"), namespaces=0)  # it has begun
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGALRM, signal.SIGUSR1):
            os.kill(spawner.pid, number)
        self.assertEqual(run(spawner, execute("/bin/true"), namespaces=0).status, "0")
        self.assertEqual(spawner.close(), 0)

    def test_no_descriptor_is_leaked(self):
        before = self.spawner.descriptors()
        for _ in range(100):
            self.succeeds(execute("/bin/true"), namespaces=0)
        self.assertEqual(self.spawner.descriptors(), before)

    def test_its_environment_is_wiped(self):
        spawner = Spawner(environment={"SECRET": "hunter2"})
        out = run(spawner, execute("/bin/true"), namespaces=0)
        self.assertEqual(out.status, "0")
        with open(f"/proc/{spawner.pid}/environ", "rb") as file:
            content = file.read()
        self.assertNotIn(b"hunter2", content)
        spawner.close()

    def test_the_image_cannot_be_written(self):
        with self.assertRaises(OSError) as caught:
            os.open(f"/proc/{self.spawner.pid}/exe", os.O_WRONLY)
        self.assertIn(caught.exception.errno, (errno.ETXTBSY, errno.EPERM))
        self.assertIn("memfd:gantry-init", os.readlink(f"/proc/{self.spawner.pid}/exe"))

    def test_containers_outlive_the_spawner(self):
        spawner = Spawner()
        read, write = os.pipe()
        container = Container(spawner, stdin=read)
        container.send(execute("/bin/cat"))
        self.assertIsNone(container.report())
        os.kill(spawner.pid, signal.SIGKILL)
        os.waitpid(spawner.pid, 0)
        os.close(read)
        os.write(write, b"still here\n")
        os.close(write)
        self.assertEqual(container.wait().si_status, 0)
        self.assertEqual((container.status, container.read("stdout")), ("0", "still here\n"))

    def test_without_its_socket_it_does_nothing(self):
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open("/dev/null", os.O_RDWR), 3)
            from driver import BINARY
            os.execve(BINARY, ["gantry-init", "spawner"], {})
        self.assertEqual(os.waitpid(pid, 0)[1], 2 << 8)


class CloneTests(InitTestCase):
    def test_the_caller_is_the_parent(self):
        read, write = os.pipe()
        container = Container(self.spawner, stdin=read)
        with open(f"/proc/{container.pid}/stat") as file:
            self.assertEqual(int(file.read().rsplit(")", 1)[1].split()[1]), os.getpid())
        container.control.close()
        self.assertEqual(container.wait().si_status, 1)
        os.close(read)
        os.close(write)

    def test_namespaces_are_new_as_asked(self):
        for name, flag in (("mnt", NEWNS), ("uts", NEWUTS), ("ipc", NEWIPC), ("net", NEWNET), ("pid", NEWPID),
                           ("cgroup", NEWCGROUP)):
            container = Container(self.spawner, namespaces=flag)
            different = {file for file in NAMESPACE_FILES
                         if os.readlink(f"/proc/{container.pid}/ns/{file}") != os.readlink(f"/proc/self/ns/{file}")}
            self.assertEqual(different - {"pid_for_children"}, {name})
            container.control.close()
            container.wait()

    def test_it_is_born_in_its_cgroup2(self):
        parent = "/sys/fs/cgroup/unified" if os.path.exists("/sys/fs/cgroup/unified/cgroup.procs") else "/sys/fs/cgroup"
        if not os.path.exists(f"{parent}/cgroup.procs"):
            self.skipTest("no cgroup2")
        group = tempfile.mkdtemp(prefix="gantry-init-test-", dir=parent)
        self.addCleanup(os.rmdir, group)
        fd = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
        out = self.succeeds(execute("/bin/cat", "/proc/self/cgroup"), namespaces=0, cgroup=fd)
        os.close(fd)
        self.assertIn(f"0::/{os.path.basename(group)}\n", out)

    def test_it_joins_its_v1_cgroups(self):
        hierarchies = [f"/sys/fs/cgroup/{name}" for name in ("pids", "freezer", "memory")
                       if os.path.exists(f"/sys/fs/cgroup/{name}/tasks")]
        if not hierarchies:
            self.skipTest("no cgroup v1")
        groups, fds = [], []
        for hierarchy in hierarchies:
            groups.append(tempfile.mkdtemp(prefix="gantry-init-test-", dir=hierarchy))
            self.addCleanup(os.rmdir, groups[-1])
            fds.append(os.open(f"{groups[-1]}/tasks", os.O_WRONLY))
        out = self.succeeds(execute("/bin/cat", "/proc/self/cgroup"), namespaces=NEWPID, tasks=fds)
        for fd in fds:
            os.close(fd)
        for group in groups:
            self.assertIn(f"/{os.path.basename(group)}\n", out)

    def test_a_cgroup_that_cannot_be_joined_is_reported(self):
        read_only = os.open("/dev/null", os.O_RDONLY)
        null = os.open("/dev/null", os.O_WRONLY)
        outcome = self.fails(execute("/bin/true"), name="join_cgroup", errno=errno.EBADF, text="tasks file 1",
                             namespaces=0, tasks=[null, read_only])
        os.close(read_only)
        os.close(null)
        self.assertEqual(outcome.report.step, 0xFFFFFFFF)


class UserNamespaceTests(InitTestCase):
    def test_the_daemon_maps_ids_between_answer_and_plan(self):
        container = Container(self.spawner, namespaces=USUAL | NEWUSER)
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{container.pid}/{name}", "w") as file:
                file.write("0 100000 65536")
        # Identity first: the host's root is nobody in there.
        container.send(step("identity", uid=0, gid=0, groups=[5]) + PRIVATE + step("hostname", name="inside") +
                       step("mount", type="tmpfs", target="/mnt") + step("directory", path="/mnt/a", mode=0o700) +
                       step("loopback") + shell("id; hostname; stat -c %u:%g /mnt/a; grep -c . /proc/self/uid_map"))
        report = container.report()
        self.assertIsNone(report, report)
        self.assertEqual(container.wait().si_status, 0)
        out = container.read("stdout")
        self.assertIn("uid=0(root) gid=0(root) groups=0(root),5", out)
        self.assertIn("inside\n0:0\n1\n", out)


class EnterTests(InitTestCase):
    def setUp(self):
        super().setUp()
        self.read, self.write = os.pipe()
        self.parent = Container(self.spawner, stdin=self.read)
        self.parent.send(PRIVATE + overlay(make_root()) + PROC + step("hostname", name="parent") + PIVOT +
                         execute("/bin/cat"))
        self.assertIsNone(self.parent.report())

    def tearDown(self):
        os.close(self.read)
        os.close(self.write)
        self.parent.wait()
        super().tearDown()

    def test_a_nested_container_is_in_the_parents_namespaces(self):
        before = {file: os.readlink(f"/proc/{self.spawner.pid}/ns/{file}") for file in NAMESPACE_FILES}
        for _ in range(3):
            out = self.succeeds(shell("hostname; cat /etc/image; ps | grep -c '/bin/[c]at$'; echo $PPID"), namespaces=0,
                                enter=self.parent.pidfd, enter_flags=USUAL)
            self.assertEqual(out.split()[:3], ["parent", "image", "1"])
        # A plain container afterwards is on the host again.
        self.assertEqual(self.succeeds(execute("/bin/hostname"), namespaces=0).strip(), os.uname().nodename)
        self.assertEqual({file: os.readlink(f"/proc/{self.spawner.pid}/ns/{file}") for file in NAMESPACE_FILES}, before)

    def test_a_nested_container_may_have_namespaces_of_its_own(self):
        out = self.succeeds(step("hostname", name="child"), shell("hostname; echo $$"), namespaces=NEWUTS | NEWPID,
                            enter=self.parent.pidfd, enter_flags=USUAL)
        self.assertEqual(out.split(), ["child", "2"])

    def test_a_failed_clone_leaves_the_spawner_outside(self):
        null = os.open("/dev/null", os.O_RDONLY)
        with self.assertRaises(SpawnFailed) as caught:
            Container(self.spawner, cgroup=null, enter=self.parent.pidfd, enter_flags=USUAL)
        os.close(null)
        self.assertEqual((caught.exception.errno, caught.exception.step), (errno.EBADF, 3))
        self.assertEqual(self.succeeds(execute("/bin/hostname"), namespaces=0).strip(), os.uname().nodename)
