# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at paths that may hang: on a dead network mount a stat never returns. Private to this collection.

One small child process forks once for each path, so that a path that hangs costs itself only, however many hang.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from . import host


class Look(NamedTuple):
    """What could be seen of one path.

    ``hung``: no answer in time. ``errno``: the first error of stat, listing or statvfs, None if there was none; then
    ``is_directory`` and the sizes in bytes are set, and ``newest`` is name and modification time (seconds since 1970) of
    the newest entry that was looked for, None if there is none or if nothing was looked for; ``matches`` counts them.
    """

    hung: bool
    errno: Optional[int]
    is_directory: Optional[bool]
    size_bytes: Optional[int]
    available_bytes: Optional[int]
    matches: Optional[int]
    newest: Optional[List[Any]]


_UNSEEN = Look(True, None, None, None, None, None, None)

# Runs in a child of its own, which has one thread: forking is safe there, and not in the module. Without a suffix one
# entry is read: whether the directory answers does not take a list of all that is in it.
_SCRIPT = r"""
import json, os, select, signal, sys, time
paths, seconds = json.loads(sys.argv[1])
def look(path, suffix):
    try:
        is_directory = os.path.stat.S_ISDIR(os.stat(path).st_mode)
        found = []
        if is_directory:
            with os.scandir(path) as entries:
                if suffix is None:
                    next(entries, None)
                else:
                    found = [(entry.stat().st_mtime, entry.name) for entry in entries if entry.name.endswith(suffix)]
        disk = os.statvfs(path)
        newest = list(reversed(max(found))) if found else None
        return [None, is_directory, disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize, len(found), newest]
    except OSError as error:
        return [error.errno, None, None, None, None, None]
readers, children = {}, []
for index, (path, suffix) in enumerate(paths):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, json.dumps(look(path, suffix)).encode())
        os._exit(0)
    os.close(writer)
    readers[reader] = index
    children.append(child)
seen = [None] * len(paths)
deadline = time.monotonic() + seconds
while readers:
    ready = select.select(list(readers), [], [], max(deadline - time.monotonic(), 0))[0]
    if not ready:
        break
    for reader in ready:
        answer = os.read(reader, 4096)
        seen[readers.pop(reader)] = json.loads(answer) if answer else [5, None, None, None, None, None]
        os.close(reader)
for child in children:
    os.kill(child, signal.SIGKILL)
print(json.dumps(seen))
"""


def look(paths: Mapping[str, Optional[str]], seconds: float) -> Dict[str, Look]:
    """Stat and list each path and read its file system's size, all at once, for at most ``seconds``.

    ``paths`` gives for each path the end of the names to look for in it, or None. Every path asked for is in the answer;
    one that did not answer, or whose answer got lost, counts as hung.
    """
    if not paths:
        return {}
    wanted = sorted(paths.items())
    result = host.run(host.python(_SCRIPT, json.dumps([wanted, seconds])), seconds + 2)
    try:
        seen = json.loads(result.stdout)
    except ValueError:
        seen = [None] * len(wanted)
    return {path: _UNSEEN if answer is None else Look(False, *answer) for (path, _end), answer in zip(wanted, seen)}
