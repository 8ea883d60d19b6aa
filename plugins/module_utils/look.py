# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at paths that may hang: on a dead network mount a stat never returns. Private to this collection.

One small child process forks once for each path, so that a path that hangs costs itself only, however many hang.
"""

from __future__ import annotations

import json
from typing import Dict, List, NamedTuple, Optional, Sequence

from . import host


class Look(NamedTuple):
    """What could be seen of one path.

    ``hung``: no answer in time. ``errno``: the first error of stat, listing or statvfs, None if there was none; then
    ``is_directory`` and the sizes in bytes are set. ``newest_log``: modification time (seconds since 1970) of the
    newest ``*.combined.log`` right in it, None if there is none.
    """

    hung: bool
    errno: Optional[int]
    is_directory: Optional[bool]
    size_bytes: Optional[int]
    available_bytes: Optional[int]
    newest_log: Optional[float]


_UNSEEN = Look(True, None, None, None, None, None)

# Runs in a child of its own, which has one thread: forking is safe there, and not in the module.
_SCRIPT = r"""
import json, os, select, signal, sys, time
paths, seconds = json.loads(sys.argv[1])
def look(path):
    try:
        is_directory = os.path.stat.S_ISDIR(os.stat(path).st_mode)
        newest = None
        if is_directory:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name.endswith('.combined.log'):
                        newest = max(newest or 0, entry.stat().st_mtime)
        disk = os.statvfs(path)
        return [None, is_directory, disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize, newest]
    except OSError as error:
        return [error.errno, None, None, None, None]
readers, children = {}, []
for index, path in enumerate(paths):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, json.dumps(look(path)).encode())
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
        seen[readers.pop(reader)] = json.loads(answer) if answer else [5, None, None, None, None]
        os.close(reader)
for child in children:
    os.kill(child, signal.SIGKILL)
print(json.dumps(seen))
"""


def look(paths: Sequence[str], seconds: float, who: Optional[host.Account] = None) -> Dict[str, Look]:
    """Stat and list each path and read its file system's size, all at once, for at most ``seconds``.

    Every path asked for is in the answer; one that did not answer, or whose answer got lost, counts as hung.
    """
    wanted: List[str] = sorted(set(paths))
    if not wanted:
        return {}
    argv = host.python(_SCRIPT, json.dumps([wanted, seconds]))
    result = host.run(argv, seconds + 2, who)
    try:
        seen = json.loads(result.stdout)
    except ValueError:
        seen = [None] * len(wanted)
    return {path: _UNSEEN if answer is None else Look(False, *answer) for path, answer in zip(wanted, seen)}
