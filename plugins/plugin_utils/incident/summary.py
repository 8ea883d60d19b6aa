# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of an incident, for a terminal: a few lines, and the one command to type next. Private to this collection.

Whatever people and the host said is made printable; nothing of it is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, List, Optional

from ...module_utils.incident import TRIGGER, UNDERLYING
from ...module_utils.parse.text import one_line
from ...module_utils.shapes import counted, whole
from ..terminal import headline, labelled, pasted

_MOST = 5
_STATES = {"open": "is open", "closed": "is closed", "contained": "is contained"}
# Builds the command for a playbook: its name, then `name=value` for each variable.
Command = Callable[..., str]


def render(
    host: str,
    recorded: Mapping[str, Any],
    note: Optional[Mapping[str, Any]],
    joined: Mapping[str, Any],
    branch: Optional[Mapping[str, Any]],
    check_mode: bool,
    command: Command,
) -> str:
    """The summary of one host. The arguments are what the tasks before it returned."""
    incident = recorded.get("incident") if isinstance(recorded.get("incident"), Mapping) else {}
    name = str(incident.get("id") or recorded.get("incident_id"))
    lines = ["", headline(host, _words(name, incident, recorded))]
    lines += _unfinished(recorded)
    if check_mode:
        lines.append(labelled("check", "Nothing was written: this is what would be."))
    elif recorded.get("reached") is False:
        lines.append(
            labelled("HERE ONLY", "The host was not reached: this is written down on this controller alone, and joins the "
                     "host's record at the next run that reaches it and names an incident.")
        )
        lines.append(labelled("why", str(recorded.get("reason"))))
    elif not recorded.get("changed") and branch is None:
        lines.append(labelled("", "Nothing is new: the record held it already.").strip())
    lines += [""] + _about(incident, recorded)
    lines += _ended(incident)
    lines += _record(recorded)
    lines += _joined(joined)
    lines += _note(note, recorded)
    lines += _branch(branch)
    lines += _next(name, incident, recorded, branch, note, command)
    return "\n".join(lines) + "\n"


def _words(name: str, incident: Mapping[str, Any], recorded: Mapping[str, Any]) -> str:
    state = _STATES.get(str(incident.get("state")), "")
    severity = " (%s)" % incident["severity"] if incident.get("severity") else ""
    return "incident %s %s%s" % (name, state, severity)


def _unfinished(recorded: Mapping[str, Any]) -> List[str]:
    lines = [
        labelled("UNFINISHED", unfinished_action(action)) for action in _mappings(recorded.get("unfinished_actions"))[:_MOST]
    ]
    return lines


def unfinished_action(action: Mapping[str, Any]) -> str:
    """One action that was begun and whose end nobody recorded."""
    subjects = action.get("subjects")
    on = " on %s" % ", ".join(str(each) for each in subjects) if isinstance(subjects, (list, tuple)) and subjects else ""
    return "%s%s was begun at %s and its end is not recorded: see how it ended before anything else (%s)" % (
        action.get("action"),
        on,
        action.get("begun_at"),
        action.get("incident") or "no incident",
    )


def _about(incident: Mapping[str, Any], recorded: Mapping[str, Any]) -> List[str]:
    if not incident:
        return []
    reason = incident.get("severity_reason")
    severity = str(incident.get("severity")) + (": %s" % reason if reason else "")
    if recorded.get("severity_from"):
        severity += " (as triage suggests: %s)" % recorded["severity_from"]
    lines = [labelled("what", str(incident.get("title"))), labelled("severity", severity)]
    named = ["%s %s" % (name, incident[name]) for name in ("area", "owner") if incident.get(name)]
    lines.append(labelled("began", "; ".join([str(incident.get("started_at")), *named])))
    return lines


def _ended(incident: Mapping[str, Any]) -> List[str]:
    lines: List[str] = []
    for label, key in (("trigger", "trigger"), ("cause", "underlying"), ("reason", "reason")):
        if incident.get(key) and incident.get("state") in ("closed", "contained"):
            lines.append(labelled(label, str(incident[key])))
    if incident.get("state") in ("closed", "contained") and incident.get("resolved_at"):
        lines.append(labelled("ended", str(incident["resolved_at"])))
    if incident.get("communication_deadline"):
        lines.append(
            labelled("PUBLIC", "Tell the public until %s: 48 hours after the end of a %s. A draft is below."
                     % (incident["communication_deadline"], incident.get("severity")))
        )
    return lines


