# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a lock, asked without leaving a trace. Private to this collection."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import stat
from typing import Tuple

from .parse.text import one_line

_EXCLUSIVE = re.compile(r"^lock:\s+[0-9]+:\s+FLOCK\s+ADVISORY\s+WRITE\s", re.MULTILINE)
_MOST_HOLDERS = 5


def state(path: str) -> str:
    """``held``, ``free``, ``absent`` or ``unknown`` for one of the service's flock files (contract 1.6).

    The file is opened without creating it, since the existence of a lock file and the text in it mean nothing, and a
    shared lock is asked for and given back at once: it never stands in the way of another reader, and of a writer
    for some microseconds only.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return "absent"
    except OSError:
        return "unknown"
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "unknown"
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return "free"
    except BlockingIOError:
        return "held"
    except OSError:
        return "unknown"
    finally:
        os.close(descriptor)


def holding(path: str) -> Tuple[str, ...]:
    """The numbers of the processes that have the file open under an exclusive lock; none where that cannot be seen. Nothing is
    asked of the file itself, nor of any other that a process has open: it could hang."""
    found = []
    for pid in sorted((name for name in os.listdir("/proc") if name.isdigit()), key=int):
        with contextlib.suppress(OSError):  # one that ends meanwhile
            if _has_locked(pid, path):
                found.append(pid)
    return tuple(found)


def holders(path: str) -> Tuple[str, ...]:
    """The same in words, each with its command and account."""
    found = []
    for pid in holding(path)[:_MOST_HOLDERS]:
        with contextlib.suppress(OSError, KeyError):
            with open("/proc/%s/comm" % pid, encoding="utf-8", errors="replace") as file:
                command = one_line(file.read().strip(), 40)
            account = pwd.getpwuid(os.stat("/proc/" + pid).st_uid).pw_name
            found.append("%s (process %s of %s)" % (command, pid, account))
    return tuple(found)


def _has_locked(pid: str, path: str) -> bool:
    for name in os.listdir("/proc/%s/fd" % pid):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink("/proc/%s/fd/%s" % (pid, name)) == path and is_locked(pid, name):
                return True
    return False


def is_locked(pid: str, descriptor: str) -> bool:
    """Whether what a process has open there is under an exclusive lock that was taken by this opening of it. OSError."""
    with open("/proc/%s/fdinfo/%s" % (pid, descriptor), encoding="ascii", errors="replace") as info:
        return _EXCLUSIVE.search(info.read()) is not None
