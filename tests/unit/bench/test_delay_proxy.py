# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The long link really is long, in each direction, and does not become narrow."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROXY = Path(__file__).resolve().parents[2] / "bench" / "delay_proxy.py"
DELAY = 0.2
CHUNKS = 100


class Ends:
    """A connection through the proxy: the operator's end writes and reads its pipes, the host's end is a socket."""

    def __init__(self, proxy: subprocess.Popen, host: socket.socket) -> None:
        self.proxy = proxy
        self.host = host

    def send(self, to_host: bool, data: bytes) -> None:
        if to_host:
            os.write(self.proxy.stdin.fileno(), data)
        else:
            self.host.sendall(data)

    def receive(self, to_host: bool) -> bytes:
        return self.host.recv(65536) if to_host else os.read(self.proxy.stdout.fileno(), 65536)


@pytest.fixture
def connected():
    """Call it with a delay in seconds."""
    opened = []

    def connect(delay: float) -> Ends:
        with socket.create_server(("127.0.0.1", 0)) as server:
            argv = [sys.executable, str(PROXY), str(delay * 1000), *map(str, server.getsockname())]
            proxy = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            host, _address = server.accept()
        opened.append((proxy, host))
        return Ends(proxy, host)

    yield connect
    for proxy, host in opened:
        host.close()
        proxy.stdin.close()
        proxy.stdout.read()
        assert proxy.wait(30) == 0
        proxy.stdout.close()


def passage(ends: Ends, to_host: bool) -> float:
    """The seconds that one small message takes."""
    started = time.monotonic()
    ends.send(to_host, b"x")
    assert ends.receive(to_host) == b"x"
    return time.monotonic() - started


@pytest.mark.parametrize("to_host", [True, False], ids=["to the host", "from the host"])
def test_each_direction_is_delayed(connected, to_host):
    assert passage(connected(DELAY), to_host) >= DELAY
    # The positive control: it is the delay that was measured, and not the way there.
    assert min(passage(connected(0), to_host) for _time in range(3)) < DELAY


@pytest.mark.parametrize("to_host", [True, False], ids=["to the host", "from the host"])
def test_what_is_sent_at_once_arrives_at_once(connected, to_host):
    ends = connected(DELAY)
    started = time.monotonic()
    sent = b""
    for number in range(CHUNKS):
        chunk = b"%d," % number
        ends.send(to_host, chunk)
        sent += chunk
    received = b""
    while len(received) < len(sent):
        received += ends.receive(to_host)
    assert received == sent
    # One after another they would take a hundred delays.
    assert time.monotonic() - started < DELAY * CHUNKS / 4


def test_the_end_is_passed_on_too(connected):
    ends = connected(0)
    ends.proxy.stdin.close()
    assert ends.host.recv(1) == b""
    ends.host.sendall(b"last words")
    ends.host.close()
    assert ends.proxy.stdout.read() == b"last words"
