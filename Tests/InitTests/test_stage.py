# SPDX-License-Identifier: Apache-2.0
"""Stages: namespaces and mounts that were made before a container asks for them."""

import errno
import os
import time
import unittest

from base import InitTestCase
from driver import (NEWIPC, NEWNET, NEWNS, NEWPID, NEWUTS, NODEV, NOSUID, PIVOT, PRIVATE, PROC, RECIPE, Container,
                    SpawnFailed, Spawner, execute, make_root, overlay, request, run, shell, step)

OWN = NEWNS | NEWPID | NEWUTS
TMP = step("mount", type="tmpfs", target="/tmp", attributes=NOSUID | NODEV, options=["mode=1777"])
DEV = step("mount", type="tmpfs", target="/dev", attributes=NOSUID, options=["mode=755"])
NULL = step("device", path="/dev/null", mode=0o20666, major=1, minor=3)
SHM = step("mount", type="tmpfs", target="/dev/shm", attributes=NOSUID, options=["mode=1777"])
LOOPBACK = step("loopback")
PARK = step("park", trees=["/dev", "/tmp"])
RECIPE_STEPS = [DEV, NULL, SHM, TMP, LOOPBACK, PARK]


def attach(tree, target, **more):
    return step("attach", tree=tree, target=target, **more)


def give_recipe(spawner, *steps, namespaces=NEWNET | NEWIPC, stages=2):
    fd = os.memfd_create("recipe")
    os.write(fd, b"".join(steps))
    spawner.moment = os.eventfd(0)
    try:
        return spawner.ask(request(namespaces, RECIPE, stages=stages), [fd, spawner.moment])
    finally:
        os.close(fd)


