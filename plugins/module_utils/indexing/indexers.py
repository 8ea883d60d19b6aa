# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who indexes right now: the service's processes that say so, and whose connections have a transaction open.

No row and no lock of a job tells of it (contract 2.2). Private to this collection.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from ..stuck.holders import unit_of
from .facts import Process

_CAP_BYTES = 64 * 1024
_COMMAND = b"index-job"
_SOCKET = re.compile(r"socket:\[([0-9]+)\]")
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def processes(program: str) -> Tuple[Process, ...]:
    """Those that run ``index-job``, whoever began them."""
    found = []
    for pid in _pids():
        words = _words(pid)
        job = job_of(words, program)
        if job is not None:
            found.append(Process(pid, job or None, _unit(pid)))
    return tuple(found)


def job_of(words: Sequence[bytes], program: str) -> Optional[int]:
    """The job that a command line of the service's program indexes, 0 where it does not say; None: it is none. Pure."""
    name = os.path.basename(program).encode()
    # By itself or by an interpreter.
    at = next((at for at, word in enumerate(words[:3]) if os.path.basename(word) == name), None)
    if at is None or words[at + 1 : at + 2] != [_COMMAND]:
        return None
    rest = list(words[at + 2 :])
    for number, word in enumerate(rest):
        value = word[5:] if word.startswith(b"--id=") else (rest[number + 1 :] or [b""])[0] if word == b"--id" else b""
        if value.isdigit() and len(value) <= 18:
            return int(value)
    return 0


def units(ports: Iterable[int]) -> Dict[int, Optional[str]]:
    """Of which unit the process is that has a connection from this port of the host; None where that cannot be told."""
    wanted = set(ports)
    if not wanted:
        return {}
    inodes = {inode: port for port, inode in _sockets() if port in wanted}
    found: Dict[int, Optional[str]] = dict.fromkeys(wanted)
    for pid in _pids():
        for inode in _open_sockets(pid) & set(inodes):
            found[inodes[inode]] = _unit(pid)
    return found


def sockets(table: str) -> Iterator[Tuple[int, int]]:
    """Local port and inode of each line of the kernel's table. Pure."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        with contextlib.suppress(IndexError, ValueError):
            yield int(fields[1].rpartition(":")[2], 16), int(fields[9])


def _sockets() -> List[Tuple[int, int]]:
    found: List[Tuple[int, int]] = []
    for path in _TABLES:
        with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as file:
            found += sockets(file.read())
    return found


def _open_sockets(pid: int) -> Set[int]:
    directory = "/proc/%d/fd" % pid
    found = set()
    try:
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                match = _SOCKET.fullmatch(os.readlink("%s/%s" % (directory, name)))
                if match is not None:
                    found.add(int(match.group(1)))
    except OSError:
        pass
    return found


def _pids() -> List[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def _words(pid: int) -> List[bytes]:
    with contextlib.suppress(OSError), open("/proc/%d/cmdline" % pid, "rb") as file:
        return file.read(_CAP_BYTES).split(b"\0")[:-1]
    return []


def _unit(pid: int) -> Optional[str]:
    with contextlib.suppress(OSError), open("/proc/%d/cgroup" % pid, encoding="utf-8", errors="replace") as file:
        return unit_of(file.read())
    return None
