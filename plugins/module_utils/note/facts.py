# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks ``status``, ``metadata`` and ``root_cause``. Private to this collection."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence

from .history import Event, moment, newest
from .wording import between, day, day_and_clock, said, said_in_lines

_STATUS = {"closed": "closed", "contained": "contained"}
_INDEX = "docs/operations/incidents/README.md"


def status(incident: Mapping[str, Any]) -> List[str]:
    """The line of the header (contract 4.14), and what the markers mean."""
    state = incident.get("state")
    return [
        "Status: %s" % _STATUS.get(state if isinstance(state, str) else "", "draft"),
        "",
        "<!-- What stands between two markers is written again by the playbooks. The rest is yours. -->",
    ]


def metadata(incident: Mapping[str, Any], events: Sequence[Event]) -> List[str]:
    """The list of the section Metadata."""
    started, resolved = moment(incident.get("started_at")), moment(incident.get("resolved_at"))
    took = between(started, resolved)
    end = "not yet" if resolved is None else day_and_clock(resolved) + (" (after %s)" % took if took else "")
    severity = said(incident.get("severity"), 10)
    reason = _severity_reason(events)
    return [
        "- Date (UTC): %s" % day(started),
        "- Severity (see `%s`): %s" % (_INDEX, severity + (" (%s)" % said(reason) if reason else "")),
        "- Environment: %s" % said(incident.get("environment")),
        "- Primary area: %s" % said(incident.get("area")),
        "- Owner: %s" % said(incident.get("owner")),
        "- Start (UTC): %s" % day_and_clock(started),
        "- End (UTC): %s" % end,
        "- Incident: %s" % said(incident.get("id")),
    ]


def _severity_reason(events: Sequence[Event]) -> Optional[Any]:
    given = newest(events, "incident_opened", "severity_changed")
    if given is None:
        return None
    return given.data.get("severity_reason" if given.kind == "incident_opened" else "reason")


def root_cause(events: Sequence[Event]) -> List[str]:
    """What closing the incident named."""
    ended = newest(events, "incident_closed", "incident_contained")
    if ended is None:
        return ["- Trigger: not named yet", "- Underlying cause: not named yet"]
    if ended.kind == "incident_contained":
        return [*_bullet("Not established; the incident is contained", ended.data.get("reason"))]
    return [*_bullet("Trigger", ended.data.get("trigger")), *_bullet("Underlying cause", ended.data.get("underlying"))]


def _bullet(label: str, value: Any) -> List[str]:
    lines = said_in_lines(value)
    return ["- %s: %s" % (label, lines[0]), *("  - " + line for line in lines[1:])]
