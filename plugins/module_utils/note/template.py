# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new note: the host's own template, or this one, with the blocks in their sections (contract 4.14).

Private to this collection.
"""

from __future__ import annotations

import re
from typing import Any, Callable, List, Mapping, NamedTuple, Optional

from . import markers
from .history import moment
from .lines import bare, ending, split
from .wording import day, said

BUILT_IN = """\
# Incident: TITLE (YYYY-MM-DD)

Status: draft

## Metadata

## Summary

What broke, who noticed, how it ended. Three sentences are enough.

## Impact

- Visitors:
- Operators:
- Data (lost, in doubt, or recovered in full):
- How long:

## Detection

What showed it first, and what should have shown it earlier.

## Decision log

Who decided what, at which time, knowing what. Leave the section out if nothing had to be weighed.

## Timeline (UTC)

## Root cause

## Contributing factors

-

## Resolution / Recovery

## Post-incident verification

## Public communication

What was said, and where. Needed only if what people can expect of the site has changed.

## Open questions

-

## Action items

- [ ] (owner=, priority=, due=)

## Automation opportunities

-

## References / Artifacts
"""

_LARGEST = 256 * 1024
_REQUIRED = (
    "metadata",
    "summary",
    "impact",
    "detection",
    "timeline",
    "root cause",
    "contributing factors",
    "resolution/recovery",
    "post-incident verification",
    "open questions",
    "action items",
    "automation opportunities",
    "references/artifacts",
)
_OPTIONAL = ("decision log", "public communication")
_SECTION_OF = {
    "metadata": "metadata",
    "timeline": "timeline",
    "root cause": "root_cause",
    "resolution/recovery": "commands",
    "post-incident verification": "verification",
    "references/artifacts": "artifacts",
}
# Lines of the template that ask for what a block says. They are the template's, so nothing of a person is lost.
_FACTS = ("date", "severity", "environment", "primary area", "owner", "start", "end")
_BULLET = re.compile(r"[-*+][ \t]+(.+)")
_STATUS = re.compile(r"(?:[-*+][ \t]+)?[*_]*status[*_]*:", re.IGNORECASE)
_HEADING = re.compile(r"(#{1,2})[ \t]+(.*?)[ \t]*#*")
_FENCE = re.compile(r"(`{3,}|~{3,})")


class Unusable(Exception):
    """Why a template cannot be used."""


class _Line(NamedTuple):
    text: str
    level: int  # of a heading, else 0
    section: str  # the heading above it, normalised


def fill(template: str, incident: Mapping[str, Any], block: Callable[[str], List[str]]) -> str:
    """The note of an incident. ``block``: the lines of a block by its name. Raises :class:`Unusable`."""
    lines = _read(template)
    _check(lines)
    newline = ending(split(template)[0])
    title = "# Incident: %s (%s)" % (said(incident.get("title"), 120), day(moment(incident.get("started_at"))))
    written: List[str] = []
    for line in lines:
        if line.level == 1:
            written += [title, "", *_managed("status", block), ""]
        elif line.level == 2 and line.section in _SECTION_OF:
            written += [line.text, "", *_managed(_SECTION_OF[line.section], block), ""]
        elif not _answered(line) and (line.text.strip() or written[-1:] != [""]):
            written.append(line.text.rstrip() and line.text)
    return newline.join(written).rstrip() + newline


def _managed(name: str, block: Callable[[str], List[str]]) -> List[str]:
    return [markers.begin(name), *block(name), markers.end(name)]


def _read(template: str) -> List[_Line]:
    """The lines without their ends; a heading in a fence or a comment is none."""
    lines = []
    section = ""
    fence: Optional[str] = None
    comment = False
    for each in split(template):
        text = each.rstrip("\r\n").lstrip("\ufeff")
        level = 0
        fenced = _FENCE.match(bare(text))
        if fence is not None:
            if fenced and bare(text).strip(fence[0]) == "" and fenced.group(1).startswith(fence):
                fence = None
        elif comment:
            comment = "-->" not in text
        elif fenced:
            fence = fenced.group(1)
        elif "<!--" in text:
            comment = "-->" not in text.rpartition("<!--")[2]
        else:
            match = _HEADING.fullmatch(text.rstrip())
            if match is not None:
                level = len(match.group(1))
                section = _normalised(match.group(2)) if level == 2 else ""
        lines.append(_Line(text, level, section))
    return lines


def _normalised(heading: str) -> str:
    """``Timeline (UTC)`` as ``timeline``."""
    plain = re.sub(r"\([^()]*\)", " ", heading)
    return re.sub(r"\s*/\s*", "/", " ".join(plain.split())).casefold()


def _check(lines: List[_Line]) -> None:
    if any(markers.is_marker(line.text) for line in lines):
        raise Unusable("it holds markers of a block")
    if sum(len(line.text) + 1 for line in lines) > _LARGEST:
        raise Unusable("it is larger than %d KiB" % (_LARGEST // 1024))
    if [line.level for line in lines if line.level][:1] != [1] or [line.level for line in lines].count(1) != 1:
        raise Unusable("it does not begin with its one title (a line with #)")
    headings = [line.section for line in lines if line.level == 2]
    for name in (*_REQUIRED, *_OPTIONAL):
        if headings.count(name) > 1:
            raise Unusable("it has the heading %s twice" % name)
    missing = [name for name in _REQUIRED if name not in headings]
    if missing:
        raise Unusable("it lacks the heading %s" % ", ".join(missing))
    if [name for name in headings if name in _REQUIRED] != list(_REQUIRED):
        raise Unusable("its headings are in another order")


def _answered(line: _Line) -> bool:
    """Whether a line of the template asks for what a block says already."""
    plain = bare(line.text)
    if line.section == "" and _STATUS.match(plain):
        return True
    bullet = _BULLET.fullmatch(plain)
    if bullet is None:
        return False
    label = re.sub(r"\([^()]*\)|[*_]", "", bullet.group(1)).partition(":")[0].strip().casefold()
    return {
        "metadata": label in _FACTS,
        "timeline": "hh:mm" in plain.casefold(),
        "root cause": label.startswith(("trigger", "underlying")),
    }.get(line.section, False)
