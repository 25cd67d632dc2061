# SPDX-License-Identifier: Apache-2.0
"""Steps that make the root and change into it."""

import ctypes
import errno
import os
import tempfile

from base import InitTestCase
from driver import MS_PRIVATE, MS_REC, NEWPID, PIVOT, PRIVATE, PROC, RDONLY, WORK, bind_root, execute, make_root, overlay, shell, step

LIBC = ctypes.CDLL(None, use_errno=True)


def mounts_of(path):
    with open("/proc/self/mountinfo") as file:
        return [row for row in file if path in row]


class PropagationTests(InitTestCase):
    def test_it_is_changed_for_the_whole_tree(self):
        out = self.succeeds(step("propagation", flags=MS_REC | MS_PRIVATE), execute("/bin/cat", "/proc/self/mountinfo"))
        for row in out.splitlines():
            self.assertNotRegex(row, "shared:|master:")

    def test_another_mount_point_may_be_named(self):
        self.succeeds(PRIVATE, step("propagation", flags=MS_PRIVATE, path="/proc"), execute("/bin/true"))

    def test_failure(self):
        self.fails(step("propagation", flags=MS_PRIVATE, path="/nonexistent"), execute("x"), name="propagation",
                   errno=errno.ENOENT, text="/nonexistent")
        # Bits that would make another kind of mount of it.
        self.fails(step("propagation", flags=MS_PRIVATE | 0x1000), execute("x"), name="propagation", errno=errno.EINVAL)


class OverlayRootTests(InitTestCase):
    def test_layers_are_in_order_and_the_upper_takes_writes(self):
        root, middle = make_root(), tempfile.mkdtemp(dir=WORK)
        os.mkdir(f"{middle}/etc")
        with open(f"{middle}/etc/image", "w") as file:
            file.write("middle\n")
        out = self.succeeds(PRIVATE, overlay(root, lower=[middle, root]), PIVOT, shell("cat /etc/image; echo x > /new; cat /new"))
        self.assertEqual(out, "middle\nx\n")
        self.assertFalse(os.path.exists(f"{root}/new"))
        self.assertEqual(mounts_of("overlay-"), [])

    def test_without_upper_it_is_read_only(self):
        root, target = make_root(), tempfile.mkdtemp(dir=WORK)
        plan = step("overlay_root", target=target, lower=[root, make_root()])
        out = self.succeeds(PRIVATE, plan, PIVOT, shell("cat /etc/image; { echo x > /new; } 2>&1; exit 0"))
        self.assertIn("image\n", out)
        self.assertIn("Read-only", out)

    def test_names_with_separators(self):
        parent = tempfile.mkdtemp(dir=WORK)
        odd = f"{parent}/a:b,c\\d e"
        os.rename(make_root(), odd)
        base = f"{parent}/up:per,\\"
        for name in ("", "/upper", "/work", "/target"):
            os.mkdir(base + name)
        plan = step("overlay_root", target=f"{base}/target", lower=[odd, make_root()], upper=f"{base}/upper", work=f"{base}/work")
        self.assertEqual(self.succeeds(PRIVATE, plan, PIVOT, shell("echo x > /etc/new; cat /etc/image")), "image\n")
        self.assertTrue(os.path.exists(f"{base}/upper/etc/new"))

    def layers(self, count, length):
        parent = tempfile.mkdtemp(dir=WORK)
        out = []
        for number in range(count):
            path = f"{parent}/{number:0{length}d}"
            os.mkdir(path)
            out.append(path)
        return out

    def test_more_layers_than_a_page_names(self):
        root = make_root()
        plan = overlay(root, lower=self.layers(400, 200) + [root])
        descriptors = "for n in %s; do [ -e /proc/self/fd/$n ] && echo $n; done; exit 0" % " ".join(map(str, range(3, 600)))
        out = self.succeeds(PRIVATE, plan, PROC, PIVOT, shell("cat /etc/image; pwd; " + descriptors))
        self.assertEqual(out, "image\n/\n")

    def test_options_are_handed_on(self):
        root = make_root()
        out = self.succeeds(PRIVATE, overlay(root, options=["volatile", "xino=off"]), PROC, PIVOT, execute("/bin/cat", "/proc/mounts"))
        self.assertIn("volatile", out.splitlines()[0])

    def test_failures(self):
        root = make_root()
        self.fails(PRIVATE, overlay(root, lower=["/nonexistent/layer"]), execute("x"), name="overlay_root",
                   errno=errno.ENOENT, index=1, text="mount overlay on ")
        self.fails(PRIVATE, overlay(root, lower=[]), execute("x"), name="overlay_root", errno=errno.EINVAL, text="lower is missing")
        self.fails(PRIVATE, step("overlay_root", target=root, lower=[root], upper=root), execute("x"), name="overlay_root",
                   errno=errno.EINVAL)
        self.fails(PRIVATE, overlay(root, options=["a,b"]), execute("x"), name="overlay_root", errno=errno.EINVAL, text="comma")
        self.fails(PRIVATE, overlay(root, options=["nonsense=1"]), execute("x"), name="overlay_root", errno=errno.EINVAL)
        # The kernel's rule: two layers at least without an upper one.
        self.fails(PRIVATE, step("overlay_root", target=root, lower=[root]), execute("x"), name="overlay_root", errno=errno.EINVAL)
        many = self.layers(100, 200)
        self.fails(PRIVATE, overlay(root, lower=many[:50] + ["/nonexistent"] + many[50:]), execute("x"), name="overlay_root",
                   errno=errno.ENOENT, text="open layer /nonexistent")

    def test_a_target_through_a_link_is_refused(self):
        root, parent = make_root(), tempfile.mkdtemp(dir=WORK)
        os.mkdir(f"{parent}/real")
        os.symlink("real", f"{parent}/link")
        self.fails(PRIVATE, step("overlay_root", target=f"{parent}/link", lower=[root, make_root()]), execute("x"), name="overlay_root",
                   errno=errno.ELOOP)


