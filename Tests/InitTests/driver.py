# SPDX-License-Identifier: Apache-2.0
"""Drives the real gantry-init: starts a spawner from a sealed memfd, sends requests and plans."""

import array
import atexit
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
BINARY = os.environ.get("GANTRY_INIT", os.path.join(REPOSITORY, ".build-init", "gantry-init"))
SANITIZED = os.environ.get("GANTRY_INIT_SANITIZED") == "1"

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
USUAL = NEWNS | NEWPID | NEWUTS | NEWIPC | NEWNET
HAS_CGROUP, HAS_ENTER, STAGED, RECIPE = 1, 2, 4, 8
RDONLY, NOSUID, NODEV, NOEXEC = 1, 2, 4, 8
MS_REC, MS_PRIVATE, MS_SLAVE = 0x4000, 0x40000, 0x80000
NO_STEP = 0xFFFFFFFF
MEMORY_LIMIT = 8 * 1024 * 1024

# ---------------------------------------------------------------- the plan, by the .proto file itself


def _messages():
    text = re.sub(r"//[^\n]*", "", open(os.path.join(REPOSITORY, "proto/gantry/init/v1/plan.proto")).read())
    messages = {}
    for name, body in re.findall(r"message (\w+) \{((?:[^{}]|\{[^{}]*\})*)\}", text):
        messages[name] = [
            (bool(repeated), kind, field, int(number))
            for repeated, kind, field, number in re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)
        ]
    return messages


