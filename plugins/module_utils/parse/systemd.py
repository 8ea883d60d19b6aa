# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units, from ``systemctl show UNIT... --property=PROPERTIES --timestamp=unix`` (systemd 251 or newer)."""

from __future__ import annotations

import re
from typing import Any, Optional

from . import times
from .errors import EMPTY, TRUNCATED, UNPARSABLE, ParseError
from .text import decode

# What unit_state reads.
PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "UnitFileState",
    "NRestarts",
    "MainPID",
    "ActiveEnterTimestamp",
    "ExecMainStartTimestamp",
    "ConditionResult",
    "ConditionTimestamp",
)
# A unit counts as restarting that systemd has restarted at least this often, the last time so many seconds ago.
RESTARTS_OF_A_LOOP = 2
RECENT_SECONDS = 30

_NUMBER = re.compile(r"[0-9]{1,18}")
_TIMESTAMP = re.compile(r"@([0-9]{1,12})(?:\.[0-9]{1,9})?")
_PRECISE = re.compile(r"[A-Z][a-z]{2} ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{6}) UTC")


def show(stdout: bytes) -> dict[str, dict[str, str]]:
    """The properties of each unit by its Id. A unit that does not exist is there too, with LoadState ``not-found``.

    A property that occurs several times holds its values joined by line ends. Ask for ``Id`` and name no unit twice,
    under an alias neither. Raises ParseError: ``empty``, ``truncated``, ``unparsable``.
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "systemctl show printed nothing")
    if not stdout.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of systemctl show's output is missing")
    units: dict[str, dict[str, str]] = {}
    block: dict[str, str] = {}
    for line in decode(stdout).split("\n"):
        if line:
            name, separator, value = line.partition("=")
            if not separator or not name.isalnum():
                raise ParseError(UNPARSABLE, "systemctl show printed: " + line)
            block[name] = block[name] + "\n" + value if name in block else value
        elif block:
            unit = block.get("Id", "")
            if not unit or unit in units:
                raise ParseError(UNPARSABLE, "systemctl show printed a unit twice or without its Id: " + unit)
            units[unit] = block
            block = {}
    return units


def unit_state(properties: dict[str, str], now: Optional[float] = None) -> dict[str, Any]:
    """State of one unit, from one entry of ``show`` asked with ``PROPERTIES``.

    ``load_state``, ``active_state``, ``sub_state``, ``result``, ``unit_file_state`` str: systemd's own words.
    ``restarts`` int|None: restarts by systemd, one after another; None for a unit that is no service. Who stops or restarts it
    as it runs sets them back to 0; who restarts it as it waits for the next one does not.
    ``main_pid`` int|None: None when no main process runs.
    ``started_at`` str|None: when the main process started; without one, since when the unit is active; or None.
    ``condition_met`` bool|None: the conditions of the last start (contract 1.4: unmet ones skip a start silently); None
    when they were never checked, for systemd says "no" then.
    ``restarting`` bool: waits for an automatic restart; or, when ``now`` (seconds since 1970) is given, has been
    restarted ``RESTARTS_OF_A_LOOP`` times or more and started less than ``RECENT_SECONDS`` ago: in a restart loop the
    unit is ``active`` for a moment each time round. So is, for once, what somebody has just restarted out of a loop:
    ``unit_ends.begun_by_systemd`` tells which.

    Raises ParseError ``unparsable`` when a state is missing or a number or time is none.
    """
    for name in ("LoadState", "ActiveState", "SubState"):
        if not properties.get(name):
            raise ParseError(UNPARSABLE, "systemctl show did not say the unit's " + name)
    active = properties["ActiveState"]
    restarts = _number(properties, "NRestarts")
    main_pid = _number(properties, "MainPID") or None
    process_start = _epoch(properties, "ExecMainStartTimestamp")
    active_since = _epoch(properties, "ActiveEnterTimestamp")
    started = None
    if main_pid is not None:
        started = process_start
    elif active == "active":
        started = active_since
    restarting = active == "activating" and properties["SubState"].startswith("auto-restart")
    if now is not None and restarts is not None and restarts >= RESTARTS_OF_A_LOOP and main_pid is not None:
        # A start in the future was told by another clock.
        restarting = restarting or (
            process_start is not None and -RECENT_SECONDS < now - process_start < RECENT_SECONDS
        )
    condition = properties.get("ConditionResult", "")
    checked = condition == "yes" or _epoch(properties, "ConditionTimestamp") is not None
    return {
        "load_state": properties["LoadState"],
        "active_state": active,
        "sub_state": properties["SubState"],
        "result": properties.get("Result", ""),
        "unit_file_state": properties.get("UnitFileState", ""),
        "restarts": restarts,
        "main_pid": main_pid,
        "started_at": None if started is None else times.from_epoch(started),
        "condition_met": condition == "yes" if checked and condition in ("yes", "no") else None,
        "restarting": restarting,
    }


def main_process(properties: dict[str, str]) -> Optional[tuple[int, int]]:
    """The unit's main process and when it started, in microseconds since 1970; None when none runs.

    Of a ``show`` with ``--timestamp=us+utc``: in whole seconds, a process that started in the second of a change would be
    before and after it. Raises ParseError ``unparsable``.
    """
    if "MainPID" not in properties:
        raise ParseError(UNPARSABLE, "systemctl show did not say the unit's MainPID")
    pid = _number(properties, "MainPID")
    if not pid:
        return None
    value = properties.get("ExecMainStartTimestamp", "")
    match = _PRECISE.fullmatch(value)
    if match is None:
        raise ParseError(UNPARSABLE, "systemctl show's ExecMainStartTimestamp is no time: " + value)
    try:
        seconds = times.to_epoch(times.from_database(match.group(1)))
    except ValueError as error:
        raise ParseError(UNPARSABLE, "systemctl show's ExecMainStartTimestamp is no time: " + value) from error
    return pid, int(seconds) * 1_000_000 + int(match.group(2))


def _number(properties: dict[str, str], name: str) -> Optional[int]:
    value = properties.get(name, "")
    if value in ("", "[not set]"):
        return None
    if _NUMBER.fullmatch(value) is None:
        raise ParseError(UNPARSABLE, "systemctl show's %s is no number: %s" % (name, value))
    return int(value)


def _epoch(properties: dict[str, str], name: str) -> Optional[int]:
    value = properties.get(name, "")
    if value in ("", "n/a", "0", "@0"):
        return None
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        raise ParseError(UNPARSABLE, "systemctl show's %s is no time: %s" % (name, value))
    seconds = int(match.group(1))
    try:
        times.from_epoch(seconds)
    except ValueError as error:
        raise ParseError(UNPARSABLE, "systemctl show's %s is no time: %s" % (name, value)) from error
    return seconds
