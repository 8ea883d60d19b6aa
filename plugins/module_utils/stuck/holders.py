# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds job locks: which process, and of which unit, so that it can be said what ends when a unit is stopped.

Whoever holds a lock has its file open. Which process that is, the kernel tells in ``/proc``; a lock's text and the existence of
its file mean nothing (contract 1.6). Private to this collection.
"""

from __future__ import annotations

import os
import re
from typing import Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .. import locks

_LOCK = re.compile(r"job-([0-9]{1,18})\.lock")
_UNIT = re.compile(r"[^/]+\.(?:service|scope)")


class Holder(NamedTuple):
    """What holds a job's lock: the units whose processes have it open. None: nobody could be found, or not for sure."""

    units: Optional[FrozenSet[str]]
    pids: Tuple[int, ...]


def states(directory: str, jobs: Iterable[int]) -> Dict[int, str]:
    """``held``, ``free``, ``absent`` or ``unknown`` for the lock of each job."""
    return {job: locks.state(path(directory, job)) for job in jobs}


def path(directory: str, job: int) -> str:
    """Where the lock of a job lies."""
    return "%s/job-%d.lock" % (directory, job)


def held(directory: str) -> Dict[int, Holder]:
    """The holders of all locks in the directory that are held, whatever the rows say of the jobs; :class:`OSError`."""
    jobs = []
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return {}
    for name in names:
        match = _LOCK.fullmatch(name)
        if match is not None and locks.state(os.path.join(directory, name)) in ("held", "unknown"):
            jobs.append(int(match.group(1)))
    if not jobs:
        return {}
    users: Dict[int, List[int]] = {job: [] for job in jobs}
    wanted = {_identity(path(directory, job)): job for job in jobs}
    for pid, identity in _open_files():
        job = wanted.get(identity)
        if job is not None and pid not in users[job]:
            users[job].append(pid)
    return {job: _holder(pids) for job, pids in users.items()}


def unit_of(cgroup: str) -> Optional[str]:
    """The unit of a process, from its ``/proc/PID/cgroup``. Pure.

    systemd's own hierarchy is ``name=systemd``, or the one with number 0 where there is only one.
    """
    paths: Dict[str, str] = {}
    for line in cgroup.splitlines():
        number, _colon, rest = line.partition(":")
        controllers, colon, place = rest.partition(":")
        if colon and (controllers == "name=systemd" or (number == "0" and not controllers)):
            paths[controllers] = place
    place = paths.get("name=systemd") or paths.get("") or ""
    found = [part for part in place.split("/") if _UNIT.fullmatch(part)]
    return found[-1] if found else None


def _identity(lock: str) -> Optional[Tuple[int, int]]:
    try:
        status = os.stat(lock)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _open_files() -> Iterator[Tuple[int, Tuple[int, int]]]:
    """Process and identity of every file that is open under the name of a lock; a look at other files could hang."""
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        directory = "/proc/%s/fd" % name
        try:
            descriptors = os.listdir(directory)
        except OSError:
            continue
        for descriptor in descriptors:
            link = "%s/%s" % (directory, descriptor)
            try:
                if _LOCK.fullmatch(os.path.basename(os.readlink(link))) is None:
                    continue
                status = os.stat(link)
            except OSError:
                continue
            yield int(name), (status.st_dev, status.st_ino)


def _holder(pids: List[int]) -> Holder:
    units = set()
    for pid in pids:
        try:
            with open("/proc/%d/cgroup" % pid, encoding="utf-8", errors="replace") as handle:
                unit = unit_of(handle.read())
        except OSError:
            unit = None
        if unit is None:
            return Holder(None, tuple(pids))
        units.add(unit)
    return Holder(frozenset(units) if units else None, tuple(pids))
