# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a verification for a terminal. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, List, Optional

from ..module_utils.incident import REASON, TRIGGER, UNDERLYING
from .incident.summary import Command, unfinished_action
from .terminal import headline, labelled, pasted
from .verification import FAILED, PASSED, UNKNOWN

_WORDS = {True: "passed", False: "FAILED", None: "could not see everything, which is no pass"}


def render(
    host: str,
    evidence: Mapping[str, Any],
    result: Mapping[str, Any],
    recorded: Optional[Mapping[str, Any]],
    incident: str,
    check_mode: bool,
    command: Command,
) -> str:
    """The summary of one host. ``incident``: its id if one was named, else empty; ``recorded``: what the record said."""
    checks = list(result["checks"])
    lines = ["", headline(host, "verification %s" % _WORDS[result["passed"]])]
    read = "Read at %s in %s s; nothing was changed." % (evidence.get("collected_at", "?"), evidence.get("duration_seconds", "?"))
    lines += [read, ""]
    for action in (recorded or {}).get("unfinished_actions") or []:
        lines.append(labelled("UNFINISHED", unfinished_action(action)))
    for wanted in (FAILED, UNKNOWN):
        lines += [labelled(wanted, "%s: %s" % (check["check"], check["detail"])) for check in checks if check["result"] == wanted]
    passed = [check["check"] for check in checks if check["result"] == PASSED]
    if passed:
        lines.append(labelled(PASSED, ", ".join(passed)))
    lines.append(labelled("record", _recorded(recorded, incident, check_mode)))
    return "\n".join(lines + _next(result, incident, recorded, command)) + "\n"


def _recorded(recorded: Optional[Mapping[str, Any]], incident: str, check_mode: bool) -> str:
    if recorded is None:
        return "not recorded: no incident was named (-e incident=ID)"
    if recorded.get("failed"):
        return "NOT RECORDED in %s: %s" % (incident, recorded.get("msg"))
    told = ("would be recorded in %s" if check_mode else "recorded in %s") % incident
    return told + ("; NOT IN THE NOTE HERE: %s" % recorded["note_failed"] if recorded.get("note_failed") else "")


def _next(result: Mapping[str, Any], incident: str, recorded: Optional[Mapping[str, Any]], command: Command) -> List[str]:
    if result["passed"] is not True:
        step = result["next"]
        said = ("incident=" + incident,) if incident else ()
        if step["command"]:
            return pasted(step["why"], step["command"], "On the host, by ssh, as the operator:")
        return pasted(step["why"], command("triage", *said))
    state = ((recorded or {}).get("incident") or {}).get("state")
    if incident and state in ("open", "contained"):
        variables = ("incident=" + incident, "trigger=" + TRIGGER, "underlying=" + UNDERLYING)
        why = "Name the cause and close it, as long as nothing is changed on the host. Cause not known: -e contained=%s." % REASON
        return pasted(why, command("close_incident", *variables))
    return [""]
