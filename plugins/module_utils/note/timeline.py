# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block ``timeline``: what happened, by the time when it happened. Private to this collection."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ..shapes import records, words
from . import outcomes, shortened
from .history import Action, Event, actions, objective
from .wording import clock, day, day_and_clock, said, said_in_lines

# How it began stays, and what is newest. A character is at most 4 bytes of the 8 MiB that a note may have.
_FIRST = 20
_MOST = 300
_MOST_CHARACTERS = 500_000
_MOST_COMMITS = 20


class _Entry(NamedTuple):
    at: Optional[str]
    lines: List[str]


def lines(started_at: Optional[str], events: Sequence[Event]) -> List[str]:
    """A list for each day."""
    every = {id(event): action for action in actions(events) for event in (action.begun, action.finished) if event}
    entries = [_Entry(event.at, _sentence(event, every)) for event in events]
    opened = next((event for event in events if event.kind == "incident_opened"), None)
    if started_at is not None and (opened is None or opened.at != started_at):
        entries.insert(0, _Entry(started_at, ["The incident began"]))
    entries = _by_time(entries)
    cut = shortened.middle_left_out([entry.lines for entry in entries], _FIRST, _MOST, _MOST_CHARACTERS)
    if not cut.left_out:
        return _listed(entries) or ["Nothing is on record yet."]
    words = shortened.left_out(cut.left_out, "event", "events")
    return [*_listed(entries[: cut.first]), "", words, "", *_listed(entries[len(entries) - cut.last :])]


def _listed(entries: Sequence[_Entry]) -> List[str]:
    shown: List[str] = []
    today = None
    for entry in entries:
        if today is None or (entry.at is not None and day(entry.at) != today):
            today = day(entry.at)
            shown += ["", "**%s**" % today, ""] if shown else ["**%s**" % today, ""]
        shown.append("- %s %s" % (clock(entry.at), entry.lines[0]))
        shown += ["  - " + line for line in entry.lines[1:]]
    return shown


def _by_time(entries: Sequence[_Entry]) -> List[_Entry]:
    """In order of time, and of the log where that is the same. One without a time stays behind the one before it."""
    keys = []
    last = ""
    for number, entry in enumerate(entries):
        last = entry.at or last
        keys.append((last, number))
    return [entries[number] for _at, number in sorted(keys)]


def _sentence(event: Event, every: Mapping[int, Action]) -> List[str]:
    write = _SENTENCES.get(event.kind)
    if event.kind in ("action_begun", "action_finished"):
        sentence = [_of_action(event, every)]
    else:
        sentence = write(event.data) if write else [said(words(event.kind))]
    after = ""
    if event.operator is not None:
        after += " (%s)" % said(event.operator, 60)
    if event.late:
        whom = " by %s" % said(event.joiner, 60) if event.joiner not in (None, event.operator) else ""
        after += " (recorded later, %s%s)" % (day_and_clock(event.recorded_at), whom)
    return [sentence[0] + after, *sentence[1:]]


def _opened(data: Mapping[str, Any]) -> List[str]:
    reason = data.get("severity_reason")
    return ["Opened as %s%s" % (said(data.get("severity"), 10), ": " + said(reason) if reason else "")]


def _severity(data: Mapping[str, Any]) -> List[str]:
    return [
        "Severity changed from %s to %s: %s"
        % (said(data.get("from"), 10), said(data.get("to"), 10), said(data.get("reason")))
    ]


def _triage(data: Mapping[str, Any]) -> List[str]:
    sentence = ["Triage: %s" % said(data.get("summary"))]
    for found in records(data.get("classes")):
        what = "%s, %s" % (words(found.get("class")), words(found.get("confidence")))
        sentence.append("%s: %s" % (said(what), said(found.get("summary"))))
    return sentence


def _remark(data: Mapping[str, Any]) -> List[str]:
    return said_in_lines(data.get("text"))


def _of_action(event: Event, every: Mapping[int, Action]) -> str:
    action = every.get(id(event))
    if action is None:
        return "Ended, and no beginning is on record: %s" % outcomes.of_action(event.data)
    what = said(objective(action))
    if event is action.finished:
        return "Ended: %s: %s" % (what, outcomes.of_action(event.data))
    return "Began: %s%s" % (what, "" if action.finished else " (**no outcome is on record**)")


def _verified(data: Mapping[str, Any]) -> List[str]:
    return ["Verification %s" % outcomes.of_verification(data)]


def _clearance(word: str) -> Callable[[Mapping[str, Any]], List[str]]:
    def sentence(data: Mapping[str, Any]) -> List[str]:
        return ["Clearance of %s %s%s" % (said(data.get("holder"), 60), word, _why(data))]

    return sentence


def _why(data: Mapping[str, Any]) -> str:
    commits = data.get("required_commits")
    if isinstance(commits, list) and commits:
        return " for %s" % ", ".join(said(commit, 12) for commit in commits[:_MOST_COMMITS])
    reason = data.get("reason")
    forced = ", by force" if data.get("forced") is True else ""
    return forced + (": %s" % said(reason) if reason else "")


def _closed(_data: Mapping[str, Any]) -> List[str]:
    return ["Closed"]


def _contained(data: Mapping[str, Any]) -> List[str]:
    return ["Contained, not closed: %s" % said(data.get("reason"))]


_SENTENCES: Dict[str, Callable[[Mapping[str, Any]], List[str]]] = {
    "incident_opened": _opened,
    "severity_changed": _severity,
    "triage_run": _triage,
    "remark": _remark,
    "verified": _verified,
    "clearance_granted": _clearance("granted"),
    "clearance_renewed": _clearance("renewed"),
    "clearance_released": _clearance("released"),
    "clearance_expired": _clearance("expired"),
    "incident_closed": _closed,
    "incident_contained": _contained,
}
