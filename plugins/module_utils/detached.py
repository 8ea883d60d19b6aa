# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that goes on to its end when the link to the controller is cut: in a process of its own. Private to this collection.

sudo ends what it started when its caller is gone: with SIGHUP and SIGTERM and, two seconds later, SIGKILL, to the whole process
group. What is in the middle of a change, between its begin record and its end record, must not be where that reaches.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from typing import Any, Callable, Dict, List, Optional

_ANSWER_CAP_BYTES = 64 * 1024 * 1024


def run(work: Callable[[], Dict[str, Any]], seconds: int) -> Optional[Dict[str, Any]]:
    """What ``work`` returns, a JSON-like dict. None when it ended without an answer, or has not ended after ``seconds``: then
    the kernel ends it.

    It runs in a child, in a session of its own, without standard input, output or error.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(work, writer, seconds)
    os.close(writer)
    try:
        # A little longer than the child has: what it says last must be heard.
        answer = _read(reader, time.monotonic() + seconds + 5)
    finally:
        os.close(reader)
    if answer is None:
        return None
    os.waitpid(child, 0)
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _be_the_child(work: Callable[[], Dict[str, Any]], writer: int, seconds: int) -> None:
    """Never returns: what the parent does at its end is not for the child to do."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        rest = memoryview(json.dumps(work()).encode("ascii"))
        while rest:
            rest = rest[os.write(writer, rest) :]
        code = 0
    finally:
        os._exit(code)


def _read(reader: int, deadline: float) -> Optional[bytes]:
    """Everything up to the end; None when that does not come in time."""
    parts: List[bytes] = []
    size = 0
    while size <= _ANSWER_CAP_BYTES:
        ready = select.select([reader], [], [], max(deadline - time.monotonic(), 0))[0]
        if not ready:
            return None
        part = os.read(reader, 65536)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
    return None
