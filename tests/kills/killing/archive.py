# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file below the archive root and on the storage box, by its checksum; and what of it was lost, changed or made since.

A file that became longer is told from one that was changed: what it was before is what it begins with now.
"""

from __future__ import annotations

import json
import re
from typing import Dict, List, Mapping, NamedTuple, Optional

from driving.guest import Guest

# The first holds what the second shows at its mounts, which are not entered.
ROOTS = ("/home/storagebox", "/srv/healtharchive/jobs")
_PROGRAM = r"""
import hashlib, json, os, stat, sys

def summed(path, size):
    # the checksum of all of it, and of so much of its beginning
    whole, beginning, left, length = hashlib.sha256(), hashlib.sha256(), size, 0
    with open(path, "rb") as file:
        while True:
            block = file.read(1 << 20)
            if not block:
                break
            whole.update(block)
            beginning.update(block[:left])
            left -= min(left, len(block))
            length += len(block)
    return whole.hexdigest(), length, beginning.hexdigest()

sizes = json.loads(sys.argv[1])
found = {}
for root in {roots}:
    device = os.lstat(root).st_dev
    for directory, names, files in os.walk(root):
        # what cannot be looked at is a mount that died
        names[:] = [name for name in names if os.path.lexists(os.path.join(directory, name))
                    and os.lstat(os.path.join(directory, name)).st_dev == device]
        for path in (os.path.join(directory, name) for name in files):
            try:
                if stat.S_ISREG(os.lstat(path).st_mode):
                    found[path] = summed(path, sizes.get(path, 0))
            except FileNotFoundError:
                # a crawl took it away between the two looks
                pass
print(json.dumps(found))
"""


class File(NamedTuple):
    """``beginning``: the checksum of so much of it as there was before."""

    checksum: str
    size: int
    beginning: str = ""


def look(guest: Guest, before: Optional[Mapping[str, File]] = None) -> Dict[str, File]:
    """Every file by its path."""
    sizes = {path: file.size for path, file in (before or {}).items()}
    program = _PROGRAM.replace("{roots}", repr(ROOTS))
    said = guest.root("python3 - '%s' <<'END OF PROGRAM'\n%s\nEND OF PROGRAM\n" % (json.dumps(sizes), program))
    return {path: File(*found) for path, found in json.loads(said).items()}


def differing(before: Mapping[str, File], now: Mapping[str, File], growing: str = "", rewritten: str = "") -> List[str]:
    """What is lost, changed or new and must not be: paths, each with what became of it. Pure.

    ``growing`` and ``rewritten`` are expressions of paths, as those of a recovery; empty where there are none.
    """
    problems = []
    for path in sorted({*before, *now}):
        old, new = before.get(path), now.get(path)
        if old is not None and new is not None and old.checksum == new.checksum:
            continue
        grown = old is not None and new is not None and new.size >= old.size and new.beginning == old.checksum
        if grown and growing and re.match(growing, path):
            continue
        archived = old is not None and path.endswith(".warc.gz")
        if rewritten and re.match(rewritten, path) and not archived:
            continue
        problems.append("%s is %s" % (path, "new" if old is None else "lost" if new is None else "changed"))
    return problems
