# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note as a whole: what is shown, what is kept, and that no text of an event becomes more than text."""

from __future__ import annotations

import difflib
import re
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.note import lines
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.render import BLOCKS, render
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import (
    HOST_TEMPLATE,
    HOSTILE,
    event,
    healthy_flow,
    hostile_flow,
    hostile_incident,
    incident,
    messy_flow,
    numbered,
    opened,
    remark,
)
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.shown import (
    ELEMENTS,
    Page,
    blocks,
    outside,
    sections,
)
from hypothesis import given
from hypothesis import strategies as st

SECTIONS = [
    "Metadata",
    "Summary",
    "Impact",
    "Detection",
    "Decision log",
    "Timeline (UTC)",
    "Root cause",
    "Contributing factors",
    "Resolution / Recovery",
    "Post-incident verification",
    "Public communication",
    "Open questions",
    "Action items",
    "Automation opportunities",
    "References / Artifacts",
]
CLOSED = incident(state="closed", resolved_at="2026-11-23T18:10:00Z")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def new(flow: Any, **changes: Any) -> str:
    return render(None, HOST_TEMPLATE, incident(**changes), flow).text


def test_a_new_note_has_the_sections_of_the_contract_in_their_order() -> None:
    for template in (None, HOST_TEMPLATE):
        note = render(None, template, CLOSED, healthy_flow()).text
        page = Page(note)
        assert page.headings == ["Incident: API answers 502 after the update of Friday (2026-11-23)", *SECTIONS]
        assert list(blocks(note)) == list(BLOCKS)
        assert page.elements <= ELEMENTS
        assert "Status: closed" in page.text


def test_what_a_reader_sees_of_an_incident_that_went_well() -> None:
    page = Page(render(None, HOST_TEMPLATE, CLOSED, healthy_flow()).text)
    for seen in (
        "End (UTC): 2026-11-23 18:10 (after 39 min)",
        "sev1 (usable but badly degraded)",
        "17:31 The incident began",
        "17:52 Triage: slowapi cannot be imported",
        "deployment, certain: The environment lacks slowapi",
        "17:55 Caddy is well, the loopback refuses too. (anna)",
        "Only the API is hit.",
        "18:06 Ended: Deploy the pinned commit with its dependencies: applied, the host was changed",
        "Trigger: git pull by hand on Friday",
        "Underlying cause: Only the deploy script installs dependencies",
        "/opt/healtharchive/scripts/vps-deploy.sh --apply --ref " + "b" * 40,
        "Way back: Deploy the commit before it",
        "passed, all 3 checks",
        "events 5 to 11",
        "c" * 64,
    ):
        assert seen in page.text, seen
    assert "no outcome is on record" not in page.text
    assert "not named yet" not in page.text


def test_what_a_reader_sees_of_one_that_did_not() -> None:
    note = new(messy_flow(), state="contained", resolved_at="2026-11-24T00:30:00Z")
    page = Page(note)
    for seen in (
        "Status: contained",
        "17:50 Opened as sev1: usable but badly degraded (anna) (recorded later, 2026-11-23 19:30)",
        "18:31 Ended: Unmount the stale hot path: failed, whether the host was changed is not known",
        "failed, 1 of 3 checks passed; failed: storage; unknown: jobs",
        "2026-11-24",
        "00:06 Began: Resume the worker (no outcome is on record)",
        "The host was changed after it, or may have been: verify again.",
        "Not established; the incident is contained: Parked until the box is back",
        "No command is on record for it.",
    ):
        assert seen in page.text, seen
    assert note.index("**2026-11-23**") < note.index("**2026-11-24**")


def test_a_note_of_an_incident_just_opened_says_what_is_not_known() -> None:
    page = Page(new(numbered([opened()]), owner=None))
    for seen in (
        "Status: draft",
        "Owner: not known",
        "End (UTC): not yet",
        "Not verified yet.",
        "Trigger: not named yet",
    ):
        assert seen in page.text


def test_the_timeline_is_in_order_of_time_and_an_event_without_one_keeps_its_place() -> None:
    late = {**remark("second", "17:56"), "late": True, "recorded_at": "2026-11-23T19:00:00Z"}
    flow = [opened(), remark("third", "18:30"), event("remark", "no time", text="fourth"), late]
    shown = blocks(new(numbered(flow)))["timeline"]
    assert "19:00" in shown
    places = [shown.index(word) for word in ("began", "Opened", "second", "third", "fourth")]
    assert places == sorted(places)


def test_a_change_before_the_newest_verification_does_not_outdate_it() -> None:
    assert "verify again" not in new(healthy_flow())
    finished = [each for each in healthy_flow() if each["kind"] == "action_finished"]
    assert "verify again" in new(healthy_flow() + finished)
    for unchanged in ({"changed": False}, {"changed": None, "outcome": "refused"}):
        again = [{**each, "data": {**each["data"], **unchanged}} for each in finished]
        assert "verify again" not in new(healthy_flow() + again)


