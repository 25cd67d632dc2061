# SPDX-License-Identifier: Apache-2.0
"""Steps that make files and directories, and the working directory."""

import errno
import os

from base import InitTestCase
from driver import PIVOT, PRIVATE, PROC, execute, make_root, overlay, shell, step


class FilesTestCase(InitTestCase):
    def setUp(self):
        super().setUp()
        self.base = [PRIVATE, overlay(make_root())]

    def after(self, *steps, script):
        return self.succeeds(*self.base, PROC, *steps, PIVOT, shell(script))


class DirectoryTests(FilesTestCase):
    def test_with_parents_and_mode(self):
        out = self.after(step("directory", path="/a/b/c", mode=0o1777), script="stat -c %a /a /a/b /a/b/c")
        self.assertEqual(out.split(), ["755", "755", "1777"])

    def test_an_existing_one_is_left(self):
        self.assertEqual(self.after(step("directory", path="/etc", mode=0o700), script="stat -c %a /etc").strip(), "755")

    def test_failures(self):
        self.fails(*self.base, step("directory", path="/etc/image", mode=0o755), execute("x"), name="directory", errno=errno.ENOTDIR,
                   index=2, text="/etc/image")
        self.fails(*self.base, step("directory", path="/etc/image/a", mode=0o755), execute("x"), name="directory", errno=errno.ENOTDIR)


class DeviceTests(FilesTestCase):
    def test_the_device_works(self):
        out = self.after(step("directory", path="/dev", mode=0o755), step("device", path="/dev/null", mode=0o20666, major=1, minor=3),
                         step("device", path="/dev/zero", mode=0o20644, major=1, minor=5),
                         script="echo x > /dev/null; head -c 3 /dev/zero | wc -c; stat -c %a:%t:%T /dev/null /dev/zero")
        self.assertEqual(out.split(), ["3", "666:1:3", "644:1:5"])

    def test_failures(self):
        self.fails(*self.base, step("device", path="/etc/image", mode=0o20666, major=1, minor=3), execute("x"), name="device",
                   errno=errno.EEXIST, index=2, text="mknod /etc/image")
        self.fails(*self.base, step("device", path="/nonexistent/null", mode=0o20666, major=1, minor=3), execute("x"), name="device",
                   errno=errno.ENOENT, text="parent of /nonexistent/null")
        self.fails(*self.base, step("device", path="/dev/", mode=0o20666, major=1, minor=3), execute("x"), name="device",
                   errno=errno.EINVAL)


class SymbolicLinkTests(FilesTestCase):
    def test_a_link_is_made_and_an_old_one_left(self):
        out = self.after(step("symbolic_link", to="/proc/self/fd", path="/etc/fd"), step("symbolic_link", to="other", path="/etc/fd"),
                         script="readlink /etc/fd")
        self.assertEqual(out.strip(), "/proc/self/fd")

    def test_failures(self):
        self.fails(*self.base, step("symbolic_link", to="x", path="/etc/image"), execute("x"), name="symbolic_link", errno=errno.EEXIST,
                   index=2, text="symlink /etc/image")
        self.fails(*self.base, step("symbolic_link", to="x", path="/nonexistent/a"), execute("x"), name="symbolic_link", errno=errno.ENOENT)


class FileTests(FilesTestCase):
    def test_content_owner_and_mode(self):
        content = bytes(range(256)) * 5000
        out = self.after(step("file", path="/etc/secret", mode=0o640, uid=12, gid=34, content=content),
                         step("file", path="/etc/empty", mode=0o4755, uid=1, gid=2, content=b""),
                         script="stat -c %a:%u:%g:%s /etc/secret /etc/empty; head -c 4 /etc/secret | wc -c")
        self.assertEqual(out.split(), [f"640:12:34:{len(content)}", "4755:1:2:0", "4"])

    def test_failures(self):
        self.fails(*self.base, step("file", path="/etc/image", mode=0o600, content=b"x"), execute("x"), name="file", errno=errno.EEXIST,
                   index=2, text="create /etc/image")
        self.fails(*self.base, step("file", path="/none/a", mode=0o600, content=b"x"), execute("x"), name="file", errno=errno.ENOENT)
        full = step("mount", type="tmpfs", target="/t", options=["size=4k"])
        self.fails(*self.base, full, step("file", path="/t/big", mode=0o600, content=b"x" * 20000), execute("x"), name="file",
                   errno=errno.ENOSPC, index=3, text="write /t/big")


class WorkingDirectoryTests(FilesTestCase):
    def test_it_is_entered(self):
        self.assertEqual(self.succeeds(*self.base, PIVOT, step("working_directory", path="/etc"), shell("pwd")), "/etc\n")

    def test_it_is_made_if_asked(self):
        self.assertEqual(self.succeeds(*self.base, PIVOT, step("working_directory", path="/a/b", create=True), shell("pwd; stat -c %u .")),
                         "/a/b\n0\n")

    def test_a_failed_making_is_only_logged(self):
        outcome = self.fails(*self.base, PIVOT, step("working_directory", path="/etc/image/x", create=True), execute("x"),
                             name="working_directory", errno=errno.ENOTDIR, index=3, text="chdir to /etc/image/x")
        self.assertIn("make directory /etc/image/x (going on)", outcome.stderr)

    def test_failure(self):
        self.fails(*self.base, PIVOT, step("working_directory", path="/nonexistent"), execute("x"), name="working_directory",
                   errno=errno.ENOENT)
