# SPDX-License-Identifier: Apache-2.0
"""What the test cases share: one spawner a class, a time limit for each test, assertions on outcomes."""

import os
import signal
import unittest

from driver import NO_STEP, Container, Spawner, run


class InitTestCase(unittest.TestCase):
    SECONDS = 60

    @classmethod
    def setUpClass(cls):
        cls.spawner = Spawner()

    @classmethod
    def tearDownClass(cls):
        assert cls.spawner.close() == 0

    def setUp(self):
        signal.signal(signal.SIGALRM, self.too_long)
        signal.alarm(self.SECONDS)

    def tearDown(self):
        signal.alarm(0)

    @staticmethod
    def too_long(*_):
        raise TimeoutError("the test's time is over")

    def run_plan(self, *steps, **options):
        return run(self.spawner, *steps, **options)

    def succeeds(self, *steps, **options):
        """The command ran and ended with 0: its standard output."""
        outcome = self.run_plan(*steps, **options)
        self.assertIsNone(outcome.report, outcome)
        self.assertEqual((outcome.status, outcome.code), ("0", 0), outcome)
        return outcome.stdout

    def fails(self, *steps, name, errno, index=None, text=None, **options):
        """A step failed: report, line, status and exit code agree."""
        outcome = self.run_plan(*steps, **options)
        report = outcome.report
        self.assertIsNotNone(report, outcome)
        self.assertEqual((report.name, report.errno), (name, errno), outcome)
        if index is not None:
            self.assertEqual(report.step, index, outcome)
        if text is not None:
            self.assertIn(text, report.text, outcome)
        self.assertEqual(outcome.status, "256", outcome)
        # The C library's words for errno follow; they are not the same in every one.
        self.assertIn(f"gantry-init: {name}: {report.text}: ", outcome.stderr)
        self.assertEqual(outcome.code, 0 if name == "execute" else 1, outcome)
        return outcome


def line(fd):
    """The next line of a pipe, without reading more than it."""
    out = b""
    while not out.endswith(b"\n"):
        byte = os.read(fd, 1)
        if not byte:
            break
        out += byte
    return out.decode().rstrip("\n")


__all__ = ["InitTestCase", "line", "Container", "NO_STEP"]
