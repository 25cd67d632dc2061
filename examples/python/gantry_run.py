#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Launches a container and prints its output, with nothing but Python's standard library.

    gantry_run.py IMAGE COMMAND [ARGUMENT...]

The daemon's socket is $GANTRY_HOST, or /run/gantry/gantryd.sock. The exit code is the command's own, or 128 plus the
signal that ended it. The field numbers are those of proto/gantry/v1 and proto/mesos; a larger program would let protoc
write the first half of this file.
"""

import os
import socket
import struct
import sys
import uuid

# --- protobuf: numbers are varints, everything else is bytes with a length in front ---------------------------------


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One field: an int or bool as a varint, text and bytes and messages (bytes, too) with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(int(value))
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    """The fields of a message, as a dictionary of lists. None of the messages here has fixed-width numbers."""
    found, place = {}, 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        tag = number()
        if tag & 7 == 0:
            value = number()
        elif tag & 7 == 2:
            length = number()
            value, place = data[place : place + length], place + length
        else:
            raise ValueError(f"wire type {tag & 7}")
        found.setdefault(tag >> 3, []).append(value)
    return found


def path(data, *numbers, default=b""):
    """The last value along nested messages: path(m, 1, 2) is m's field 1, and of that message field 2."""
    for number in numbers:
        values = fields(data).get(number)
        if not values:
            return default
        data = values[-1]
    return data


# --- ttrpc: frames of a ten-byte header and data --------------------------------------------------------------------

REQUEST, RESPONSE, DATA = 1, 2, 3
REMOTE_CLOSED, REMOTE_OPEN, NO_DATA = 1, 2, 4
CONTAINERIZER = "gantry.v1.Containerizer"


class Connection:
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(address)
        self.input = self.socket.makefile("rb")
        self.last_stream = -1

    def send(self, stream, kind, flags, data=b""):
        self.socket.sendall(struct.pack(">IIBB", len(data), stream, kind, flags) + data)

    def request(self, method, payload, flags=0):
        """Begins a call, and returns its stream's id: 1, 3, 5, and so on."""
        self.last_stream += 2
        request = field(1, CONTAINERIZER) + field(2, method) + field(3, payload)
        self.send(self.last_stream, REQUEST, flags, request)
        return self.last_stream

    def receive(self):
        """The next frame, of whichever stream: (stream, kind, flags, data)."""
        header = self.input.read(10)
        if len(header) < 10:
            raise SystemExit("error: the daemon has closed the connection")
        length, stream, kind, flags = struct.unpack(">IIBB", header)
        return stream, kind, flags, self.input.read(length)


def payload(response):
    """The payload of a Response; ends the program if it carries an error instead."""
    if path(response, 1, 1, default=0):
        raise SystemExit("error: " + path(response, 1, 2).decode())
    return path(response, 2)


# --- the container --------------------------------------------------------------------------------------------------


def launch_request(container, image, command):
    command_info = field(3, command[0]) + field(6, False) + b"".join(field(7, word) for word in command)
    docker_image = field(1, 2) + field(3, field(1, image))
    container_info = field(1, 2) + field(5, field(1, docker_image))
    config = field(3, "") + field(11, command_info) + field(12, container_info)
    return field(1, container) + field(2, config)


def run(connection, image, command):
    container = field(1, "python-" + uuid.uuid4().hex[:12])
    # All three leave together: a short command may have ended, and be forgotten, before an answer to the first is here.
    launch = connection.request("Launch", launch_request(container, image, command))
    wait = connection.request("Wait", field(1, container))
    attach = connection.request("Attach", b"", REMOTE_OPEN)
    start = field(1, container) + field(3, True) + field(4, True) + field(6, True)
    connection.send(attach, DATA, 0, field(1, start))
    connection.send(attach, DATA, REMOTE_CLOSED | NO_DATA)

    open_streams, status = {launch, wait, attach}, None
    while open_streams:
        stream, kind, flags, data = connection.receive()
        if kind == RESPONSE or flags & REMOTE_CLOSED:
            open_streams.discard(stream)
        if kind == RESPONSE:
            answer = payload(data)
            if stream == launch and path(answer, 1, default=0) != 1:
                raise SystemExit("error: the daemon did not launch the container")
            if stream == wait:
                status = path(answer, 1, 3, default=0)
        elif not flags & NO_DATA:
            # ProcessIO: field 2 is data, of which 1 says which stream it is, and 2 what was written.
            target = sys.stderr if path(data, 2, 1, default=0) == 3 else sys.stdout
            target.buffer.write(path(data, 2, 2))
            target.buffer.flush()
    return os.waitstatus_to_exitcode(status)


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__.splitlines()[2].strip())
    host = os.environ.get("GANTRY_HOST", "unix:///run/gantry/gantryd.sock")
    code = run(Connection(host.removeprefix("unix://")), sys.argv[1], sys.argv[2:])
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