def _record(recorded: Mapping[str, Any]) -> List[str]:
    events = recorded.get("events")
    count = len(events) if isinstance(events, (list, tuple)) else 0
    words = "%s of this incident" % counted(count, "event", "events")
    log = recorded.get("record")
    if not isinstance(log, Mapping):
        return [labelled("record", words)]
    if log.get("verified") is True:
        end = str(recorded.get("head_digest"))[:16]
        lines = _number(log.get("lines"), "line", "lines")
        told = [labelled("record", "%s; the host's log is whole (%s, end %s)" % (words, lines, end))]
        torn = log.get("torn_lines")
        if isinstance(torn, (list, tuple)) and torn:
            lost = "cut short, and what stood there is lost: line %s" % ", ".join(str(line) for line in torn[-_MOST:])
            told.append(labelled("", lost + (" and %d before" % (len(torn) - _MOST) if len(torn) > _MOST else "")))
        return told
    problems = _mappings(log.get("problems"))
    first = problems[0] if problems else {}
    return [
        labelled("RECORD", "%s; THE LOG IS NOT WHOLE: line %s: %s. Keep the file as it is and find out who changed it."
                 % (words, first.get("line"), first.get("message")))
    ]


def _joined(joined: Mapping[str, Any]) -> List[str]:
    lines = []
    for each in _mappings(joined.get("joined")):
        words = "%s of %s, written down while the host could not be reached" % (
            _number(each.get("events"), "event", "events"), each.get("incident"),
        )  # fmt: skip
        if each.get("former_id") != each.get("incident"):
            words += "; it was called %s then" % each.get("former_id")
        lines.append(labelled("joined", words))
    for each in _mappings(joined.get("put_aside")):
        words = "what was written down of %s while the host could not be reached is in no record: %s"
        lines.append(labelled("PUT ASIDE", words % (each.get("incident"), each.get("reason"))))
        lines.append(labelled("", "it is kept in %s" % each.get("path"), whole_words=True))
        lines.append(labelled("", "%s Then say it again with open_incident." % each.get("next_step")))
    return lines


def _number(value: Any, one_of: str, more_of: str) -> str:
    number = whole(value)
    return "%s %s" % (value, more_of) if number is None else counted(number, one_of, more_of)


def _note(note: Optional[Mapping[str, Any]], recorded: Mapping[str, Any]) -> List[str]:
    lines = []
    if note and note.get("path"):
        lines.append(labelled("note", str(note["path"]), whole_words=True))
    if recorded.get("notes"):
        lines.append(labelled("", "on the host: %s" % recorded["notes"], whole_words=True))
    on_host = recorded.get("note")
    problems = _mappings(note.get("problems")) if note else []
    problems += _mappings(on_host.get("problems")) if isinstance(on_host, Mapping) else []
    messages = dict.fromkeys(str(problem.get("message")) for problem in problems)
    return lines + [labelled("look at", message) for message in list(messages)[:_MOST]]


def _branch(branch: Optional[Mapping[str, Any]]) -> List[str]:
    if branch is None:
        return []
    commit = str(branch.get("commit") or "not made: check mode")[:12]
    lines = [labelled("branch", "%s, commit %s; nothing was pushed" % (branch.get("branch"), commit))]
    removed = _mappings(branch.get("removed"))
    if removed:
        kinds = ", ".join(dict.fromkeys(str(each.get("what")) for each in removed))
        lines.append(labelled("left out", "%s of the note (%s)" % (counted(len(removed), "place", "places"), kinds)))
    return lines + [labelled("look at", str(each.get("message"))) for each in _mappings(branch.get("problems"))[:_MOST]]


def _next(
    name: str,
    incident: Mapping[str, Any],
    recorded: Mapping[str, Any],
    branch: Optional[Mapping[str, Any]],
    note: Optional[Mapping[str, Any]],
    command: Command,
) -> List[str]:
    said = "incident=" + name
    if branch is not None:
        why = "Read it as the public will (git show %s), then push it and open a pull request." % branch.get("branch")
        return [labelled("next", why), ""]
    if recorded.get("reached") is False:
        return pasted("When the host can be reached again, this brings it into the host's record.", command("triage", said))
    if incident.get("state") == "open":
        return pasted("Find out what is wrong; the result becomes part of the record.", command("triage", said))
    lines = _draft(note)
    if incident.get("state") == "contained":
        why = "When the cause is found and a verification has passed, close it."
        variables = (said, "trigger=" + TRIGGER, "underlying=" + UNDERLYING)
        return lines + pasted(why, command("close_incident", *variables))
    why = "Write into the note what only you know, then put it on a branch of your clone of the service's repository."
    return lines + pasted(why, command("publish_note", said, "repository=PATH_OF_YOUR_CLONE"))


def _draft(note: Optional[Mapping[str, Any]]) -> List[str]:
    draft = note.get("public_draft") if note else None
    if not isinstance(draft, str):
        return []
    return ["", "For the public (fill in the brackets):", ""] + ["    " + one_line(line, 400) for line in draft.splitlines()]


def _mappings(value: Any) -> List[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, (list, tuple)) else []
