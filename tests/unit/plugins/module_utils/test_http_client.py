# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bounded GET, against servers that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import http_client


@contextlib.contextmanager
def server(answer):
    """A server on the loopback that calls `answer(connection)` for its one client."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            connection, _address = listener.accept()
            with connection, contextlib.suppress(OSError):
                answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield "http://127.0.0.1:%d/api/health" % listener.getsockname()[1]
    finally:
        # Closing alone leaves the port open as long as the thread waits in accept().
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        listener.close()


def reply(body: bytes, status: bytes = b"200 OK"):
    def answer(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))

    return answer


@pytest.mark.parametrize("status", [b"200 OK", b"500 Internal Server Error", b"302 Found"])
def test_gives_status_and_body(status):
    with server(reply(b"hello", status)) as url:
        answer = http_client.get(url, 5)
    assert (answer.status, answer.body, answer.failure) == (int(status[:3]), b"hello", None)


def test_nobody_listens():
    with server(reply(b"")) as url:
        pass
    assert http_client.get(url, 5).failure == "connection_refused"


def test_accepts_and_never_answers():
    with server(lambda connection: connection.recv(1) and time.sleep(3)) as url:
        answer = http_client.get(url, 1)
    assert (answer.status, answer.failure) == (None, "timed_out")
    assert answer.seconds < 2.5


def test_closes_without_an_answer():
    with server(lambda connection: connection.recv(4096)) as url:
        assert http_client.get(url, 5).failure == "connection_closed"


def test_closes_in_the_middle_of_the_body():
    with server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")) as url:
        answer = http_client.get(url, 5)
    assert answer.status is None or answer.body == b""


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _second in range(10):
        connection.sendall(b"x")
        time.sleep(0.3)


def test_a_byte_at_a_time_is_not_a_way_round_the_limit():
    with server(drip) as url:
        answer = http_client.get(url, 1)
    assert (answer.status, answer.failure) == (None, "timed_out")
    assert answer.seconds < 2.5


def drip_header(connection):
    for _piece in range(40):
        connection.sendall(b"H")
        time.sleep(0.1)


def test_a_header_that_never_ends_is_no_way_round_either():
    with server(drip_header) as url:
        answer = http_client.get(url, 1)
    assert (answer.status, answer.failure) == (None, "timed_out")
    assert answer.seconds < 2.5


def test_a_body_without_end():
    with server(reply(b"x" * 300_000)) as url:
        assert http_client.get(url, 5, cap=100_000).failure == "output_truncated"


def test_no_http_at_all():
    with server(lambda connection: connection.sendall(b"\x00\xff garbage\r\n\r\n")) as url:
        answer = http_client.get(url, 5)
    assert (answer.status, answer.failure) == (None, "other")
