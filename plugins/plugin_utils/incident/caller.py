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
    # The workers of one run of ansible-playbook have it as their parent.
    run = "awx-%s" % job if job else "pid-%d" % os.getppid()
    found = {"operator": operator, "controller": socket.gethostname(), "run": run}
    return {name: value for name, value in found.items() if value}


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