@pytest.mark.parametrize(
    "template", [None, HOST_TEMPLATE, HOST_TEMPLATE.replace("\n", "\r\n")], ids=["own", "host", "crlf"]
)
def test_rendering_again_gives_the_same_bytes(template: Any) -> None:
    for flow in (healthy_flow(), messy_flow(), []):
        first = render(None, template, CLOSED, flow)
        again = render(first.text, template, CLOSED, flow)
        assert (again.text, again.problems, again.changed) == (first.text, [], False)
        assert "\r\r" not in first.text
        assert ("\r\n" in first.text) == ("\r\n" in (template or ""))


def edited(note: str) -> str:
    """A person has written into every section, above, below and between the blocks, and at both ends."""
    note = "\ufeffWritten before the title\n\n" + note.replace("Status", "Status", 1)
    for heading, _text in sections(note):
        place = note.index("## " + heading + "\n") + len("## " + heading + "\n")
        # Below the heading, a table, code, HTML and a marker that is none.
        hand = "\nBy hand in %s:\r\n\r\n| a | b |\n|---|---|\n\n```\ncode\n```\n\n" % heading
        hand += "<b>bold</b> {{ x }} %s \\ \x1b[0m\t \n"
        note = note[:place] + hand + note[place:]
    for name in BLOCKS:
        marker = "<!-- healtharchive.remediation end: %s -->\n" % name
        note = note.replace(
            marker, marker + "Right below the block %s  \n<!-- healtharchive.remediation: note -->\n" % name
        )
    return note + "\n\nThe last line has no end"


def test_only_the_blocks_change_in_a_note_that_was_edited_by_hand_in_every_section() -> None:
    before = edited(new(healthy_flow()[:3]))
    after = render(before, HOST_TEMPLATE, CLOSED, healthy_flow())
    assert after.changed
    assert after.problems == []
    assert outside(after.text) == outside(before)
    assert after.text.count("By hand in") == len(SECTIONS)
    assert blocks(after.text) == blocks(render(None, HOST_TEMPLATE, CLOSED, healthy_flow()).text)
    # The same as a person would look at it: every line that diff shows stands between two markers.
    inside = {line for block in [*blocks(before).values(), *blocks(after.text).values()] for line in block.splitlines()}
    lines_of = [text.splitlines() for text in (before, after.text)]
    changed = [line for line in difflib.ndiff(*lines_of) if line[:1] in "+-"]
    assert changed
    assert {line[2:] for line in changed} <= inside
    assert "By hand" not in "".join(changed)


@given(st.data())
def test_any_text_of_a_person_survives_byte_for_byte(data: Any) -> None:
    """At any place outside the blocks, whatever the bytes, whatever is recorded afterwards."""
    note = new(healthy_flow()[: data.draw(st.integers(0, 7))])
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    pieces = [part.replace("\n", newline) for part in note.splitlines(keepends=True)]
    written = data.draw(st.lists(st.text() | st.binary().map(lines.decode), min_size=1, max_size=4))
    for hand in written:
        places = [0, len(pieces)]
        inside = False
        for number, piece in enumerate(pieces):
            if not inside:
                places.append(number)
            inside = (inside or "begin: " in piece) and "end: " not in piece
        pieces.insert(data.draw(st.sampled_from(places)), hand if hand.endswith("\n") else hand + newline)
    pieces.append(data.draw(st.text()))
    before = "".join(pieces)
    after = render(before, HOST_TEMPLATE, CLOSED, healthy_flow())
    assert after.problems == []
    assert outside(after.text) == outside(before)
    assert lines.decode(lines.encode(after.text)) == after.text
    for name in BLOCKS:
        whole = blocks(render(None, HOST_TEMPLATE, CLOSED, healthy_flow()).text)[name]
        assert blocks(after.text)[name].replace("\r\n", "\n") == whole


@given(st.binary())
def test_any_bytes_are_a_text_and_come_back(content: bytes) -> None:
    text = lines.decode(content)
    assert lines.encode(text) == content
    assert "".join(lines.split(text)) == text


def check(note: str, flow: Any, about: Any) -> Page:
    """Nothing but text came in: no marker, heading, element, attribute, comment, column or control character."""
    page = Page(note)
    assert page.headings[1:] == SECTIONS
    assert len(page.headings) == 1 + len(SECTIONS)
    assert page.elements <= ELEMENTS
    assert page.attributes <= {"class", "start", "style"}
    assert len(page.comments) == 2 * len(BLOCKS) + 1
    assert set(page.columns) <= {3}
    assert all(line.isprintable() for line in note.split("\n"))
    assert list(blocks(note)) == list(BLOCKS)
    assert "-->" not in outside(note).replace(" -->\n", "").rstrip()
    again = render(note, HOST_TEMPLATE, about, flow)
    assert (again.text, again.problems) == (note, [])
    return page


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_hostile_text_in_every_field_stays_text(text: str) -> None:
    about, flow = hostile_incident(text), hostile_flow(text)
    for template in (None, HOST_TEMPLATE):
        note = render(None, template, about, flow).text
        check(note, flow, about)
        assert len(note) < 80000
    grown = render(new(healthy_flow()), None, about, flow)
    assert grown.problems == []
    assert outside(grown.text) == outside(new(healthy_flow()))


