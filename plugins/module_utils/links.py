# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where paths lead when their symbolic links are followed, the way the kernel's table of mounts names them.

The links themselves are read, never what they lead to: a mount that hangs at the end of a path is not touched. One on
the way hangs the child that reads, and that costs this path only. Private to this collection.
"""

from __future__ import annotations

from typing import Dict, Iterable, Optional

from . import killable

_PATH_CAP_BYTES = 16 * 1024

_SCRIPT = r"""
import os
def answer(path):
    reached, rest, followed = "", path.split("/")[::-1], 0
    while rest:
        part = rest.pop()
        if part == "..":
            reached = reached.rpartition("/")[0]
        elif part not in ("", "."):
            try:
                target = os.readlink(reached + "/" + part)
            except OSError:
                reached += "/" + part
                continue
            followed += 1
            if followed > 40:
                raise OSError(path)
            if target.startswith("/"):
                reached = ""
            rest.extend(target.split("/")[::-1])
    return (reached or "/").encode("utf-8", "surrogateescape")
"""


def follow(paths: Iterable[str], seconds: float) -> Dict[str, Optional[str]]:
    """The path that each absolute path means, within ``seconds``. None: it could not be told."""
    wanted = sorted(set(paths))
    try:
        answers = killable.ask(_SCRIPT, wanted, seconds, _PATH_CAP_BYTES)
    except killable.NotAsked:
        return dict.fromkeys(wanted)
    return {
        path: None if answer is None else answer.decode("utf-8", "surrogateescape")
        for path, answer in zip(wanted, answers)
    }
