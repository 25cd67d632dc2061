# SPDX-License-Identifier: Apache-2.0
"""Steps that mount below the root."""

import errno
import os
import tempfile

from base import InitTestCase
from driver import NODEV, NOEXEC, NOSUID, PIVOT, PRIVATE, PROC, RDONLY, WORK, bind_root, execute, make_root, overlay, shell, step

CAT_MOUNTS = execute("/bin/cat", "/proc/self/mounts")


def mount(kind, target, attributes=0, options=()):
    return step("mount", type=kind, target=target, attributes=attributes, options=options)


class MountTests(InitTestCase):
    def row(self, out, target):
        (row,) = [row.split() for row in out.splitlines() if row.split()[1] == target]
        return row[0], row[2], set(row[3].split(","))

    def test_kinds_attributes_and_options(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, mount("sysfs", "/sys", RDONLY | NOSUID | NOEXEC | NODEV),
                            mount("tmpfs", "/dev", NOSUID, ["mode=755", "size=64k"]),
                            mount("devpts", "/dev/pts", NOSUID | NOEXEC, ["newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
                            mount("tmpfs", "/dev/shm", NOSUID | NODEV, ["mode=1777"]), mount("mqueue", "/dev/mqueue"),
                            PIVOT, CAT_MOUNTS)
        self.assertEqual(self.row(out, "/proc")[:2], ("proc", "proc"))
        self.assertLessEqual({"nosuid", "nodev", "noexec"}, self.row(out, "/proc")[2])
        self.assertLessEqual({"ro", "nosuid", "nodev", "noexec"}, self.row(out, "/sys")[2])
        self.assertLessEqual({"rw", "nosuid", "mode=755", "size=64k"}, self.row(out, "/dev")[2])
        self.assertLessEqual({"gid=5", "mode=620", "ptmxmode=666"}, self.row(out, "/dev/pts")[2])
        self.assertEqual(self.row(out, "/dev/shm")[1], "tmpfs")
        self.assertEqual(self.row(out, "/dev/mqueue")[1], "mqueue")

    def test_missing_directories_are_made(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), mount("tmpfs", "//a/./b//c/"), PIVOT,
                            shell("stat -c %a /a /a/b; stat -f -c %T /a/b/c"))
        self.assertEqual(out.split(), ["755", "755", "tmpfs"])

    def test_the_source_may_be_named(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, mount("tmpfs", "/t", 0, ["source=mine"]), PIVOT, CAT_MOUNTS)
        self.assertEqual(self.row(out, "/t")[0], "mine")

    def test_a_mount_may_go_over_a_mount(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), mount("tmpfs", "/t"), step("directory", path="/t/one", mode=0o755),
                            mount("tmpfs", "/t"), PIVOT, shell("ls /t; echo empty"))
        self.assertEqual(out, "empty\n")

    def test_failures(self):
        base = [PRIVATE, overlay(make_root())]
        self.fails(*base, mount("nonsense", "/t"), execute("x"), name="mount", errno=errno.ENODEV, index=2, text="fsopen nonsense")
        self.fails(*base, mount("tmpfs", "/t", 0, ["nonsense=1"]), execute("x"), name="mount", errno=errno.EINVAL,
                   text="option nonsense=1 of tmpfs")
        self.fails(*base, mount("tmpfs", "/t", 0, ["x" * 100]), execute("x"), name="mount", errno=errno.EINVAL)
        for bits in (1 << 30, 1 << 40):
            self.fails(*base, mount("tmpfs", "/t", bits), execute("x"), name="mount", errno=errno.EINVAL, text="fsmount")
        self.fails(*base, mount("tmpfs", "/etc/image/t"), execute("x"), name="mount", errno=errno.ENOTDIR, text="/etc/image/t")
        self.fails(*base, mount("tmpfs", "/etc/image"), execute("x"), name="mount", errno=errno.EINVAL, text="move_mount")
        self.fails(*base, mount("tmpfs", "/" + "x" * 300), execute("x"), name="mount", errno=errno.ENAMETOOLONG)
        self.fails(*base, mount("tmpfs", "/x" * 2500), execute("x"), name="mount", errno=errno.ENAMETOOLONG)

    def test_the_kernels_words_are_in_the_report(self):
        outcome = self.fails(PRIVATE, overlay(make_root()), mount("tmpfs", "/t", 0, ["nonsense=1"]), execute("x"), name="mount",
                             errno=errno.EINVAL)
        self.assertIn("Unknown parameter 'nonsense'", outcome.report.text)


