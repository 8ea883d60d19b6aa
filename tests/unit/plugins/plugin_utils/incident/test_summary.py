# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of an incident: short, printable, with one command to paste."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import summary
from hypothesis import given
from hypothesis import strategies as st

ID = "2026-11-23-api-down"
LOG = {"verified": True, "lines": 3, "problems": []}


def incident(**changes: Any) -> dict:
    return {
        "id": ID,
        "title": "API down",
        "severity": "sev1",
        "severity_reason": "usable but badly degraded",
        "area": "api",
        "owner": None,
        "started_at": "2026-11-23T17:50:00Z",
        "state": "open",
        **changes,
    }


def recorded(found: Any = None, **changes: Any) -> dict:
    return {
        "changed": True,
        "reached": True,
        "incident": incident() if found is None else found,
        "events": [{}, {}],
        "record": LOG,
        "head_digest": "ab" * 32,
        "notes": "/srv/ops/remediation/incidents/%s.md" % ID,
        "note": {"changed": True, "problems": []},
        "unfinished_actions": [],
        **changes,
    }


def render(said: Any, note: Any = None, joined: Any = None, branch: Any = None, check_mode: bool = False) -> str:
    def command(name: str, *variables: str) -> str:
        return " ".join(["RUN", name, *variables])

    return summary.render("archive", said, note, joined or {}, branch, check_mode, command)


def test_an_incident_that_was_opened():
    assert render(
        recorded(severity_from="triage/archive/x/result.json"), {"path": "incidents/x.md", "problems": []}
    ) == (
        """
=== archive: incident 2026-11-23-api-down is open (sev1) ===

what      API down
severity  sev1: usable but badly degraded (as triage suggests: triage/archive/x/result.json)
began     2026-11-23T17:50:00Z; area api
record    2 events of this incident; the host's log is whole (3 lines, end abababababababab)
note      incidents/x.md
          on the host: /srv/ops/remediation/incidents/2026-11-23-api-down.md

next      Find out what is wrong; the result becomes part of the record.

To paste:
    RUN triage incident=2026-11-23-api-down

"""
    )


def test_one_that_is_here_only():
    said = recorded(reached=False, reason="No route\x1b to host", record=None, notes=None, note=None)
    text = " ".join(render(said).split())
    assert "HERE ONLY" in text
    assert "No route\\x1b to host" in text


def test_a_log_that_is_not_whole_is_loud():
    broken = {"verified": False, "lines": 3, "problems": [{"line": 2, "message": "it was changed"}]}
    assert "THE LOG IS NOT WHOLE: line 2: it was changed" in " ".join(render(recorded(record=broken)).split())


def test_what_is_unfinished_is_said_first():
    action = {"action": "deploy", "begun_at": "2026-11-23T17:00:00Z", "incident": ID, "subjects": ["a.service"]}
    lines = render(recorded(unfinished_actions=[action])).splitlines()
    assert lines[2].startswith("UNFINISHED deploy on a.service was begun at 2026-11-23T17:00:00Z")


def test_a_closed_sev1_has_its_deadline_and_its_draft():
    closed = incident(
        state="closed", trigger="A deploy", underlying="No check", resolved_at="2026-11-23T19:00:00Z",
        communication_deadline="2026-11-25T19:00:00Z",
    )  # fmt: skip
    text = render(
        recorded(closed), {"path": "x", "problems": [], "public_draft": "## Draft\n\nIt was {{ x }}\x1b[31m."}
    )
    assert "trigger   A deploy" in text
    assert "Tell the public until 2026-11-25T19:00:00Z" in text
    assert "    ## Draft" in text
    assert "It was {{ x }}\\x1b[31m." in text
    assert "RUN publish_note incident=" in text


def test_a_contained_one_can_still_be_closed():
    text = render(recorded(incident(state="contained", reason="Nobody knows", resolved_at="2026-11-23T19:00:00Z")))
    assert "reason    Nobody knows" in text
    assert "RUN close_incident incident=" in text


def test_joined_and_renamed():
    joined = {"joined": [{"incident": ID + "-a", "former_id": ID, "events": 2}]}
    text = " ".join(render(recorded(), joined=joined).split())
    assert "2 events of 2026-11-23-api-down-a, written down while the host could not be reached" in text
    assert "it was called 2026-11-23-api-down then" in text


def test_a_branch():
    branch = {
        "branch": "incident/" + ID,
        "commit": "c" * 40,
        "removed": [{"line": 3, "what": "secret"}],
        "problems": [],
    }
    text = render(recorded(), branch=branch)
    assert "incident/%s, commit cccccccccccc; nothing was pushed" % ID in text
    assert "1 place of the note (secret)" in text
    assert "git show incident/" in text


def test_nothing_new_and_check_mode():
    assert "Nothing is new" in render(recorded(changed=False))
    assert "Nothing was written" in render(recorded(), check_mode=True)


TEXT = st.text(max_size=300)


@given(TEXT, TEXT, TEXT, TEXT, st.sampled_from(["open", "closed", "contained"]))
@pytest.mark.filterwarnings("error")
def test_every_line_is_printable_whatever_was_said(title, owner, reason, message, state):
    found = incident(title=title, owner=owner, reason=reason, trigger=title, underlying=owner, state=state)
    said = recorded(found, reached=False, reason=message, note={"problems": [{"message": message}]})
    text = render(said, {"path": title, "problems": [{"message": owner}], "public_draft": title})
    assert all(line.isprintable() for line in text.split("\n"))
    assert all(len(line) <= 400 + 4 for line in text.split("\n"))


def test_what_never_joins_is_told_with_its_place_and_what_to_do():
    aside = {"incident": ID, "path": "/x/%s.jsonl.aside" % ID, "reason": "It is unknown.", "next_step": "Open it."}
    text = summary.render("host", recorded(), None, {"put_aside": [aside]}, None, False, lambda *words: "x")
    told = " ".join(text.split())
    assert "PUT ASIDE what was written down of %s while" % ID in told
    for said in (aside["path"], "It is unknown.", "Open it. Then say it again"):
        assert said in told
    assert "PUT ASIDE" not in summary.render("host", recorded(), None, {}, None, False, lambda *words: "x")


def test_lines_that_were_cut_short_stay_told():
    told = recorded(record={**LOG, "torn_lines": [7]})
    text = " ".join(summary.render("host", told, None, {}, None, False, lambda *words: "x").split())
    assert "the host's log is whole" in text
    assert "cut short, and what stood there is lost: line 7" in text
    assert "cut short" not in summary.render("host", recorded(), None, {}, None, False, lambda *words: "x")
