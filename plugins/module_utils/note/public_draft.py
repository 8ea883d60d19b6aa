# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the changelog could say about a sev0 or sev1: a draft in which a person fills in the rest (contract 4.14).

Private to this collection.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from .history import moment, newest, read
from .publishable import publishable
from .wording import between, day, day_and_clock, said

_SUBJECTS = {
    "crawl": "the capture of new pages",
    "indexing": "the indexing of captured pages",
    "storage": "the storage of the archive",
    "api": "the API",
    "replay": "the display of archived pages",
    "search": "the search",
    "infra": "the servers of the archive",
}


def public_draft(incident: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> str:
    """Markdown without a command, a path, a person or a host. What only a person can know stands in square brackets.

    ``incident`` and ``events`` are those of :func:`.render.render`.
    """
    started, resolved = moment(incident.get("started_at")), moment(incident.get("resolved_at"))
    area = incident.get("area")
    subject = _SUBJECTS.get(area if isinstance(area, str) else "", "the archive")
    lines = ["## %s: a problem with %s" % (day(started), subject), ""]
    lines += ["%s." % publishable(said(incident.get("title"), 120)).text, ""]
    lines += ["- Impact: [what visitors saw, and whether anything that is archived is lost or in doubt]"]
    lines += ["- Timeline (UTC):", *("  - " + line for line in _timeline(started, resolved, events))]
    took = between(started, resolved)
    lines += ["- Resolution: [what was done]" + (" It took %s in all." % took if took else "")]
    lines += ["- Prevention: [what keeps it from happening again]"]
    return "\n".join(lines) + "\n"


def _timeline(started: Any, resolved: Any, events: Sequence[Mapping[str, Any]]) -> List[str]:
    history = read(events)
    opened, ended = newest(history, "incident_opened"), newest(history, "incident_closed", "incident_contained")
    lines = ["%s: it began" % day_and_clock(started)]
    if opened is not None and opened.at is not None and opened.at != started:
        lines.append("%s: work on it began" % day_and_clock(opened.at))
    if resolved is not None:
        contained = ended is not None and ended.kind == "incident_contained"
        lines.append("%s: %s" % (day_and_clock(resolved), "contained" if contained else "resolved"))
    return lines
