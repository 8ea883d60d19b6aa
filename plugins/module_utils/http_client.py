# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bounded GET. Private to this collection."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from typing import Mapping, NamedTuple, Optional
from urllib.parse import urlsplit

BODY_CAP_BYTES = 4 * 1024 * 1024


class Answer(NamedTuple):
    """What an URL answered.

    ``status`` is the HTTP status code, None when there was no whole answer; then ``failure`` is ``connection_refused``,
    ``timed_out``, ``connection_closed``, ``output_truncated`` or ``other``, and ``detail`` says it in the words of the error.
    """

    status: Optional[int]
    body: bytes
    seconds: float
    failure: Optional[str]
    detail: str


def get(url: str, seconds: float, headers: Optional[Mapping[str, str]] = None, cap: int = BODY_CAP_BYTES) -> Answer:
    """GET an ``http`` or ``https`` URL within ``seconds`` in all, whatever the server does; nothing is followed."""
    started = time.monotonic()
    deadline = started + seconds
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    target = parts.path + ("?" + parts.query if parts.query else "")
    # A socket's timeout is for each piece: a server that sends a byte at a time never meets it.
    end = threading.Timer(seconds, _shut, (connection,))
    end.daemon = True
    end.start()
    try:
        connection.request("GET", target or "/", headers=dict(headers or {}))
        response = connection.getresponse()
        chunks = []
        size = 0
        while True:
            chunk = response.read1(65536)
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
            if size > cap:
                return Answer(None, b"", time.monotonic() - started, "output_truncated", "more than %d bytes" % cap)
        if response.length:  # what is still to come of the length that was announced; read1 does not mind
            raise http.client.IncompleteRead(b"", response.length)
        return Answer(response.status, b"".join(chunks), time.monotonic() - started, None, "")
    except Exception as error:  # whatever it is, it is this URL's answer: HTTPException, OSError, a bad port number
        failure = "timed_out" if time.monotonic() >= deadline else _failure(error)
        return Answer(None, b"", time.monotonic() - started, failure, "%s: %s" % (type(error).__name__, error))
    finally:
        end.cancel()
        connection.close()


def _shut(connection: http.client.HTTPConnection) -> None:
    """End whatever waits for the server."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _failure(error: Exception) -> str:
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timed_out"
    if isinstance(error, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(error, (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError)):
        return "connection_closed"
    return "other"