MESSAGES = _messages()
KINDS = {field: (number, kind) for _, kind, field, number in MESSAGES["Step"] if kind in MESSAGES}


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def chunk(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


def text(value):
    """A text of the plan: with its NUL. Bytes are taken as they are."""
    return value if isinstance(value, bytes) else value.encode() + b"\0"


def message(name, values):
    out = b""
    fields = {field: (repeated, kind, number) for repeated, kind, field, number in MESSAGES[name]}
    for field, value in values.items():
        repeated, kind, number = fields[field]
        if kind == "bytes":
            out += b"".join(chunk(number, text(item)) for item in (value if repeated else [value]))
        elif repeated:
            out += chunk(number, b"".join(varint(item) for item in value))
        else:
            out += varint(number << 3) + varint(int(value))
    return out


def step(kind, origin=None, **values):
    number, name = KINDS[kind]
    body = (chunk(1, text(origin)) if origin is not None else b"") + chunk(number, message(name, values))
    return chunk(1, body)


def execute(*arguments, environment=("PATH=/bin",), path=None, **more):
    return step("execute", path=path or arguments[0], arguments=arguments, environment=environment, **more)


def shell(script, **more):
    return execute("/bin/sh", "-c", script, **more)


def decode(data):
    """One level of a message: {number: last value}."""
    fields, at = {}, 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = take()
        if tag & 7 == 0:
            fields[tag >> 3] = take()
        else:
            length = take()
            fields[tag >> 3] = data[at : at + length]
            at += length
    return fields


class Report:
    def __init__(self, data):
        fields = decode(data)
        self.step = fields.get(1, 0)
        self.name = fields.get(2, b"").decode()
        self.errno = fields.get(3, 0)
        self.text = fields.get(4, b"").decode(errors="replace")
        self.origin = fields.get(5, b"").decode()

    def __repr__(self):
        return f"Report(step={self.step}, {self.name}, errno={self.errno}, {self.text!r}, origin={self.origin!r})"


# ---------------------------------------------------------------- processes


def sealed(path):
    fd = os.memfd_create("gantry-init", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    with open(path, "rb") as source:
        data = source.read()
    while data:
        data = data[os.write(fd, data) :]
    os.fchmod(fd, 0o500)
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


class SpawnFailed(Exception):
    def __init__(self, errno, step):
        super().__init__(f"errno {errno}, step {step}")
        self.errno, self.step = errno, step


class Spawner:
    def __init__(self, environment=None):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        image = sealed(BINARY)
        environment = environment or {}
        environment = {"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0", **environment} if SANITIZED else environment
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(theirs.fileno(), 3)
                os.execve(image, ["gantry-init", "spawner"], environment)
            finally:
                os._exit(127)
        theirs.close()
        os.close(image)
        self.socket = ours
        self.pidfd = os.pidfd_open(self.pid)

    def ask(self, request, fds):
        """The raw exchange: (pid, errno, step, [received descriptors])."""
        self.socket.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
        return self.answer()

    def answer(self):
        data, control, _, _ = self.socket.recvmsg(64, 1024)
        assert len(data) == 20, data
        version, pid, errno, where, helper = struct.unpack("<IiiIi", data)
        assert version == 3
        if helper > 0:
            assert os.waitpid(helper, 0) == (helper, 0)
        received = array.array("i")
        for _, _, body in control:
            received.frombytes(body[: len(body) // 4 * 4])
        return pid, errno, where, list(received)

    def close(self):
        self.socket.close()
        code = os.waitpid(self.pid, 0)[1]
        os.close(self.pidfd)
        return code

    def descriptors(self):
        return sorted(int(name) for name in os.listdir(f"/proc/{self.pid}/fd"))


def request(namespaces=USUAL, flags=0, enter=0, tasks=0, version=3, stages=0):
    return struct.pack("<IIQQII", version, flags, namespaces, enter, tasks, stages)


class Container:
    """One clone. Files: directory/status, directory/stdout, directory/stderr."""

    def __init__(self, spawner, namespaces=USUAL, cgroup=None, enter=None, enter_flags=0, tasks=(), stdin=None,
                 stdout=None, staged=False):
        self.directory = tempfile.mkdtemp(prefix="container-", dir=WORK)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        opened = [os.open(os.path.join(self.directory, name), os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                  for name in ("status", "stdout", "stderr")]
        null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        fds = [theirs.fileno(), opened[0], null if stdin is None else stdin,
               opened[1] if stdout is None else stdout, opened[2]]
        flags = STAGED if staged else 0
        if cgroup is not None:
            flags |= HAS_CGROUP
            fds.append(cgroup)
        if enter is not None:
            flags |= HAS_ENTER
            fds.append(enter)
        fds += tasks
        try:
            pid, errno, where, received = spawner.ask(request(namespaces, flags, enter_flags, len(tasks)), fds)
        finally:
            theirs.close()
            for fd in opened + [null]:
                os.close(fd)
        if pid == 0:
            self.control.close()
            raise SpawnFailed(errno, where)
        self.pid, (self.pidfd,) = pid, received

    def send(self, plan, length=None, release=True):
        go = b"\0" if release else b""
        try:
            self.control.sendall(struct.pack("<I", len(plan) if length is None else length) + plan + go)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has failed before; its report is there to be read

    def report(self):
        """The report, or None at end-of-file: the command was executed."""
        data = b""
        while True:
            try:
                more = self.control.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            data += more
        self.control.close()
        if not data:
            return None
        (length,) = struct.unpack_from("<I", data)
        assert length == len(data) - 4, (length, len(data))
        return Report(data[4:])

    def wait(self):
        """The supervisor's own wait status (siginfo), after its end."""
        info = os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        os.close(self.pidfd)
        self.control.close()
        return info

    def kill(self, number):
        signal.pidfd_send_signal(self.pidfd, number)

    def read(self, name):
        with open(os.path.join(self.directory, name), errors="replace") as file:
            return file.read()

    @property
    def status(self):
        return self.read("status")


class Outcome:
    def __init__(self, container, report):
        self.report = report
        info = container.wait()
        self.code, self.how = info.si_status, info.si_code
        self.status, self.stdout, self.stderr = container.status, container.read("stdout"), container.read("stderr")

    def __repr__(self):
        return f"Outcome(status={self.status}, code={self.code}, {self.report}, out={self.stdout!r}, err={self.stderr!r})"


def run(spawner, *steps, **options):
    container = Container(spawner, **options)
    container.send(b"".join(steps))
    return Outcome(container, container.report())


# ---------------------------------------------------------------- a root file system

WORK = tempfile.mkdtemp(prefix="gantry-init-tests-")
atexit.register(shutil.rmtree, WORK, ignore_errors=True)
_MAIN = os.getpid()

APPLETS = ("sh ls cat echo true false sleep id hostname stat readlink ip grep mkdir touch rm mount umount ps kill test "
           "wc head sort pwd env dd ln trap setsid uname seq tr mknod chmod").split()


def make_root(**links):
    """A directory with busybox; `links` are symbolic links at its top: name="to"."""
    root = tempfile.mkdtemp(prefix="root-", dir=WORK)
    os.chmod(root, 0o755)
    os.mkdir(f"{root}/bin")
    shutil.copy("/bin/busybox", f"{root}/bin/busybox")
    for applet in APPLETS:
        os.symlink("busybox", f"{root}/bin/{applet}")
    os.mkdir(f"{root}/etc")
    with open(f"{root}/etc/image", "w") as file:
        file.write("image\n")
    for name, to in links.items():
        os.symlink(to, f"{root}/{name}")
    return root


PRIVATE = step("propagation", flags=MS_REC | MS_SLAVE)
PROC = step("mount", type="proc", target="/proc", attributes=NOSUID | NODEV | NOEXEC)
PIVOT = step("pivot_root")


def overlay(root, **more):
    base = tempfile.mkdtemp(prefix="overlay-", dir=WORK)
    for name in ("target", "upper", "work"):
        os.mkdir(f"{base}/{name}")
    os.chmod(f"{base}/upper", 0o755)
    lower = more.pop("lower", [root])
    return step("overlay_root", target=f"{base}/target", lower=lower, upper=f"{base}/upper", work=f"{base}/work", **more)


def bind_root(root):
    return step("bind_root", target=root)
