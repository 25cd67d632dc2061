# SPDX-License-Identifier: Apache-2.0
"""Hostile images: each test builds the attack, and shows that it fails and that the host did not change."""

import errno
import os
import subprocess
import sys
import tempfile

from base import InitTestCase
from driver import NOSUID, PIVOT, PRIVATE, PROC, RDONLY, USUAL, WORK, Container, bind_root, execute, make_root, overlay, shell, step

TMPFS = lambda target: step("mount", type="tmpfs", target=target, attributes=NOSUID)


class HostTestCase(InitTestCase):
    """A directory of the host's, with one file, that nothing may reach."""

    def setUp(self):
        super().setUp()
        self.host = tempfile.mkdtemp(prefix="host-", dir=WORK)
        with open(f"{self.host}/precious", "w") as file:
            file.write("precious\n")

    def tearDown(self):
        self.assertEqual(os.listdir(self.host), ["precious"])
        with open(f"{self.host}/precious") as file:
            self.assertEqual(file.read(), "precious\n")
        with open("/proc/self/mountinfo") as file:
            self.assertNotIn(self.host, file.read())
        super().tearDown()

    def up(self):
        """The host's directory by many dots."""
        return "../" * 40 + self.host.lstrip("/")


class LinkTests(HostTestCase):
    def test_proc_as_a_link_is_refused(self):
        # CVE-2019-19921, CVE-2023-27561, CVE-2023-28642.
        for to in (self.host, self.up(), "etc", "/etc", "/proc/self/root/proc"):
            self.fails(PRIVATE, overlay(make_root(proc=to)), PROC, PIVOT, execute("x"), name="mount", errno=errno.ELOOP, index=2,
                       text="/proc")

    def test_sys_as_a_link_is_refused(self):
        sys_mount = step("mount", type="sysfs", target="/sys", attributes=RDONLY)
        self.fails(PRIVATE, overlay(make_root(sys=self.host)), sys_mount, execute("x"), name="mount", errno=errno.ELOOP, text="/sys")

    def test_a_link_out_of_dev_stays_inside(self):
        for root in (make_root(dev=self.host), make_root(dev=self.up())):
            os.makedirs(root + self.host)
            plan = [PRIVATE, bind_root(root), PROC, TMPFS("/dev"), step("device", path="/dev/null", mode=0o20666, major=1, minor=3),
                    step("symbolic_link", to="/proc/self/fd", path="/dev/fd"), step("file", path="/dev/new", mode=0o600, content=b"x"),
                    step("directory", path="/dev/shm", mode=0o1777), PIVOT]
            out = self.succeeds(*plan, shell(f"ls {self.host}"))
            self.assertEqual(sorted(out.split()), ["fd", "new", "null", "shm"])

    def test_a_dangling_link_does_not_create_outside(self):
        root = make_root(data=f"{self.host}/new", up=f"{self.up()}/new")
        for path in ("/data", "/up", "/data/below", "/up/below"):
            self.fails(PRIVATE, bind_root(root), TMPFS(path), execute("x"), name="mount", errno=errno.ENOENT)
            self.fails(PRIVATE, bind_root(root), step("directory", path=path, mode=0o755), execute("x"), name="directory", errno=errno.ENOENT)
            self.fails(PRIVATE, bind_root(root), step("bind", source="/etc/passwd", target=path), execute("x"), name="bind", errno=errno.ENOENT)

    def test_files_do_not_follow_a_last_link(self):
        root = make_root()
        os.symlink(f"{self.host}/precious", f"{root}/etc/link")
        os.symlink(f"{self.host}/new", f"{root}/etc/dangling")
        for name in ("link", "dangling"):
            self.fails(PRIVATE, bind_root(root), step("file", path=f"/etc/{name}", mode=0o600, content=b"bad"), execute("x"), name="file",
                       errno=errno.EEXIST)
            self.fails(PRIVATE, bind_root(root), step("device", path=f"/etc/{name}", mode=0o20666, major=1, minor=3), execute("x"),
                       name="device", errno=errno.EEXIST)

    def test_dots_stay_inside(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), TMPFS("/../../../../../mnt"), TMPFS(f"/a/{self.up()}"), PROC, PIVOT,
                            execute("/bin/cat", "/proc/mounts"))
        self.assertIn(" /mnt tmpfs ", out)
        self.assertIn(f" {self.host} tmpfs ", out)

    def test_a_source_in_the_root_stays_inside(self):
        root = make_root(data=self.host)
        self.fails(PRIVATE, bind_root(root), step("bind", source="/data", target="/v", source_in_root=True), execute("x"), name="bind",
                   errno=errno.ENOENT)
        self.fails(PRIVATE, bind_root(root), step("bind", source="/data/precious", target="/v", source_in_root=True), execute("x"),
                   name="bind", errno=errno.ENOENT)

    def test_a_mask_does_not_cover_the_host(self):
        root = make_root(data=self.host)
        out = self.succeeds(PRIVATE, bind_root(root), step("mask", path="/data/precious"), PIVOT, shell("cat /etc/image"))
        self.assertEqual(out, "image\n")

    def test_magic_links_are_not_followed(self):
        # /proc/self/fd/N and /proc/self/root of the supervisor lead to the host.
        root = make_root(magic="/proc/self/fd/4", back="/proc/self/root", working="/proc/self/cwd")
        for path in ("/magic", "/back/etc", "/working/etc", "/proc/self/root/etc"):
            self.fails(PRIVATE, overlay(root), PROC, TMPFS(path), execute("x"), name="mount", errno=errno.ELOOP, index=3)


