# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of the module on the host: looked at from this machine, which sees a guest's processes."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Iterator, List, Optional

INTERVAL_SECONDS = 0.005
_PROC = Path("/proc")


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _children(pid: int) -> List[int]:
    """Children of all its threads; [] for a process that has ended."""
    found: List[int] = []
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            found += [int(child) for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def below(pid: int) -> List[int]:
    """All processes that descend from this one."""
    found: List[int] = []
    waiting = _children(pid)
    while waiting:
        child = waiting.pop()
        found.append(child)
        waiting += _children(child)
    return found


def proportional_bytes(pid: int) -> int:
    """Its memory, a page that several processes map counted in parts (PSS); 0 for a process that has ended."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(("Pss:", "SwapPss:")))


def modules(sshd: int) -> List[int]:
    """The topmost Python processes of what runs over SSH: sshd, a shell, sudo and another shell are above them."""
    found: List[int] = []
    waiting = _children(sshd)
    while waiting:
        pid = waiting.pop()
        if _name(pid).startswith("python"):
            found.append(pid)
        else:
            waiting += _children(pid)
    return found


class Peak:
    """The most memory seen at once of the module and all that it started, and how often it was looked at."""

    def __init__(self) -> None:
        self.bytes = 0
        self.looks = 0

    def look(self, sshd: int) -> None:
        pids = [pid for module in modules(sshd) for pid in (module, *below(module))]
        if pids:
            self.looks += 1
            self.bytes = max(self.bytes, sum(proportional_bytes(pid) for pid in pids))


@contextlib.contextmanager
def watched(leader: int) -> Iterator[Peak]:
    """Look again and again, while the block runs, at what runs over SSH in the guest with this PID 1."""
    (sshd,) = [pid for pid in _children(leader) if _name(pid) == "sshd"]
    peak = Peak()
    over = threading.Event()
    failure: List[Optional[BaseException]] = [None]

    def watch() -> None:
        try:
            while not over.wait(INTERVAL_SECONDS):
                peak.look(sshd)
        except BaseException as error:  # told in the thread that waits
            failure[0] = error

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
    if failure[0] is not None:
        raise failure[0]