class BindTests(InitTestCase):
    def volume(self):
        path = tempfile.mkdtemp(dir=WORK)
        os.chmod(path, 0o755)
        with open(f"{path}/data", "w") as file:
            file.write("data\n")
        return path

    def test_directories_and_files(self):
        volume = self.volume()
        out = self.succeeds(PRIVATE, overlay(make_root()), step("bind", source=volume, target="/v/dir"),
                            step("bind", source=f"{volume}/data", target="/v/file"), PIVOT,
                            shell("cat /v/dir/data /v/file; echo more > /v/dir/new"))
        self.assertEqual(out, "data\ndata\n")
        self.assertTrue(os.path.exists(f"{volume}/new"))

    def test_read_only(self):
        volume = self.volume()
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, step("bind", source=volume, target="/v", attributes=RDONLY | NOEXEC),
                            PIVOT, shell("{ echo x > /v/new; } 2>&1; grep ' /v ' /proc/mounts"))
        self.assertIn("Read-only", out)
        self.assertIn("ro,noexec", out)

    def test_recursive_takes_what_is_below(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), mount("tmpfs", "/a"), mount("tmpfs", "/a/b"),
                            step("directory", path="/a/b/c", mode=0o755),
                            step("bind", source="/a", target="/flat", source_in_root=True),
                            step("bind", source="/a", target="/deep", source_in_root=True, recursive=True, attributes=RDONLY),
                            PIVOT, shell("ls /flat/b; ls /deep/b; { mkdir /deep/b/d; } 2>&1; exit 0"))
        self.assertEqual(out.splitlines()[0], "c")
        self.assertIn("Read-only", out)

    def test_the_new_procs_parts_are_bound_on_themselves(self):
        parts = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        binds = [step("bind", source=part, target=part, source_in_root=True, optional=True, attributes=RDONLY | NOSUID | NODEV | NOEXEC)
                 for part in parts if os.path.exists(part)]
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, *binds, PIVOT,
                            shell("{ echo x > /proc/sys/kernel/hostname; } 2>&1; grep -c '^proc /proc/' /proc/mounts; exit 0"))
        self.assertIn("Read-only", out)
        self.assertEqual(int(out.split()[-1]), len(binds))

    def test_a_missing_source_may_be_optional(self):
        base = [PRIVATE, overlay(make_root())]
        for in_root in (False, True):
            self.succeeds(*base, step("bind", source="/nonexistent", target="/v", optional=True, source_in_root=in_root), PIVOT,
                          shell("[ ! -e /v ]"))
            self.fails(*base, step("bind", source="/nonexistent", target="/v", source_in_root=in_root), execute("x"), name="bind",
                       errno=errno.ENOENT, index=2, text="open_tree of /nonexistent")

    def test_a_strict_source_is_reached_without_links(self):
        volume = self.volume()
        os.mkdir(f"{volume}/real")
        os.symlink("real", f"{volume}/link")
        os.mkdir(f"{volume}/real/below")
        base = [PRIVATE, overlay(make_root())]
        out = self.succeeds(*base, step("bind", source=f"{volume}/real", target="/v", strict_source=True), PIVOT, shell("ls /v"))
        self.assertEqual(out, "below\n")
        for path, code in ((f"{volume}/link", errno.ELOOP), (f"{volume}/link/below", errno.ELOOP), (f"{volume}/data", errno.ENOTDIR)):
            self.fails(*base, step("bind", source=path, target="/v", strict_source=True), execute("x"), name="bind", errno=code,
                       text=f"open_tree of {path}")

    def test_access_times(self):
        volume = self.volume()
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, step("bind", source=volume, target="/v", attributes=0x10), PIVOT, CAT_MOUNTS)
        self.assertIn("noatime", [row for row in out.splitlines() if " /v " in row][0])

    def test_failures(self):
        base = [PRIVATE, overlay(make_root())]
        self.fails(*base, step("bind", source="/etc/passwd", target="/bin"), execute("x"), name="bind", errno=errno.EINVAL,
                   text="move_mount on /bin")
        self.fails(*base, step("bind", source="/etc", target="/etc/image"), execute("x"), name="bind", errno=errno.EINVAL)
        self.fails(*base, step("bind", source="/etc", target="/v", attributes=1 << 40), execute("x"), name="bind", errno=errno.EINVAL,
                   text="mount_setattr for /v")


