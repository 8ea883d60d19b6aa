# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs Ansible, from where, in which run: what a record says of its caller. A claim, not a proof.

Private to this collection.
"""

from __future__ import annotations

import getpass
import os
import socket
from typing import Any, Dict

from ..said import said

# AWX hands these to every job, under the one prefix or the other.
_OPERATORS = ("operator", "awx_user_name", "tower_user_name")
_JOBS = ("awx_job_id", "tower_job_id")


def described(loader: Any) -> Dict[str, str]:
    """``operator``, ``controller`` and ``run``, each where it is known."""
    typed = said(loader, (*_OPERATORS, *_JOBS))
    operator = next((typed[name] for name in _OPERATORS if name in typed), None) or _login()
    job = next((typed[name] for name in _JOBS if name in typed), None)
    run = "awx-%s" % job if job else _process(os.getppid())
    found = {"operator": operator, "controller": socket.gethostname(), "run": run}
    return {name: value for name, value in found.items() if value}


def _process(parent: int) -> str:
    """The run of ansible-playbook, which is the parent of its workers; with its start, for numbers are used again."""
    try:
        with open("/proc/%d/stat" % parent, "rb") as file:
            # Behind the name, which may hold anything: the 20th field is the start, in ticks since the machine's.
            return "pid-%d-%d" % (parent, int(file.read().rpartition(b")")[2].split()[19]))
    except (OSError, ValueError, IndexError):
        return "pid-%d" % parent


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