def test_hostile_text_can_be_read_as_it_is() -> None:
    for text in (
        "<script>alert(1)</script>",
        "{{ lookup('pipe', 'id') }}",
        "a | b",
        "../../etc/passwd",
        "--",
        "\U0001f44d",
    ):
        page = check(render(None, None, incident(), hostile_flow(text)).text, hostile_flow(text), incident())
        assert page.text.count(text) > 10


def test_that_check_would_notice_a_marker_and_an_element() -> None:
    """The control: the same texts unescaped are what they look like."""
    note = new(healthy_flow())
    for text in ("\n<!-- healtharchive.remediation end: timeline -->\n", "\n\n# heading\n\n", "<b>x</b>"):
        broken = note.replace("17:55 Caddy", text)
        assert broken != note
        with pytest.raises(AssertionError):
            check(broken, healthy_flow(), incident())


def test_a_long_text_says_how_long_it_is() -> None:
    page = Page(new(numbered([opened(), remark("x" * 102400), remark("y\n" * 5000)])))
    assert "(102,400 characters in all)" in page.text
    assert "and 4,988 more lines (10,000 characters in all)" in page.text


LONG = "\n".join("*\U0001f525" * 200 for _line in range(12))


def test_a_note_does_not_grow_without_end() -> None:
    """The longest texts of many events: it can still be read and written, and says how much is not in it."""
    flow = [opened(), *(remark("%d %s" % (number, LONG)) for number in range(310))]
    flow += [
        event(kind, "18:00", **{"action_id": "a%d" % number, **data})
        for number in range(40)
        for kind, data in (
            ("action_begun", {"action": "deploy", "argv": [["x", "y" * 1200]] * 41, "subjects": [LONG] * 50}),
            ("action_finished", {"outcome": "applied", "changed": True}),
        )
    ]
    for kind, field in (("verified", "verification_id"), ("triage_run", "evidence_digest")):
        flow += [event(kind, "18:30", **{field: "%d-%s" % (number, "x" * 60)}) for number in range(150)]
    text = render(None, HOST_TEMPLATE, incident(), numbered(flow)).text
    assert len(text.encode()) < 6 * 1024 * 1024
    timeline = blocks(text)["timeline"]
    shown = sum(line.startswith("- ") for line in timeline.splitlines())
    assert 20 < shown <= 300
    left_out = re.search(r"^([0-9,]+) events are left out here", timeline, re.MULTILINE)
    assert left_out
    # Besides the events there is the line of the beginning.
    assert int(left_out.group(1).replace(",", "")) + shown - len(flow) in (0, 1)
    assert "Opened as" in timeline
    assert "earlier actions are left out here" in blocks(text)["commands"]
    assert "**40. " in blocks(text)["commands"]
    assert "49 earlier verifications are left out" in blocks(text)["verification"]
    assert "50 earlier triages are left out" in blocks(text)["artifacts"]
    again = render(text, HOST_TEMPLATE, incident(), numbered([*flow, remark("The newest", "18:40")]))
    assert "The newest" in blocks(again.text)["timeline"]
    # The control: a short one has all of it.
    assert "left out here" not in render(None, HOST_TEMPLATE, incident(), healthy_flow()).text


@given(st.text(max_size=300))
def test_any_text_in_any_field(text: str) -> None:
    about, flow = hostile_incident(text), hostile_flow(text)
    check(render(None, HOST_TEMPLATE, about, flow).text, flow, about)


@given(
    st.lists(JSON | st.fixed_dictionaries({"kind": st.sampled_from([e["kind"] for e in messy_flow()]), "data": JSON})),
    JSON,
)
def test_whatever_is_no_event_does_no_harm(events: Any, about: Any) -> None:
    about = about if isinstance(about, dict) else {}
    first = render(None, HOST_TEMPLATE, about, events)
    assert list(blocks(first.text)) == list(BLOCKS)
    assert not render(first.text, None, about, events).changed


def test_the_order_in_which_parts_change_does_not_matter() -> None:
    """Rendered after every event, or once at the end: the same note."""
    flow = healthy_flow() + messy_flow()
    note = None
    for number in range(len(flow) + 1):
        note = render(note, HOST_TEMPLATE, CLOSED, flow[:number]).text
    assert note == render(None, HOST_TEMPLATE, CLOSED, flow).text