class MaskTests(InitTestCase):
    def test_files_and_directories_are_hidden(self):
        root = make_root()
        for name in ("one", "two"):
            os.mkdir(f"{root}/{name}")
            with open(f"{root}/{name}/secret", "w") as file:
                file.write("secret\n")
        masks = [step("mask", path=path) for path in ("/one", "/two", "/etc/image", "/nonexistent", "/etc/image/none", "/proc/keys")]
        out = self.succeeds(PRIVATE, overlay(root), PROC, *masks, PIVOT,
                            shell("ls /one /two; cat /etc/image /proc/keys; for f in /etc/image /one/x /two/x; do "
                                  "{ echo x > $f; } 2>&1; done; stat -c %F:%t:%T /etc/image; grep -c '^tmpfs /[ot]' /proc/mounts"))
        self.assertNotIn("secret", out)
        self.assertNotIn("image\n", out.splitlines()[:1])
        self.assertEqual(out.count("Read-only"), 2)
        self.assertIn("character special file:1:3", out)
        self.assertEqual(out.split()[-1], "2")

    def test_without_masks_the_null_device_is_not_needed(self):
        # A host (here: a nested container) whose /dev/null is a file.
        root = make_root()
        os.mkdir(f"{root}/dev")
        with open(f"{root}/dev/null", "w") as file:
            file.write("trap\n")
        self.with_parent(root, lambda **inside: self.succeeds(shell("exit 0"), **inside))

    def test_a_null_device_that_is_none_is_refused(self):
        root = make_root()
        os.mkdir(f"{root}/dev")
        with open(f"{root}/dev/null", "w") as file:
            file.write("trap\n")
        self.with_parent(root, lambda **inside: self.fails(step("mask", path="/etc/image"), execute("/bin/true"), name="check_plan",
                                                           errno=errno.ENODEV, text="/dev/null", **inside))

    def test_a_null_device_that_is_a_link_is_refused(self):
        root = make_root()
        os.mkdir(f"{root}/dev")
        os.symlink("../etc/image", f"{root}/dev/null")
        self.with_parent(root, lambda **inside: self.fails(step("mask", path="/etc/image"), execute("/bin/true"), name="check_plan",
                                                           errno=errno.ENODEV, text="/dev/null", **inside))

    def with_parent(self, root, body):
        from driver import NEWNS, USUAL, Container
        read, write = os.pipe()
        parent = Container(self.spawner, stdin=read)
        parent.send(PRIVATE + bind_root(root) + PIVOT + execute("/bin/cat"))
        self.assertIsNone(parent.report())
        try:
            body(namespaces=NEWNS, enter=parent.pidfd, enter_flags=USUAL)
        finally:
            os.close(read)
            os.close(write)
            parent.wait()

    def test_failure(self):
        # After pivot_root the verified device's mount is gone with the old root: an error, not a mask left out.
        self.fails(PRIVATE, overlay(make_root()), PIVOT, step("mask", path="/etc/image"), execute("x"), name="mask",
                   errno=errno.EINVAL, index=3)


class AttributesTests(InitTestCase):
    def test_a_read_only_root(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), mount("tmpfs", "/t"), step("attributes", path="/", set=RDONLY), PIVOT,
                            shell("{ echo x > /new; } 2>&1; echo x > /t/new; cat /t/new"))
        self.assertIn("Read-only", out)
        self.assertTrue(out.endswith("x\n"))

    def test_clear_and_propagation(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, mount("tmpfs", "/t", RDONLY),
                            step("attributes", path="/t", clear=RDONLY, propagation=1 << 20), PIVOT,
                            shell("echo x > /t/new; grep ' /t ' /proc/self/mountinfo"))
        self.assertIn("shared:", out)

    def test_failures(self):
        base = [PRIVATE, overlay(make_root())]
        self.fails(*base, step("attributes", path="/etc", set=RDONLY), execute("x"), name="attributes", errno=errno.EINVAL, index=2,
                   text="mount_setattr on /etc")
        self.fails(*base, step("attributes", path="/nonexistent", set=RDONLY), execute("x"), name="attributes", errno=errno.ENOENT)
