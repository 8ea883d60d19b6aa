# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The map of laws and tests (docs/laws.md): every law is in it, in the words of the design and the README, and every test that it
names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "laws.md").read_text()
# The headings of the design.
LAWS = {
    1: "Repo first",
    2: "Dry-run first, approve the plan",
    3: "Note first",
    4: "Written before done",
    5: "One at a time",
    6: "The host is never left worse",
    7: "Never guess",
    8: "Read means read",
    9: "Secrets stay on the host",
    10: "Bounded",
    11: "No loops",
    12: "A crawl is not interrupted by accident",
}
_NAMED = re.compile(r"`(tests/[\w/.-]+)::(\w+)`")
_SECTION = re.compile(r"^## (\d+)\. (.+)$", re.MULTILINE)
_PROMISE = re.compile(r"^(\d+)\. \*\*(.+?)\.\*\*", re.MULTILINE)


def sections() -> Dict[int, str]:
    parts = _SECTION.split(GUIDE)
    return {int(number): text for number, text in zip(parts[1::3], parts[3::3])}


def of_file(path: Path) -> Dict[str, str]:
    """The tests of a file by name, with their source."""
    text = path.read_text()
    return {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def named(text: str) -> List[Tuple[str, str]]:
    return _NAMED.findall(text)


def test_the_laws_are_called_as_in_the_design():
    assert {int(number): heading for number, heading in _SECTION.findall(GUIDE)} == LAWS
    laws = (ROOT / "README.md").read_text().partition("\n## The laws\n")[2].partition("\n## ")[0]
    assert {int(number): heading for number, heading in _PROMISE.findall(laws)} == LAWS


def test_nothing_is_named_in_another_form():
    """What is between backquotes and looks like a file of tests is one of those that are looked up."""
    assert len(re.findall(r"^- `", GUIDE, re.MULTILINE)) == len(named(GUIDE))


@pytest.mark.parametrize("law", LAWS)
def test_a_law_names_tests_that_try_to_break_it(law):
    assert len(named(sections()[law])) >= 2


@pytest.mark.parametrize(("path", "name"), sorted(set(named(GUIDE))), ids=str)
def test_what_is_named_is_there(path, name):
    assert name in of_file(ROOT / path)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_named_in_a_test_of_it(law):
    said = [of_file(ROOT / path).get(name, "") for path, name in named(sections()[law])]
    assert any(re.search(r"\bLaw %d\b" % law, each) for each in said)