class StageTests(InitTestCase):
    def setUp(self):
        super().setUp()
        self.own = Spawner()

    def tearDown(self):
        self.assertEqual(self.own.close(), 0)
        super().tearDown()

    def staged(self, *steps):
        outcome = run(self.own, PRIVATE, overlay(make_root()), *steps, namespaces=OWN, staged=True)
        return outcome

    def test_a_container_has_what_its_stage_brought(self):
        self.assertEqual(give_recipe(self.own, *RECIPE_STEPS)[:3], (0, 0, 0))
        outcome = self.staged(attach(0, "/dev"), attach(1, "/tmp"), PROC, PIVOT,
                              shell("ls /dev; stat -c %a /tmp; ip addr show lo; readlink /proc/self/ns/net; "
                                    "grep -c . /proc/self/mounts; for n in /proc/self/fd/*; do echo $n; done"))
        self.assertEqual((outcome.report, outcome.status), (None, "0"), outcome)
        self.assertIn("null\nshm\n1777\n", outcome.stdout)
        self.assertIn("LOOPBACK,UP", outcome.stdout)
        self.assertNotIn(os.readlink("/proc/self/ns/net"), outcome.stdout)
        self.assertNotIn("/fd/5", outcome.stdout)

    def test_nobody_gets_what_another_had(self):
        give_recipe(self.own, *RECIPE_STEPS)
        script = "ls /tmp /dev/shm; touch /tmp/mine /dev/shm/mine; read line"
        alive, namespaces = [], set()
        read, write = os.pipe()
        for _ in range(6):
            container = Container(self.own, namespaces=OWN, staged=True, stdin=read)
            container.send(PRIVATE + overlay(make_root()) + attach(1, "/tmp") + attach(0, "/dev") + PIVOT +
                           shell(script))
            self.assertIsNone(container.report())
            namespaces |= {os.readlink(f"/proc/{container.pid}/ns/{name}") for name in ("net", "ipc")}
            alive.append(container)
        self.assertEqual(len(namespaces), 12)
        os.close(read)
        os.close(write)
        for container in alive:
            container.wait()
            self.assertEqual(container.read("stdout"), "/dev/shm:\n\n/tmp:\n")

    def test_a_stage_is_made_when_none_waits(self):
        self.assertEqual(give_recipe(self.own, *RECIPE_STEPS, stages=0)[:3], (0, 0, 0))
        outcome = self.staged(attach(0, "/dev"), attach(1, "/tmp"), PIVOT, execute("/bin/true"))
        self.assertEqual((outcome.report, outcome.status), (None, "0"), outcome)

    def test_stages_are_made_when_the_moment_has_come(self):
        before = len(self.descriptors())
        give_recipe(self.own, *RECIPE_STEPS, stages=3)
        # Four descriptors a stage, and the eventfd.
        full = before + 13
        self.settle(full)
        for _ in range(2):
            self.staged(attach(0, "/dev"), PIVOT, execute("/bin/true"))
        self.assertEqual(len(self.descriptors()), full - 8)
        os.eventfd_write(self.own.moment, 1)
        self.settle(full)

    def settle(self, descriptors):
        deadline = time.monotonic() + 10
        while len(self.own.descriptors()) != descriptors:
            self.assertLess(time.monotonic(), deadline, self.own.descriptors())

    def test_nothing_of_a_stage_stays_with_the_spawner(self):
        give_recipe(self.own, *RECIPE_STEPS, stages=0)
        before = self.descriptors()
        for _ in range(3):
            self.staged(attach(0, "/dev"), PIVOT, execute("/bin/true"))
        self.assertEqual(self.descriptors(), before)

    def descriptors(self):
        # What came with a request is closed before the next one is answered.
        self.own.ask(b"", [])
        return self.own.descriptors()

    def test_a_tree_is_there_once(self):
        give_recipe(self.own, *RECIPE_STEPS)
        outcome = self.staged(attach(0, "/dev"), attach(0, "/tmp"), PIVOT, execute("/bin/true"))
        self.assertEqual((outcome.report.name, outcome.report.errno), ("attach", errno.EINVAL), outcome)
        outcome = self.staged(attach(2, "/dev"), PIVOT, execute("/bin/true"))
        self.assertEqual((outcome.report.name, outcome.report.errno), ("attach", errno.EINVAL), outcome)

    def test_a_strict_target_is_no_link(self):
        give_recipe(self.own, *RECIPE_STEPS)
        root = make_root(tmp="etc")
        strict = attach(1, "/tmp", strict=True)
        outcome = run(self.own, PRIVATE, overlay(root), strict, PIVOT, execute("/bin/true"), namespaces=OWN, staged=True)
        self.assertEqual((outcome.report.name, outcome.report.errno), ("attach", errno.ELOOP), outcome)

    def test_a_recipe_that_fails_says_why(self):
        broken = step("mount", type="nonsense", target="/x", attributes=0)
        self.assertEqual(give_recipe(self.own, broken, PARK, stages=0)[:3], (0, 0, 0))
        for _ in range(2):
            with self.assertRaises(SpawnFailed) as failed:
                Container(self.own, namespaces=OWN, staged=True)
            self.assertEqual((failed.exception.errno, failed.exception.step), (errno.ENODEV, 5))

    def test_a_recipe_is_given_once(self):
        give_recipe(self.own, *RECIPE_STEPS)
        self.assertEqual(give_recipe(self.own, *RECIPE_STEPS)[1:3], (errno.EINVAL, 1))

    def test_bad_requests_are_refused(self):
        self.assertEqual(give_recipe(self.own, PARK, stages=65)[1:3], (errno.EINVAL, 1))
        self.assertEqual(give_recipe(self.own, PARK, namespaces=NEWPID)[1:3], (errno.EINVAL, 1))
        self.assertEqual(give_recipe(self.own)[1:3], (errno.EMSGSIZE, 1))
        with self.assertRaises(SpawnFailed) as failed:
            Container(self.own, namespaces=OWN, staged=True)
        self.assertEqual((failed.exception.errno, failed.exception.step), (errno.EINVAL, 1))
        give_recipe(self.own, *RECIPE_STEPS)
        with self.assertRaises(SpawnFailed) as failed:
            Container(self.own, namespaces=OWN | NEWNET, staged=True)
        self.assertEqual((failed.exception.errno, failed.exception.step), (errno.EINVAL, 1))

    def test_a_container_cannot_park(self):
        outcome = run(self.own, PARK)
        self.assertEqual((outcome.report.name, outcome.report.errno), ("park", errno.EINVAL), outcome)


class ReleaseTests(InitTestCase):
    def test_the_command_waits_for_its_release(self):
        root = make_root()
        container = Container(self.spawner)
        container.send(PRIVATE + overlay(root) + step("hostname", name="ready") + PIVOT + execute("/bin/true"),
                       release=False)
        # The mounts are made without the release.
        while "overlay / " not in open(f"/proc/{container.pid}/mounts").read():
            pass
        self.assertEqual(container.status, "")
        container.control.sendall(b"\0")
        self.assertIsNone(container.report())
        self.assertEqual(container.wait().si_status, 0)
        self.assertEqual(container.status, "0")

    def test_without_a_release_nothing_is_run(self):
        for steps in ([execute("/bin/echo", "ran")], [step("command", path="/bin/echo", arguments=["echo", "ran"]),
                                                       execute("/bin/true")]):
            container = Container(self.spawner)
            container.send(b"".join(steps), release=False)
            container.control.close()
            self.assertEqual(container.wait().si_status, 1)
            self.assertEqual((container.status, container.read("stdout")), ("256", ""))


if __name__ == "__main__":
    unittest.main()
