# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clearance on a terminal: what was required, what was found, what to run."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from ansible_collections.healtharchive.remediation.plugins.action import clearance as action
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import clearance_summary
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.said import NotSaid

HEAD, NEW = "a" * 40, "b" * 40
FACTS: Dict[str, Any] = {
    "head": HEAD,
    "required": [{"asked": "b" * 7, "sha": NEW, "state": "undeployed"}],
    "origin_main_from": "remote",
    "schema_heads": ["0014"],
    "processes": [
        {"unit": "healtharchive-api.service", "running": True, "started_at": "2026-11-23T11:00:00Z"},
        {"unit": "healtharchive-worker.service", "running": False, "started_at": None},
    ],
}
HELD = {
    "clearance_id": "clearance-1",
    "holder": "alice on laptop",
    "incident": "2026-11-23-x",
    "expires_at": "2026-11-23T12:00:00Z",
}


def command(*words: str) -> str:
    return "RUN " + " ".join(words)


def finding(code: str, layer: str, message: str) -> Dict[str, str]:
    return {"code": code, "layer": layer, "message": message, "next_step": "Do it."}


def render(**result: Any) -> str:
    return clearance_summary.render("host.example.org", result, command)


def test_granted():
    text = render(outcome="applied", state="granted", facts=FACTS, clearance=HELD, refusals=[], remarks=[])
    assert "=== host.example.org: clearance GRANTED ===" in text
    assert "required  bbbbbbbbbbbb deployed and live" in text
    assert "ok      disk: aaaaaaaaaaaa is checked out" in text
    assert "healtharchive-worker.service does not run" in text
    assert "clearance-1 of alice on laptop, for incident 2026-11-23-x, until 2026-11-23T12:00:00Z" in text
    assert "RUN" not in text


def test_what_is_only_recorded_is_shown_as_what_it_is():
    remarks = [finding("tree_dirty", "tree", "It is not as it was committed.")]
    text = render(outcome="applied", state="granted", facts={**FACTS, "required": []}, clearance=HELD, remarks=remarks)
    assert "required  no commit" in text
    assert "NOT OK  tree: It is not as it was committed. (tree_dirty)" in text


@pytest.mark.parametrize(
    ("code", "layer", "required", "deployed"),
    [
        ("required_commit_not_deployed", "disk", FACTS["required"], NEW),
        ("process_behind", "process", [{"asked": HEAD, "sha": HEAD, "state": "in_head"}], HEAD),
    ],
)
def test_refused_with_what_a_deploy_mends(code, layer, required, deployed):
    facts = {**FACTS, "required": required}
    evidence = {"facts": facts, "refusals": [finding(code, layer, "It is behind.")]}
    text = render(
        outcome="refused", state="granted", code=code, next_step="Do it.", evidence=evidence, incident="2026-11-23-x"
    )
    assert "clearance REFUSED, nothing was changed" in text
    assert "NOT OK  %s: It is behind. (%s)" % (layer, code) in text
    assert "RUN deploy_pinned_ref deploy_ref=%s incident=2026-11-23-x" % deployed in text


def test_refused_because_somebody_else_has_it():
    text = render(
        outcome="refused", code="held_by_other", detail="alice has it.", next_step="Wait.", evidence={"clearance": HELD}
    )
    assert "found     alice has it. (held_by_other)" in text
    assert "RUN release_clearance force_reason=WHY_IT_IS_TAKEN_AWAY" in text


def test_released_and_not_on_record():
    text = render(outcome="applied", state="released", clearance=HELD, not_recorded="The disk is full.")
    assert "clearance released" in text
    assert "NOT on record: The disk is full." in text


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"outcome": "unknown"},
        {"outcome": "refused", "msg": "It failed.\n\x1b[31mred", "evidence": "x", "facts": []},
        {"outcome": "applied", "facts": {"head": None, "required": [None], "processes": [7]}, "clearance": {}},
        {"outcome": "refused", "code": "process_behind", "evidence": {"facts": {"head": None}, "refusals": ["x", {}]}},
    ],
)
def test_whatever_comes_is_printable(result):
    text = render(**result)
    assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("abc", "abc"),
        (1234567, "1234567"),
        (["abc", 7], ["abc", "7"]),
        ([""], [""]),
    ],
)
def test_what_was_said_of_a_commit(value, said):
    assert action._said("required_commit", value) == said


def test_a_reason_is_a_text():
    with pytest.raises(NotSaid):
        action._said("no_repo_change_reason", ["x"])


def test_commas_part_commits():
    assert action._commits("abc,def") == ["abc", "def"]
    assert action._commits(["abc", "def"]) == ["abc", "def"]
    assert action._commits("") == [""]


def test_only_ones_own_clearance_is_taken_over():
    caller = {"operator": "alice", "controller": "laptop"}
    assert action._is_own({"operator": "alice", "controller": "laptop"}, caller)
    for other in (
        {},
        {"operator": "alice"},
        {"operator": "bob", "controller": "laptop"},
        {"operator": "", "controller": ""},
    ):
        assert not action._is_own(other, caller)
    assert not action._is_own({"operator": None, "controller": None}, {"operator": None, "controller": None})
