# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs Ansible, from where, in which run: what a record says of its caller. A claim, not a proof.

Private to this collection.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from typing import Any, Dict, Optional

from ..said import said

# AWX hands these to every job, under the one prefix or the other.
_OPERATORS = ("operator", "awx_user_name", "tower_user_name")
_JOBS = ("awx_job_id", "tower_job_id")
_RUN = re.compile(r"pid-([0-9]{1,10})-([0-9]{1,20})-([0-9a-f]{8})")


def described(loader: Any) -> Dict[str, str]:
    """``operator``, ``controller`` and ``run``, each where it is known."""
    typed = said(loader, (*_OPERATORS, *_JOBS))
    operator = next((typed[name] for name in _OPERATORS if name in typed), None) or _login()
    job = next((typed[name] for name in _JOBS if name in typed), None)
    run = "awx-%s" % job if job else process(os.getppid())
    found = {"operator": operator, "controller": socket.gethostname(), "run": run}
    return {name: value for name, value in found.items() if value}


def process(number: int) -> str:
    """The run of ansible-playbook, which is the parent of its workers; with its start and where that number is one, for numbers
    are used again, and every container has its own."""
    start, place = _start(number), _place()
    return "pid-%d" % number if start is None or place is None else "pid-%d-%d-%s" % (number, start, place)


def has_ended(run: Optional[str]) -> bool:
    """Whether a run was one of a process here that is no more. Of a run elsewhere, or of a job, that is not known: False."""
    named = _RUN.fullmatch(run or "")
    if named is None or named.group(3) != _place():
        return False
    number, start = int(named.group(1)), int(named.group(2))
    return not os.path.exists("/proc/%d" % number) or _start(number) not in (start, None)


def _start(number: int) -> Optional[int]:
    try:
        with open("/proc/%d/stat" % number, "rb") as file:
            # Behind the name, which may hold anything: the 20th field is the start, in ticks since the machine's.
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def _place() -> Optional[str]:
    """This boot of this machine, and this name space of processes on it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            words = file.read().strip() + b" " + os.fsencode(os.readlink("/proc/self/ns/pid"))
    except OSError:
        return None
    return hashlib.sha256(words).hexdigest()[:8]


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
