# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's deploy scripts, as processes, and who has their lock. Private to this collection."""

from __future__ import annotations

import contextlib
import os
import pwd
from typing import List, Optional, Tuple

from . import locks

# The unit in which a clearance holds the deploy lock.
CLEARANCE_UNIT = "healtharchive-remediation-clearance.service"

# What changes the checkout (contract 3.1, 3.2); the second does so before it takes the lock.
_DEPLOYS = ("vps-deploy.sh", "vps-hetzdeploy.sh")
_SHELLS = ("sh", "bash", "dash")


def lock_state(path: str) -> str:
    """As :func:`locks.state`; ``cleared`` when it is a clearance that holds the lock, and no deploy runs."""
    state = locks.state(path)
    if state != "held" or running():
        return state
    return "cleared" if any(_is_of_a_clearance(pid) for pid in locks.holding(path)) else state


def _is_of_a_clearance(pid: str) -> bool:
    with contextlib.suppress(OSError):
        with open("/proc/%s/cgroup" % pid, encoding="utf-8", errors="replace") as file:
            return any(line.rstrip("\n").endswith("/" + CLEARANCE_UNIT) for line in file)
    return False


def running() -> Tuple[str, ...]:
    """The deploy scripts that run, each with its process and account: the lock alone does not tell of one whose lock file was
    removed, or that has not taken it yet."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/cmdline" % name, "rb") as file:
                script = _script(file.read(64 * 1024).split(b"\0")[:-1])
            if script in _DEPLOYS:
                found.append("%s (process %s of %s)" % (script, name, _account(os.stat("/proc/" + name).st_uid)))
        except OSError:
            continue  # it has ended
    return tuple(sorted(found))


def _script(argv: List[bytes]) -> Optional[str]:
    """The name of the script that a process is, if it is one of a shell; a text editor with its name is none."""
    words = [os.path.basename(os.fsdecode(word)) for word in argv]
    if words and words[0] in _SHELLS:
        # The script is the first word that is no option.
        arguments = [os.fsdecode(word) for word in argv[1:]]
        return next((os.path.basename(word) for word in arguments if not word.startswith("-")), None)
    return words[0] if words else None


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "account %d" % uid
