# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the API, the worker and PostgreSQL ended, and what else no probe of triage asks: reads only. Private to this collection."""

from __future__ import annotations

import os
import re
from typing import Dict, List, Mapping, Optional, Sequence

from .. import http_client
from ..parse import systemd, times, unit_ends
from ..parse.errors import ParseError
from ..parse.unit_ends import End
from ..probe import Context
from ..refusal import Refusal
from ..stuck import pause
from .seen import REQUIRED, Look

# The servers themselves: Debian's postgresql.service only starts and stops them, and stays active when one dies.
_CLUSTERS = "postgresql@*.service"
_SECONDS = 15.0
_ROUTE_SECONDS = 10.0
_ROUTES = ("/api/search?q=health", "/api/changes")
# Of each unit, the newest: more than systemd writes before it gives up restarting one.
_MESSAGES = 60
_PROPERTIES = ("Id", "ActiveState", "InvocationID", "InactiveEnterTimestamp", "ExecMainStartTimestamp")


def look(context: Context, ask_routes: bool) -> Look:
    """Ask systemd and its messages of this boot; ``ask_routes``: and the API, which counts its callers' requests."""
    problems: List[str] = []
    shown = _shown(context, [*REQUIRED], _PROPERTIES, problems) or {}
    ends: Dict[str, End] = {}
    for unit, required in REQUIRED.items():
        properties = shown.get(unit)
        if properties is None:
            ends[unit] = End("unknown")
        elif properties.get("ActiveState") in ("inactive", "failed"):
            ends[unit] = _end(context, unit, properties, required, problems)
        else:
            ends[unit] = End("unknown", since=_time(properties.get("ExecMainStartTimestamp", "")))
    clusters = _shown(context, [_CLUSTERS], ("Id", "ActiveState", "Result"), problems)
    dead = None
    if clusters is not None:
        states = {name: (each.get("ActiveState"), each.get("Result", "")) for name, each in clusters.items()}
        dead = {name: result for name, (state, result) in states.items() if state in ("inactive", "failed")}
    fail = _routes_fail(context) if ask_routes else None
    paused = _pause(context, problems)
    return Look(ends, dead, _changed_at(context.settings.env_file), fail, paused, tuple(problems))


def _pause(context: Context, problems: List[str]) -> Optional[str]:
    try:
        held = pause.in_force(context)
    except Refusal as error:
        problems.append(str(error))
        return None
    if held is None:
        return None
    return "by %s (incident %s) at %s, and starts by itself at %s" % (
        held.action,
        held.incident,
        held.paused_at,
        held.resumes_at,
    )


def _routes_fail(context: Context) -> Optional[bool]:
    """On the loopback: what stands before the API has faults of its own."""
    found = [
        http_client.get(context.settings.api_url + route, context.seconds(_ROUTE_SECONDS)).status for route in _ROUTES
    ]
    if 500 in found:
        return True
    return None if None in found else False


def _shown(
    context: Context, units: Sequence[str], properties: Sequence[str], problems: List[str]
) -> Optional[Dict[str, Dict[str, str]]]:
    argv = ["/usr/bin/systemctl", "show", *units, "--no-pager", "--timestamp=unix"]
    result = context.run([*argv, "--property=" + ",".join(properties)], _SECONDS)
    if result.rc != 0:
        problems.append("systemctl show of %s: %s" % (", ".join(units), result.failure or "rc %d" % result.rc))
        return None
    if not result.stdout.strip():
        # A pattern that no unit matches.
        return {}
    try:
        return systemd.show(result.stdout)
    except ParseError as error:
        problems.append("systemctl show of %s: %s" % (", ".join(units), error))
        return None


def _end(
    context: Context, unit: str, properties: Mapping[str, str], required: Sequence[str], problems: List[str]
) -> End:
    found: List[unit_ends.Message] = []
    for name in (unit, *required):
        argv = ["/usr/bin/journalctl", "--boot", "--reverse", "--lines=%d" % _MESSAGES, "--output=json", "--no-pager"]
        argv += ["--quiet", "--output-fields=" + ",".join(unit_ends.FIELDS), "_PID=1", "UNIT=" + name]
        argv += ["MESSAGE_ID=" + message for message in unit_ends.MESSAGES]
        result = context.run(argv, _SECONDS)
        try:
            # journalctl ends with 1 when nothing matches, and says nothing then.
            if result.failure is not None or (result.rc != 0 and (result.rc != 1 or result.stderr.strip())):
                raise ParseError("command_failed", str(result.failure or "rc %d" % result.rc))
            found += unit_ends.messages(result.stdout)
        except ParseError as error:
            problems.append("journalctl of %s: %s" % (name, error))
            return End("unknown")
    ended, began = (_time(properties.get(name, "")) for name in ("InactiveEnterTimestamp", "ExecMainStartTimestamp"))
    return unit_ends.end(unit, properties.get("InvocationID", ""), ended, required, found)._replace(since=began)


def _time(value: str) -> Optional[str]:
    """``@1795876939``; None for what has not happened since boot."""
    return times.from_epoch(int(value[1:])) if re.fullmatch("@[1-9][0-9]{0,11}", value) else None


def _changed_at(path: str) -> Optional[str]:
    try:
        return times.from_epoch(os.stat(path).st_mtime)
    except (OSError, ValueError):
        return None
