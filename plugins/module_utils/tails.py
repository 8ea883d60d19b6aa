# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of files that may be very long and may lie on a mount that hangs. Private to this collection."""

from __future__ import annotations

import json
from typing import Dict, Mapping, NamedTuple, Optional

from . import killable


class Tail(NamedTuple):
    """The last bytes of a file; ``whole`` when they are all of it."""

    content: bytes
    whole: bool


# Only a plain file is read, and nothing waits to be opened: a pipe in a log's place must not hold anybody up.
_SCRIPT = r"""
import json, os
def answer(question):
    path, size = question
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    if not os.path.stat.S_ISREG(status.st_mode):
        raise OSError(path)
    start = max(status.st_size - size, 0)
    parts = []
    while size > 0:
        part = os.pread(descriptor, size, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
        size -= len(part)
    whole = start - sum(map(len, parts)) == 0
    return json.dumps(whole).encode() + b"\n" + b"".join(parts)
"""


def tails(sizes: Mapping[str, int], seconds: float) -> Dict[str, Optional[Tail]]:
    """The last ``sizes[path]`` bytes of each file, all at once, within ``seconds``. None: it could not be read."""
    wanted = sorted(sizes.items())
    cap = max(sizes.values(), default=0) + 16
    try:
        answers = killable.ask(_SCRIPT, [[path, size] for path, size in wanted], seconds, cap)
    except killable.NotAsked:
        return dict.fromkeys(sizes)
    return {path: _tail(answer) for (path, _size), answer in zip(wanted, answers)}


def _tail(answer: Optional[bytes]) -> Optional[Tail]:
    if answer is None:
        return None
    whole, _line, content = answer.partition(b"\n")
    return Tail(content, json.loads(whole))
