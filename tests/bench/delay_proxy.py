#!/usr/bin/env python3
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ProxyCommand that makes a link long: every byte arrives later, each way, and none is held back beyond that.

    ProxyCommand delay_proxy.py MILLISECONDS HOST PORT

The delay is of one direction: 50 makes a round trip of 100 ms. There is no limit on what is under way at once, so the
throughput stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import sys
import threading
import time
from typing import Callable, Tuple

CHUNK_BYTES = 65536


def forward(read: Callable[[], bytes], write: Callable[[bytes], None], delay: float) -> None:
    """Pass on what ``read`` gives ``delay`` seconds after it came, until it gives nothing; that is passed on, too.

    ``write`` gets b"" at the end.
    """
    on_its_way: "queue.SimpleQueue[Tuple[float, bytes]]" = queue.SimpleQueue()

    def take() -> None:
        chunk = b"-"
        while chunk:
            try:
                chunk = read()
            except OSError:  # the other end is gone
                chunk = b""
            on_its_way.put((time.monotonic() + delay, chunk))

    threading.Thread(target=take, daemon=True).start()
    chunk = b"-"
    while chunk:
        due, chunk = on_its_way.get()
        time.sleep(max(due - time.monotonic(), 0))
        write(chunk)


def main() -> None:
    delay, host, port = float(sys.argv[1]) / 1000, sys.argv[2], int(sys.argv[3])
    connection = socket.create_connection((host, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def to_host(chunk: bytes) -> None:
        if chunk:
            connection.sendall(chunk)
        else:
            connection.shutdown(socket.SHUT_WR)

    def from_host(chunk: bytes) -> None:
        while chunk:
            chunk = chunk[os.write(1, chunk) :]

    def outwards() -> None:
        with contextlib.suppress(OSError):  # the host has closed the connection: the other direction says so
            forward(lambda: os.read(0, CHUNK_BYTES), to_host, delay)

    threading.Thread(target=outwards, daemon=True).start()
    forward(lambda: connection.recv(CHUNK_BYTES), from_host, delay)


if __name__ == "__main__":
    main()
