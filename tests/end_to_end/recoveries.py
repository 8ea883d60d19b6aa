# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the guides: what each recovery answers on a host with each fault of the sandbox."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

DOCS = Path(__file__).resolve().parents[2] / "docs"
_HEAD = "| fault |"
_CELL = re.compile(r"(?:`(?P<said>[a-z_]+=[a-z0-9_,]+)`: )?`(?P<expected>[a-z_]+)`")


class Answer(NamedTuple):
    """What is said with ``-e`` (``name=value``, empty for nothing), and the outcome or the code of the refusal."""

    said: str
    expected: str


# Fault -> recovery -> answers, in the order of the table. The fault of a host that is well is ``none``.
Table = Dict[str, Dict[str, Tuple[Answer, ...]]]


def tables(directory: Path = DOCS) -> Table:
    """Of every guide that has one, joined. ValueError where two speak of one recovery, or one leaves out a fault of another."""
    found: Table = {}
    for path in sorted(directory.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if not any(line.startswith(_HEAD) for line in text.splitlines()):
            continue
        one = table(text)
        if found and set(found) != set(one):
            raise ValueError("%s: its faults are not those of the others: %s" % (path.name, sorted(set(found) ^ set(one))))
        for fault, row in one.items():
            twice = set(found.setdefault(fault, {})) & set(row)
            if twice:
                raise ValueError("%s: another guide speaks of %s" % (path.name, sorted(twice)))
            found[fault].update(row)
    return found


def table(text: str) -> Table:
    """ValueError where a row or a cell has another form."""
    lines = iter(text.splitlines())
    head = next((line for line in lines if line.startswith(_HEAD)), None)
    if head is None:
        raise ValueError("there is no line %s" % _HEAD)
    names = [cell.strip("`") for cell in _cells(head)[1:]]
    if set(next(lines)) > set("|- "):
        raise ValueError("the line below the head is none of a table")
    found: Table = {}
    for line in lines:
        if not line.startswith("|"):
            break
        fault, *cells = _cells(line)
        if len(cells) != len(names) or fault.strip("`") in found:
            raise ValueError("the row of %s" % fault)
        found[fault.strip("`")] = {name: _answers(cell) for name, cell in zip(names, cells)}
    return found


def _cells(line: str) -> List[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _answers(cell: str) -> Tuple[Answer, ...]:
    found = []
    for part in cell.split("; "):
        match = _CELL.fullmatch(part)
        if match is None:
            raise ValueError("the cell %r" % cell)
        found.append(Answer(match.group("said") or "", match.group("expected")))
    return tuple(found)