class ProcTests(HostTestCase):
    def test_a_directory_in_procs_place_is_not_trusted(self):
        # CVE-2019-16884: the plan's steps below /proc would work on the image's files.
        root = make_root()
        os.makedirs(f"{root}/proc/sys/kernel")
        part = step("bind", source="/proc/sys", target="/proc/sys", source_in_root=True, attributes=RDONLY)
        self.fails(PRIVATE, overlay(root), part, execute("x"), name="bind", errno=errno.EXDEV, text="/proc/sys")
        self.fails(PRIVATE, overlay(root), step("mask", path="/proc/sys"), execute("x"), name="mask", errno=errno.EXDEV)
        self.fails(PRIVATE, overlay(root), PROC, TMPFS("/proc"), step("mask", path="//proc///kcore"), step("directory", path="/proc/a", mode=0o755),
                   execute("x"), name="directory", errno=errno.EXDEV, index=5)

    def test_the_hosts_proc_is_not_the_containers(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, PIVOT, shell("ls -d /proc/[0-9]*"))
        self.assertEqual(out.split(), ["/proc/1", "/proc/2", "/proc/3"][: len(out.split())])


class WorkingDirectoryTests(HostTestCase):
    def test_a_descriptor_of_the_host_is_no_working_directory(self):
        # CVE-2024-21626: the plan asks for /proc/self/fd/N, with a directory of the host as stdin.
        directory = os.open(self.host, os.O_RDONLY | os.O_DIRECTORY)
        for number in (0, *range(3, 12)):
            outcome = self.run_plan(PRIVATE, overlay(make_root()), PROC, PIVOT, step("working_directory", path=f"/proc/self/fd/{number}"),
                                    shell("cat ../../../../../etc/passwd precious"), stdin=directory)
            self.assertNotIn("precious\n", outcome.stdout)
            self.assertNotIn("root:", outcome.stdout)
            if number == 0:
                self.assertEqual((outcome.report.name, outcome.report.errno), ("working_directory", errno.EXDEV), outcome)
        os.close(directory)


class RaceTests(HostTestCase):
    SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
a, b = sys.argv[1].encode(), sys.argv[2].encode()
print("ready", flush=True)
while True:
    libc.renameat2(-100, a, -100, b, 2)
"""

    def test_a_directory_swapped_for_a_link_meanwhile(self):
        # CVE-2021-30465: another container with the same volume swaps a directory and a link all the time.
        volume = tempfile.mkdtemp(prefix="volume-", dir=WORK)
        os.mkdir(f"{volume}/dir")
        os.symlink(self.host, f"{volume}/link")
        swapper = subprocess.Popen([sys.executable, "-c", self.SWAPPER, f"{volume}/dir", f"{volume}/link"], stdout=subprocess.PIPE)
        try:
            self.assertEqual(swapper.stdout.readline(), b"ready\n")
            root = make_root()
            inside = 0
            for _ in range(300):
                outcome = self.run_plan(PRIVATE, overlay(root), step("bind", source=volume, target="/v"), TMPFS("/v/dir/below"),
                                        step("file", path="/v/dir/below/x", mode=0o600, content=b"x"), PROC, PIVOT,
                                        execute("/bin/cat", "/proc/mounts"))
                if outcome.report is None:
                    inside += 1
                else:
                    self.assertIn(outcome.report.errno, (errno.ENOENT, errno.EAGAIN, errno.EEXIST, errno.EINVAL, errno.EROFS, errno.EXDEV),
                                  outcome)
                self.assertEqual(os.listdir(self.host), ["precious"])
            # The attack was tried on launches that got through, too.
            self.assertGreater(inside, 0)
        finally:
            swapper.kill()
            swapper.wait()
            swapper.stdout.close()


class LeakTests(HostTestCase):
    def test_nothing_of_the_host_is_open_in_the_command(self):
        # CVE-2024-21626, CVE-2016-9962: with everything that a request can bring.
        directory = os.open(self.host, os.O_RDONLY | os.O_DIRECTORY)
        null = os.open("/dev/null", os.O_WRONLY)
        script = "for n in %s; do [ -e /proc/self/fd/$n ] && readlink /proc/self/fd/$n; done; exit 0" % " ".join(map(str, range(300)))
        parent = Container(self.spawner)
        out = self.succeeds(shell(script), namespaces=USUAL, enter=parent.pidfd, enter_flags=USUAL, tasks=[null] * 32)
        self.assertEqual(len(out.split()), 3, out)
        parent.control.close()
        parent.wait()
        os.close(directory)
        os.close(null)
