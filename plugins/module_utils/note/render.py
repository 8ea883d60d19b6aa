# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note of an incident, from its events and from what a person has written into it. Private to this collection."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from . import artifacts, commands, facts, markers, template, timeline, verification
from .history import actions, moment, read
from .lines import ending, split
from .markers import Problem

BLOCKS = ("status", "metadata", "timeline", "root_cause", "commands", "verification", "artifacts")


class Rendered(NamedTuple):
    """The whole note; ``changed`` says whether it is another text than the existing one."""

    text: str
    problems: List[Problem]
    changed: bool


def render(
    existing: Optional[str],
    host_template: Optional[str],
    incident: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
) -> Rendered:
    """The note of ``incident`` (what the module of that name returns) with all of its ``events``, in the order of the log.

    ``existing``: the note as it is, read with :func:`.lines.decode` (so that every byte comes back with
    :func:`.lines.encode`); None or empty: there is none. Its text outside the markers is kept as it is.
    ``host_template``: the host's own, only for a new note; None: it has none. The same arguments give the same text.
    """
    block = _blocks(incident, events)
    if existing:
        return _again(existing, block)
    try:
        if host_template is None:
            raise template.Unusable("it is missing")
        return Rendered(template.fill(host_template, incident, block), [], True)
    except template.Unusable as reason:
        message = "The template of the host was not used: %s. The collection's own was." % reason
        text = template.fill(template.BUILT_IN, incident, block)
        return Rendered(text, [Problem("template_unusable", message, None)], True)


def _blocks(incident: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Callable[[str], List[str]]:
    history = read(events)
    lines: Dict[str, Callable[[], List[str]]] = {
        "status": lambda: facts.status(incident),
        "metadata": lambda: facts.metadata(incident, history),
        "timeline": lambda: timeline.lines(moment(incident.get("started_at")), history),
        "root_cause": lambda: facts.root_cause(history),
        "commands": lambda: commands.lines(actions(history)),
        "verification": lambda: verification.lines(history),
        "artifacts": lambda: artifacts.lines(history),
    }
    # An empty line on either side: not every Markdown begins a list right below a comment.
    return lambda name: ["", *lines[name](), ""]


def _again(existing: str, block: Callable[[str], List[str]]) -> Rendered:
    lines = split(existing)
    found = markers.find(lines, BLOCKS)
    # From the last one to the first, so that the places of the others stay right.
    for name, (first, last) in sorted(found.places.items(), key=lambda item: item[1], reverse=True):
        newline = ending(lines[first])
        lines[first + 1 : last] = [line + newline for line in block(name)]
    text = "".join(lines)
    return Rendered(text, found.problems, text != existing)
