# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the file system that may never be answered: on a dead network mount a stat or a read hangs for ever.

One small child process forks once for each question, so that one that hangs costs itself only, however many hang.
Private to this collection.
"""

from __future__ import annotations

import json
from typing import Any, List, Optional, Sequence

from . import host

# Runs in a child of its own, which has one thread: forking is safe there, and not in the module. What `answer(question)`
# returns is bytes; what it raises is no answer, like a hang.
_HARNESS = r"""
import json, os, select, signal, sys, time
questions, seconds = json.loads(sys.argv[1])
readers, children = {}, []
for index, question in enumerate(questions):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        said = b"+" + answer(question)
        while said:
            said = said[os.write(writer, said):]
        os._exit(0)
    os.close(writer)
    readers[reader] = index
    children.append(child)
answers = [[] for question in questions]
whole = set()
deadline = time.monotonic() + seconds
while readers:
    ready = select.select(list(readers), [], [], max(deadline - time.monotonic(), 0))[0]
    if not ready:
        break
    for reader in ready:
        chunk = os.read(reader, 65536)
        if chunk:
            answers[readers[reader]].append(chunk)
        else:
            whole.add(readers.pop(reader))
            os.close(reader)
for child in children:
    os.kill(child, signal.SIGKILL)
answers = [b"".join(parts) if index in whole else b"" for index, parts in enumerate(answers)]
output = sys.stdout.buffer
output.write(json.dumps([len(answer) for answer in answers]).encode() + b"\n")
for said in answers:
    output.write(said)
output.flush()
"""
_LENGTHS_CAP_BYTES = 64 * 1024


# Each question takes a process and a descriptor, and all of them are one argument of the child.
_MOST_AT_ONCE = 100


class NotAsked(Exception):
    """The questions were not put."""


def ask(script: str, questions: Sequence[Any], seconds: float, answer_cap: int) -> List[Optional[bytes]]:
    """Answer each question by ``answer(question) -> bytes`` of the script, all at once, for at most ``seconds``.

    Questions are JSON values; ``answer_cap`` is the most bytes that one answer can have. None: no answer in time.
    Raises :class:`NotAsked` when the child itself failed: that says nothing of what was asked about.
    """
    answers: List[Optional[bytes]] = []
    for start in range(0, len(questions), _MOST_AT_ONCE):
        answers += _ask(script, questions[start : start + _MOST_AT_ONCE], seconds, answer_cap)
    return answers


def _ask(script: str, questions: Sequence[Any], seconds: float, answer_cap: int) -> List[Optional[bytes]]:
    argv = host.python(script + _HARNESS, json.dumps([list(questions), seconds]))
    cap = _LENGTHS_CAP_BYTES + len(questions) * (answer_cap + 1)
    result = host.run(argv, seconds + 2, cap=cap)
    header, _line, body = result.stdout.partition(b"\n")
    try:
        lengths = [int(length) for length in json.loads(header)]
    except (ValueError, TypeError):
        lengths = []
    if len(lengths) != len(questions) or sum(lengths) != len(body):
        raise NotAsked("the child that looks ended without an answer (%s)" % (result.failure or result.rc))
    answers: List[Optional[bytes]] = []
    for length in lengths:
        said, body = body[:length], body[length:]
        answers.append(said[1:] if said.startswith(b"+") else None)
    return answers
