# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at paths that may hang: on a dead network mount a stat never returns. Private to this collection."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from . import host, killable


class Look(NamedTuple):
    """What could be seen of one path.

    ``hung``: no answer in time. ``asked``: false when nothing could be looked at, and nothing else is known. ``errno``:
    the first error of stat, listing or statvfs, None if there was none; then ``is_directory`` and the sizes in bytes are
    set, and ``newest`` is name and modification time (seconds since 1970) of the newest entry that was looked for, None
    if there is none or if nothing was looked for; ``matches`` counts them.
    ``writable``: whether the account that was asked about may make files there, or in the nearest directory above it
    that exists; None where that was not asked or could not be told.
    """

    hung: bool
    errno: Optional[int]
    is_directory: Optional[bool]
    size_bytes: Optional[int]
    available_bytes: Optional[int]
    matches: Optional[int]
    newest: Optional[List[Any]]
    writable: Optional[bool]
    asked: bool = True


_UNSEEN = Look(True, None, None, None, None, None, None, None)
_UNASKED = _UNSEEN._replace(hung=False, asked=False)
_ANSWER_CAP_BYTES = 8192

# Without a suffix one entry is read: whether the directory answers does not take a list of all that is in it.
# `writable` asks the kernel (access) as the account itself, in a process that is about to end: nothing is written.
_SCRIPT = r"""
import json, os
def changed(entry):
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0
def look(path, suffix):
    try:
        is_directory = os.path.stat.S_ISDIR(os.stat(path).st_mode)
        found = []
        if is_directory:
            with os.scandir(path) as entries:
                if suffix is None:
                    next(entries, None)
                else:
                    found = [(changed(entry), entry.name) for entry in entries if entry.name.endswith(suffix)]
        disk = os.statvfs(path)
        newest = list(reversed(max(found))) if found else None
        return [None, is_directory, disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize, len(found), newest]
    except OSError as error:
        return [error.errno, None, None, None, None, None]
def writable(path, account):
    if account is None:
        return None
    uid, gid, groups = account
    try:
        if os.getuid() != uid:
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
    except OSError:
        return None
    while True:
        try:
            os.stat(path)
        except FileNotFoundError:
            if path in ("", "/"):
                return None
            path = os.path.dirname(path)
            continue
        except PermissionError:
            return False
        except OSError:
            return None
        return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)
def answer(question):
    path, suffix, account = question
    return json.dumps([*look(path, suffix), writable(path, account)]).encode()
"""


def look(paths: Mapping[str, Optional[str]], seconds: float, writer: Optional[host.Account] = None) -> Dict[str, Look]:
    """Stat and list each path and read its file system's size, all at once, for at most ``seconds``.

    ``paths`` gives for each path the end of the names to look for in it, or None; ``writer`` is the account whose right
    to write there is asked for. Every path asked for is in the answer.
    """
    account: Optional[Sequence[Any]] = None if writer is None else [writer.uid, writer.gid, list(writer.groups)]
    wanted = sorted(paths.items())
    try:
        answers = killable.ask(_SCRIPT, [[path, end, account] for path, end in wanted], seconds, _ANSWER_CAP_BYTES)
    except killable.NotAsked:
        return dict.fromkeys(paths, _UNASKED)
    return {path: _look(answer) for (path, _end), answer in zip(wanted, answers)}


def _look(answer: Optional[bytes]) -> Look:
    return _UNSEEN if answer is None else Look(False, *json.loads(answer))
