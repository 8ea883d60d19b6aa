# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The production environment file: who may read it, and whether its three readers agree (contract 1.3)."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from typing import Any, Callable, Dict, Optional

from .. import host
from ..probe import Context, Finding, Problem

_VARIABLE_LOCK_DIRECTORY = "HEALTHARCHIVE_JOB_LOCK_DIR"


def probe(context: Context) -> Finding:
    """Never returns a value that may be a secret: names, places and kinds only."""
    settings = context.settings
    path = settings.env_file
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return Finding(
            {"path": path, "exists": False, **dict.fromkeys(_FIELDS_OF_A_FILE)},
            [Problem("bad_evidence", "The environment file %s does not exist." % path)],
        )
    data = {
        "path": path,
        "exists": True,
        "owner": _name(pwd.getpwuid, status.st_uid),
        "group": _name(grp.getgrgid, status.st_gid),
        "mode": "%04o" % stat.S_IMODE(status.st_mode),
        "readable_by_service_user": _readable(context, path),
        **dict.fromkeys(("environment_name", "database_backend", "findings", "job_lock_directories")),
    }
    environment = context.environment
    if environment is None:
        return Finding(
            data, [context.environment_problem or Problem("bad_evidence", "The environment file is unknown.")]
        )
    data["environment_name"] = _word(environment.services.get("HEALTHARCHIVE_ENV"))
    data["database_backend"] = environment.database_backend()
    data["findings"] = [
        {"line": finding["line"], "code": finding["code"], "variable": _variable(finding["variable"])}
        for finding in environment.findings
    ]
    data["job_lock_directories"] = lock_directories(context)
    problem = context.database_problem()
    return Finding(data, [problem] if problem else [])


_FIELDS_OF_A_FILE = (
    "owner",
    "group",
    "mode",
    "readable_by_service_user",
    "environment_name",
    "database_backend",
    "findings",
    "job_lock_directories",
)


def lock_directories(context: Context) -> Dict[str, Optional[str]]:
    """Where the services and where a shell that sourced the file look for job locks: two places when the variable
    stands behind ``export``, which systemd does not read (contract 1.3, 1.6)."""
    default = context.settings.job_lock_directory
    environment = context.environment
    if environment is None:
        return {"services": None, "shell": None}
    return {
        "services": _directory(environment.services.get(_VARIABLE_LOCK_DIRECTORY) or default),
        "shell": _directory(environment.shell.get(_VARIABLE_LOCK_DIRECTORY) or default),
    }


def _word(value: Optional[str]) -> Optional[str]:
    """A name as it should be. A quote that is not closed makes a value of what follows, secrets included."""
    return value if value is not None and re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value) else None


def _directory(value: str) -> Optional[str]:
    return value if value.startswith("/") and value.isprintable() and len(value) <= 1000 else None


def _variable(name: Optional[str]) -> Optional[str]:
    """The name of a variable, if it can only be one: in a value of several lines a part of a key may look like one."""
    return name if name is not None and name.startswith(("HEALTHARCHIVE_", "HA_")) else None


def _readable(context: Context, path: str) -> Optional[bool]:
    """Whether the service user can read the file, asked as that user; None when that could not be found out."""
    result = context.run(["/usr/bin/test", "-r", path], 5, host.account(context.settings.service_user))
    return {0: True, 1: False}.get(result.rc)


def _name(look_up: Callable[[int], Any], number: int) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)
