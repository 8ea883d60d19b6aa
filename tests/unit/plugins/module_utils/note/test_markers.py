# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markers that a person deleted, doubled, crossed or nested: reported, and nothing in their block is touched."""

from __future__ import annotations

import re
from typing import Callable, Dict

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.note import markers
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.render import BLOCKS, render
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import (
    HOST_TEMPLATE,
    healthy_flow,
    incident,
)
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.shown import blocks
from hypothesis import given
from hypothesis import strategies as st

CLOSED = incident(state="closed", resolved_at="2026-11-23T18:10:00Z")
NOTE = render(None, HOST_TEMPLATE, incident(), healthy_flow()[:1]).text
WHOLE = render(NOTE, None, CLOSED, healthy_flow()).text


def begin(name: str) -> str:
    return "<!-- healtharchive.remediation begin: %s -->\n" % name


def end(name: str) -> str:
    return "<!-- healtharchive.remediation end: %s -->\n" % name


def other(name: str) -> str:
    return BLOCKS[BLOCKS.index(name) - 1]


def block(note: str, name: str) -> str:
    return note[note.index(begin(name)) : note.index(end(name)) + len(end(name))]


def nest(note: str, name: str) -> str:
    moved = block(note, name)
    return note.replace(moved, "").replace(end(other(name)), moved + end(other(name)))


def cross(note: str, name: str) -> str:
    """This block begins before the other one ends."""
    return note.replace(begin(name), "").replace(end(other(name)), begin(name) + "between\n" + end(other(name)))


DAMAGES: Dict[str, Callable[[str, str], str]] = {
    "begin deleted": lambda note, name: note.replace(begin(name), ""),
    "end deleted": lambda note, name: note.replace(end(name), ""),
    "both deleted": lambda note, name: note.replace(begin(name), "").replace(end(name), ""),
    "begin changed": lambda note, name: note.replace(begin(name), begin(name).replace(" -->", "-->")),
    "begin doubled": lambda note, name: note.replace(begin(name), begin(name) * 2),
    "end doubled": lambda note, name: note.replace(end(name), end(name) * 2),
    "block doubled": lambda note, name: note.replace(block(note, name), block(note, name) * 2),
    "copied to the end": lambda note, name: note + block(note, name),
    "turned round": lambda note, name: note.replace(block(note, name), end(name) + "x\n" + begin(name)),
    "nested": nest,
    "crossed": cross,
}
CODES = {
    "begin deleted": "marker_missing",
    "end deleted": "marker_missing",
    "both deleted": "marker_missing",
    "begin changed": "marker_missing",
    "begin doubled": "marker_doubled",
    "end doubled": "marker_doubled",
    "block doubled": "marker_doubled",
    "copied to the end": "marker_doubled",
    "turned round": "marker_crossed",
    "nested": "marker_nested",
    "crossed": "marker_crossed",
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_block_is_reported_and_left_alone(name: str, damage: str) -> None:
    before = DAMAGES[damage](NOTE, name)
    assert before != NOTE
    after = render(before, HOST_TEMPLATE, CLOSED, healthy_flow())
    problems = {problem.block: problem for problem in after.problems}
    assert problems[name].code == CODES[damage]
    assert "left as it is" in problems[name].message
    expected = {name, other(name)} if damage in ("nested", "crossed") else {name}
    assert set(problems) == expected
    # The others are up to date, all else is as the person left it.
    assert after.changed
    for each in set(BLOCKS) - expected:
        assert block(after.text, each) == block(WHOLE, each)
    restored = after.text
    for each in set(BLOCKS) - expected:
        restored = restored.replace(block(restored, each), block(NOTE, each))
    assert restored == before
    assert not render(after.text, HOST_TEMPLATE, CLOSED, healthy_flow()).changed


def test_a_note_without_any_marker_is_left_as_it_is() -> None:
    for text in ("Somebody's own note\n", " ", "\n", re.sub("<!--.*\n", "", NOTE)):
        after = render(text, HOST_TEMPLATE, CLOSED, healthy_flow())
        assert (after.text, after.changed) == (text, False)
        assert [(problem.code, problem.block) for problem in after.problems] == [("markers_missing", None)]


def test_an_empty_file_is_no_note_yet() -> None:
    assert render("", HOST_TEMPLATE, CLOSED, healthy_flow()) == render(None, HOST_TEMPLATE, CLOSED, healthy_flow())


def test_a_marker_of_a_block_that_does_not_exist_is_named() -> None:
    after = render(NOTE + begin("summary") + "mine\n" + end("summary"), None, CLOSED, healthy_flow())
    assert [(problem.code, problem.block) for problem in after.problems] == [("marker_unknown", "summary")]
    assert after.text.endswith(begin("summary") + "mine\n" + end("summary"))


def test_a_marker_may_be_indented_and_end_in_a_carriage_return() -> None:
    changed = NOTE.replace(begin("timeline"), "  " + begin("timeline").rstrip("\n") + " \r\n")
    after = render(changed, None, CLOSED, healthy_flow())
    assert after.problems == []
    assert blocks(after.text.replace("  <!--", "<!--").replace("--> \r", "-->"))["timeline"].count("\r\n") > 5


@given(st.lists(st.sampled_from([*(begin(n) for n in BLOCKS[:3]), *(end(n) for n in BLOCKS[:3]), "text\n", "\n"])))
def test_any_order_of_markers(pieces: list) -> None:
    """Whatever stands there, the text that is not inside one sound block stays, and each block is written or reported."""
    before = "".join(pieces)
    found = markers.find(before.splitlines(keepends=True), BLOCKS)
    after = render(before, None, CLOSED, healthy_flow())
    if not before:
        return
    named = {problem.block for problem in after.problems}
    assert found.problems == after.problems
    assert named in ({None}, set(BLOCKS) - set(found.places))
    places = sorted(found.places.values())
    assert all(first[1] < second[0] for first, second in zip(places, places[1:]))
    kept = [piece for number, piece in enumerate(pieces) if not any(a < number < b for a, b in places)]
    left = iter(after.text.splitlines(keepends=True))
    assert all(any(piece == line for line in left) for piece in kept)
    assert render(after.text, None, CLOSED, healthy_flow()).changed is False
