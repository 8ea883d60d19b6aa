# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is on a guest, by another path than the collection's: files, rows, units, crawls, mounts."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from driving import guest as guests
from killing.trial import NOTHING_HELD

# The archive root without what is mounted in it, which may hang, and the storage box on its own disk. Of a file that was there
# before, its beginning as well, as long as the file was then.
_FILES = r"""
unshare --mount --propagation private python3 -B - <<'END_OF_PROGRAM'
import hashlib, json, os, subprocess

before = json.loads(%r)
os.makedirs("/run/archive-root-alone", exist_ok=True)
subprocess.run(["mount", "--bind", "/srv/healtharchive/jobs", "/run/archive-root-alone"], check=True)
found = {}
for place, root in (("disk", "/run/archive-root-alone"), ("box", "/home/storagebox/jobs")):
    for directory, _folders, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            key = place + ":" + os.path.relpath(path, root)
            try:
                with open(path, "rb") as file:
                    content = file.read()
            except FileNotFoundError:
                continue
            beginning = hashlib.sha256(content[: before[key]]).hexdigest() if key in before else None
            found[key] = [len(content), hashlib.sha256(content).hexdigest(), beginning]
print(json.dumps(found))
END_OF_PROGRAM
"""
_CRAWLS = r"""
for process in $(pgrep --full -- 'run-db-job --id' || true); do
    unit=$(sed -n 's|.*/system\.slice/\([^/]*\).*|\1|p' /proc/$process/cgroup 2>/dev/null | head -n 1) || continue
    echo "$process $unit $(tr '\0' ' ' 2>/dev/null </proc/$process/cmdline)"
done
"""
_CRAWL = re.compile(r"(\d+) (\S+) \S*python\S* \S*healtharchive run-db-job --id (\d+)")
_MOUNTS = "findmnt --list --noheadings --output TARGET,FSROOT --types fuse.sshfs | sort"
_UNITS = "systemctl list-units --all --plain --no-legend 'healtharchive-remediation*' | awk '{print $1}'"
_WELL = (
    "answers 200 /api/health",
    "systemctl is-active --quiet postgresql healtharchive-api",
    "systemctl is-active --quiet healtharchive-worker",
)


class Seen(NamedTuple):
    """One moment. ``files``: size, digest, and digest of the beginning that was there before; ``jobs`` None while the database
    does not answer; ``crawls``: the process of each job that something else than the worker runs."""

    files: Dict[str, Tuple[int, str, Optional[str]]]
    jobs: Optional[Dict[int, Dict[str, Any]]]
    worker: bool
    crawls: Dict[int, int]


def look(guest: guests.Guest, before: Optional[Seen] = None) -> Seen:
    sizes = {} if before is None else {path: size for path, (size, _digest, _beginning) in before.files.items()}
    files: Mapping[str, List[Any]] = json.loads(guest.root(_FILES % json.dumps(sizes)))
    jobs = guest.jobs() if guest.holds("pg_isready --quiet") else None
    crawls = {}
    for line in guest.root(_CRAWLS).splitlines():
        match = _CRAWL.match(line)
        if match is not None and match.group(2) != guests.WORKER:
            crawls[int(match.group(3))] = int(match.group(1))
    return Seen({path: tuple(of) for path, of in files.items()}, jobs, guest.active(guests.WORKER), crawls)


def mounts(guest: guests.Guest) -> List[str]:
    """Where, and what of the storage box; with a path once for each mount that lies on it."""
    return guest.root(_MOUNTS).splitlines()


def not_well(guest: guests.Guest) -> List[str]:
    """What runs on a guest as new, and does not here."""
    return ["does not hold: %s" % script for script in _WELL if not guest.holds(script)]


def left(guest: guests.Guest) -> List[str]:
    """Of clearances, switches and whoever acts: what must not be there when nothing goes on."""
    wrong = [] if guest.holds(NOTHING_HELD) else ["a clearance, its lock or the turn to act is held still"]
    units = guest.root(_UNITS).split()
    return wrong + (["units are left: %s" % " ".join(units)] if units else [])