class BindRootTests(InitTestCase):
    def test_it_becomes_the_root(self):
        root = make_root()
        os.mkdir(f"{root}/proc")
        out = self.succeeds(PRIVATE, bind_root(root), PROC, PIVOT, shell("cat /etc/image; echo x > /new; ls /proc/1/root"))
        self.assertIn("image\n", out)
        self.assertTrue(os.path.exists(f"{root}/new"))
        self.assertEqual(mounts_of(root), [])

    def test_read_only_with_what_is_mounted_below(self):
        root = make_root()
        os.mkdir(f"{root}/data")
        self.assertEqual(LIBC.mount(b"tmpfs", f"{root}/data".encode(), b"tmpfs", 0, None), 0)
        self.addCleanup(LIBC.umount2, f"{root}/data".encode(), 2)
        plan = step("bind_root", target=root, read_only=True)
        out = self.succeeds(PRIVATE, plan, PIVOT, shell("{ echo x > /new; echo x > /data/new; } 2>&1; exit 0"))
        self.assertEqual(out.count("Read-only"), 2)

    def test_failures(self):
        self.fails(PRIVATE, bind_root("/nonexistent"), execute("x"), name="bind_root", errno=errno.ENOENT, text="/nonexistent")
        self.fails(PRIVATE, bind_root("/etc/passwd"), execute("x"), name="bind_root", errno=errno.ENOTDIR)
        parent = tempfile.mkdtemp(dir=WORK)
        os.symlink(make_root(), f"{parent}/link")
        self.fails(PRIVATE, bind_root(f"{parent}/link"), execute("x"), name="bind_root", errno=errno.ELOOP)


class PivotRootTests(InitTestCase):
    def test_nothing_of_the_host_is_left(self):
        out = self.succeeds(PRIVATE, overlay(make_root()), PROC, PIVOT, shell("pwd; cat /proc/self/mounts; ls /"))
        lines = out.splitlines()
        self.assertEqual(lines[0], "/")
        self.assertEqual([row.split()[1] for row in lines[1:3]], ["/", "/proc"])
        self.assertEqual(lines[3:], ["bin", "etc", "proc"])

    def test_the_hosts_mounts_survive_a_plan_without_propagation(self):
        # A shared tree on the host; the plan forgets to make it a slave.
        shared = tempfile.mkdtemp(dir=WORK)
        self.assertEqual(LIBC.mount(b"tmpfs", shared.encode(), b"tmpfs", 0, None), 0)
        self.addCleanup(LIBC.umount2, shared.encode(), 2)
        self.assertEqual(LIBC.mount(None, shared.encode(), None, 1 << 20, None), 0)
        before = mounts_of(shared)
        # (pivot_root itself refuses a shared parent of the new root, so it lies in a private one.)
        self.run_plan(bind_root(make_root()), PIVOT, execute("/bin/true"))
        self.assertEqual(mounts_of(shared), before)

    def test_failure_without_a_root(self):
        self.fails(PRIVATE, PIVOT, execute("x"), name="pivot_root", errno=errno.EBUSY, index=1)
