# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of notes in the incidents README of the service: one line for each (contract 4.14). Text in, text out.

The form of the index is not prescribed, so a new line takes the form of those that are there. Private to this collection.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from ...module_utils import markdown
from ...module_utils.note.lines import bare, ending, split

# A bracket behind a backslash is a letter of somebody's title.
_LINK = re.compile(r"(?<!\\)(?:\\\\)*\]\((?:\./)?([0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[a-z0-9]+)+)\.md\)")
_DELIMITER = re.compile(r"\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?")
_CELLS = re.compile(r"(?<!\\)\|")
_STATE = re.compile(r"\(sev[0-3], (?:draft|contained|closed)\)")
_BULLET = re.compile(r"[ \t]*[-*+][ \t]")
_TITLE_COLUMNS = ("incident", "note", "title", "file", "link", "name", "summary")


class Entry(NamedTuple):
    """What the index says of an incident; texts on one printable line."""

    id: str
    title: str
    severity: str
    status: str
    area: str
    owner: str

    @property
    def link(self) -> str:
        return "[%s](%s.md)" % (markdown.text(self.title), self.id)


class Indexed(NamedTuple):
    """The index with the line; ``recognised`` is false when it had no form that the line could take."""

    text: str
    recognised: bool


class _Table(NamedTuple):
    columns: List[str]
    rows: List[int]  # numbers of lines
    delimiter: int


def with_entry(readme: str, entry: Entry) -> Indexed:
    """The README with one line for the incident, which is brought up to date if it is there already."""
    lines = split(readme)
    table = _index_table(lines)
    # What a line of the index links to first is its incident; a link in other words is none of the index.
    rows = [] if table is None else [row for row in table.rows if _first_link(lines[row]) == entry.id]
    there = rows or [number for number, line in enumerate(lines) if _BULLET.match(line) and _first_link(line) == entry.id]
    if there:
        for number in there:
            update = _updated(lines[number], table.columns, entry) if table is not None and rows else None
            lines[number] = _updated_bullet(lines[number], entry) if update is None else update
        return Indexed("".join(lines), True)
    if table is not None:
        place = _place(lines, table.rows or [table.delimiter], entry.id)
        return Indexed(_inserted(lines, place, _row(table.columns, entry)), True)
    bullets = [(number, match.group()) for number, line in enumerate(lines) for match in [_BULLET.match(line)] if match]
    bullets = [(number, begin) for number, begin in bullets if _LINK.search(lines[number])]
    shown = "%s: %s (%s, %s)" % (entry.id[:10], entry.link, entry.severity, entry.status)
    if bullets:
        place = _place(lines, [number for number, _begin in bullets], entry.id)
        return Indexed(_inserted(lines, place, bullets[0][1] + shown), True)
    readme = _inserted(lines, len(lines), "") if lines else ""
    return Indexed(_inserted(split(readme), len(lines) + 1, "- " + shown), False)


def _first_link(line: str) -> Optional[str]:
    """The incident that a line links to first."""
    match = _LINK.search(line)
    return match.group(1) if match else None


def _updated_bullet(line: str, entry: Entry) -> str:
    """A line as we write them, with the severity and the status of now; any other is somebody's own words."""
    begin = "%s: %s" % (entry.id[:10], entry.link)
    place = line.find(begin)
    rest = _STATE.fullmatch(bare(line[place + len(begin) :])) if place != -1 else None
    if rest is None:
        return line
    return "%s (%s, %s)%s" % (line[: place + len(begin)], entry.severity, entry.status, line[len(line.rstrip("\r\n")) :])


def _index_table(lines: Sequence[str]) -> Optional[_Table]:
    """The table that lists incidents: the one with most links to notes; without any, one with the columns of an index."""
    best: Optional[_Table] = None
    most = -1
    for number in range(1, len(lines)):
        if _DELIMITER.fullmatch(bare(lines[number])) is None or "|" not in lines[number - 1]:
            continue
        columns = [cell.strip(" *_`").casefold() for cell in _cells(lines[number - 1])]
        rows = []
        for row in range(number + 1, len(lines)):
            if "|" not in lines[row]:
                break
            rows.append(row)
        links = sum(1 for row in rows if _LINK.search(lines[row]))
        dated = any("date" in column for column in columns)
        if _title_column(columns) is not None and (links or dated) and links > most:
            best, most = _Table(columns, rows, number), links
    return best


def _cells(line: str) -> List[str]:
    cells = _CELLS.split(bare(line))
    if cells and not cells[0].strip():
        cells = cells[1:]
    if len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _title_column(columns: Sequence[str]) -> Optional[int]:
    for word in _TITLE_COLUMNS:
        for number, column in enumerate(columns):
            if word in column:
                return number
    return None


_VALUES: Dict[str, Callable[[Entry], str]] = {
    "date": lambda entry: entry.id[:10],
    "sev": lambda entry: entry.severity,
    "status": lambda entry: entry.status,
    "state": lambda entry: entry.status,
    "area": lambda entry: markdown.text(entry.area),
    "owner": lambda entry: markdown.text(entry.owner),
}


def _value(column: str, entry: Entry) -> str:
    return next((value(entry) for word, value in _VALUES.items() if word in column), "")


def _row(columns: Sequence[str], entry: Entry) -> str:
    linked = _title_column(columns)
    cells = [entry.link if number == linked else _value(column, entry) for number, column in enumerate(columns)]
    return "| %s |" % " | ".join(cells)


def _updated(line: str, columns: Sequence[str], entry: Entry) -> str:
    """The row with the severity and the status of now; its other cells may be somebody's own words."""
    cells = _cells(line)
    if len(cells) != len(columns):
        return line
    for number, column in enumerate(columns):
        if number != _title_column(columns) and any(word in column for word in ("sev", "status", "state")):
            value = _value(column, entry)
            cells[number] = cells[number] if cells[number].strip() == value else " %s " % value
    return "|%s|%s" % ("|".join(cells), line[len(line.rstrip("\r\n")) :])


def _place(lines: Sequence[str], entries: Sequence[int], incident: str) -> int:
    """Before which line the new one goes: newest first or last, as the list has it; at its end if it has no order."""
    known = [(number, match.group(1)) for number in entries for match in [_LINK.search(lines[number])] if match]
    if not known:
        return entries[-1] + 1
    newest_first = known[0][1] > known[-1][1]
    for number, name in known:
        if (name < incident) if newest_first else (name > incident):
            return number
    return known[-1][0] + 1


def _inserted(lines: Sequence[str], place: int, line: str) -> str:
    newline = ending(lines[0]) if lines else "\n"
    before = [*lines[:place]]
    if before and not before[-1].endswith("\n"):
        before[-1] += newline
    return "".join([*before, line + newline, *lines[place:]])
