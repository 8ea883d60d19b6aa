# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about replay in each state of storage, units and pages; a restart only for what the host sees."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.replays import decide
from ansible_collections.healtharchive.remediation.plugins.module_utils.replays.facts import (
    PASSED_OVER,
    SMOKE_UNIT,
    Facts,
    Page,
    Unit,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.seen import DOCKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers.facts import REPLAY_UNIT, TIERING_UNIT

HOT, OTHER = "/srv/healtharchive/jobs/imports/a", "/srv/healtharchive/jobs/hc/b"
ABSENT = Unit("not-found", "inactive", "dead", "", None)
UP = {TIERING_UNIT: Unit(sub="exited"), REPLAY_UNIT: Unit(), DOCKER: Unit(sub="exited"), SMOKE_UNIT: ABSENT}
FAILED, DOWN = Unit(active="failed", sub="failed"), Unit(active="inactive", sub="dead")
SERVED = Page(1, "mounted", "served")
BLIND = Page(2, "mounted", "failing", True)
STATES = ("ok", "stale", "hung", "missing", "not_mounted", "other_mount", "not_writable", "error", None)


def facts(*pages: Page, units: Any = None, **more: Any) -> Facts:
    known = {"base": "ok", "hot": {HOT: "ok", OTHER: "ok"}, "manifest": (HOT,), "with_box": True}
    known.update(responds=True, status=200, pages=pages or (SERVED,), units={**UP, **(units or {})})
    return Facts(**{**known, **more})


def word(found: Any) -> str:
    """In one word, what is done."""
    if isinstance(found, Refusal):
        return str(found.code)
    if isinstance(found, decide.Nothing):
        return "nothing"
    parts = ["tiering"] * found.start_tiering + [found.verb] * bool(found.verb) + ["index"] * (found.collection is not None)
    return "+".join(parts)


def test_what_is_well_is_left():
    found = decide.decide(facts())
    assert word(found) == "nothing"
    assert found.detail.endswith("job 1.")
    assert "no replay" in decide.decide(facts(units={REPLAY_UNIT: ABSENT}, responds=False, pages=())).detail
    assert "no page" in decide.decide(facts(pages=())).detail


@pytest.mark.parametrize("of", ["base", HOT, OTHER])
@pytest.mark.parametrize("state", STATES)
def test_storage_comes_first(of, state):
    more = {"base": state} if of == "base" else {"hot": {HOT: "ok", OTHER: "ok", of: state}}
    # As dead as replay can be: what is wrong with storage is told before it.
    said = [word(decide.decide(facts(BLIND, units=units, **more))) for units in ({}, {REPLAY_UNIT: DOWN})]
    if state is None:
        assert said == ["evidence_missing"] * 2
    elif state in ("ok", "not_writable") or (of == OTHER and state in ("missing", "not_mounted", "other_mount")):
        assert said == ["restart", "start"]
    elif state == "other_mount" and of == "base":
        assert said == ["restart", "start"]
    else:
        assert said == ["storage_first"] * 2


def test_a_host_without_a_box_needs_none():
    alone = {"base": "missing", "hot": {}, "manifest": ()}
    assert word(decide.decide(facts(with_box=False, **alone))) == "nothing"
    assert word(decide.decide(facts(with_box=True, **alone))) == "storage_first"


UNITS = [
    (Unit(), {}, "restart"),
    (DOWN, {}, "start"),
    (FAILED, {}, "start"),
    (FAILED._replace(file_state="disabled"), {}, "unit_disabled"),
    (FAILED, {DOCKER: DOWN}, "docker_down"),
    (FAILED, {DOCKER: ABSENT}, "docker_down"),
    (DOWN._replace(condition_met=None), {}, "start"),
    (DOWN._replace(condition_met=False), {}, "condition_unmet"),
    (Unit(active="activating", sub="auto-restart"), {}, "replay_restart_loop"),
    (Unit(active="activating", sub="start"), {}, "unit_changing"),
    (Unit(active="deactivating", sub="stop"), {}, "unit_changing"),
    (Unit("masked", "inactive", "dead", "masked"), {}, "unit_masked"),
]


@pytest.mark.parametrize(("unit", "others", "expected"), UNITS)
def test_a_unit_in_each_state(unit, others, expected):
    assert word(decide.decide(facts(BLIND, units={REPLAY_UNIT: unit, **others}))) == expected
    # The tiering unit may be the cause, and is mended all the same; what is left is told.
    found = decide.decide(facts(BLIND, units={REPLAY_UNIT: unit, **others, TIERING_UNIT: FAILED}))
    assert word(found) == ("tiering+" + expected if expected in ("start", "restart") else "tiering")
    assert bool(found.left_out) == (expected not in ("start", "restart"))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (BLIND, "restart"),
        (BLIND._replace(state="silent"), "restart"),
        (BLIND._replace(tier=None), "restart"),
        (BLIND._replace(on_host=False, missing="/x"), "archive_file_missing"),
        (BLIND._replace(on_host=None), "evidence_missing"),
        (BLIND._replace(state=None, on_host=None), "evidence_missing"),
        (Page(2, "local", "failing", True), "replay_itself"),
        (Page(2, "local", "failing", None), "replay_itself"),
        (Page(2, "local", "failing", False, "/x"), "archive_file_missing"),
        (Page(2, "local", "silent", True), "restart"),
        (Page(2, "mounted", "not_found"), "not_reconcilable"),
    ],
)
def test_a_page_in_each_state(page, expected):
    assert word(decide.decide(facts(SERVED, page))) == expected


def test_what_was_not_seen_is_not_told_as_well():
    """Collections that could not be listed, or an index that could not be read, leave no page to ask for."""
    unseen = {"unseen": ("Replay's index of job 4 could not be read.",)}
    for pages in ((), (SERVED,)):
        found = decide.decide(facts(**unseen)._replace(pages=pages))
        assert word(found) == "evidence_missing"
        assert "job 4" in str(found)
    assert word(decide.decide(facts(BLIND, **unseen))) == "restart"
    assert word(decide.decide(facts(**unseen, units={TIERING_UNIT: FAILED}))) == "tiering"
    assert word(decide.decide(facts(**unseen, units={REPLAY_UNIT: ABSENT}))) == "nothing"


def test_what_no_restart_brings_back_is_told_beside_one():
    gone = Page(3, "mounted", "failing", False, "/srv/healtharchive/jobs/imports/a/x.warc.gz")
    found = decide.decide(facts(BLIND, gone))
    assert (found.verb, found.pages) == ("restart", (2,))
    assert "does not see /srv/healtharchive/jobs/imports/a/x.warc.gz" in found.left_out["replay job-3"]


def test_a_front_page_in_each_state():
    assert word(decide.decide(facts(responds=False, status=None, pages=()))) == "restart"
    assert word(decide.decide(facts(responds=None, status=None))) == "evidence_missing"
    assert word(decide.decide(facts(status=502))) == "replay_itself"


def test_an_index_is_written_only_if_the_dry_run_takes_it_and_one_at_a_time():
    assert word(decide.decide(facts(indexes={4: ""}))) == "index"
    found = decide.decide(facts(indexes={4: "", 5: "", 6: "It is as it should be."}))
    assert (found.collection, sorted(found.left_out)) == (4, ["collection job-5", "collection job-6"])
    refused = decide.decide(facts(indexes={6: "It is as it should be."}))
    assert (word(refused), refused.next_step.split()[-1]) == ("not_reconcilable", "6")
    behind = Page(2, "mounted", "not_found")
    assert word(decide.decide(facts(behind, indexes={2: ""}))) == "index"
    assert word(decide.decide(facts(behind, indexes={2: "No WARC files."}))) == "not_reconcilable"
    # It is written in the container.
    assert word(decide.decide(facts(units={REPLAY_UNIT: DOWN}, indexes={4: ""}))) == "start+index"
    stopped = {REPLAY_UNIT: DOWN._replace(file_state="disabled"), TIERING_UNIT: FAILED}
    assert word(decide.decide(facts(units=stopped, indexes={4: ""}))) == "tiering"


def test_an_index_that_the_dry_run_passes_over_is_as_it_should_be_if_its_page_is_served():
    for said, served, expected in (
        (PASSED_OVER, {6}, "nothing"),
        (PASSED_OVER, {5}, "not_reconcilable"),
        ("No WARC files.", {6}, "not_reconcilable"),
        ("", {6}, "index"),
    ):
        assert word(decide.decide(facts(indexes={6: said}, served=frozenset(served)))) == expected
    assert "job 1, 6" in decide.decide(facts(indexes={6: PASSED_OVER}, served=frozenset({6}))).detail
    # Beside something to do it is named, as what was asked for and is not done.
    found = decide.decide(facts(BLIND, indexes={6: PASSED_OVER}, served=frozenset({6})))
    assert (word(found), list(found.left_out)) == ("restart", ["collection job-6"])
    # One of which a page is not found is behind, whatever else of it is served.
    behind = facts(Page(6, "local", "not_found"), indexes={6: PASSED_OVER}, served=frozenset({6}))
    assert word(decide.decide(behind)) == "not_reconcilable"


def test_what_the_dry_run_is_asked_for():
    behind = Page(2, "mounted", "not_found")
    assert decide.candidates(facts(SERVED, behind), [7, 2]) == (2, 7)
    assert decide.candidates(facts(SERVED), []) == ()
    assert decide.candidates(facts(behind, base="stale"), [7]) == ()
    assert decide.candidates(facts(behind, units={REPLAY_UNIT: ABSENT}), [7]) == ()


def test_the_tiering_unit():
    assert word(decide.decide(facts(units={TIERING_UNIT: FAILED}))) == "tiering"
    assert word(decide.decide(facts(units={TIERING_UNIT: DOWN}))) == "nothing"
    assert word(decide.decide(facts(units={TIERING_UNIT: Unit(active="activating")}))) == "unit_changing"
    assert word(decide.decide(facts(units={TIERING_UNIT: FAILED._replace(load="masked")}))) == "nothing"


def test_the_smoke_check_is_run_where_there_is_one():
    assert not decide.decide(facts(BLIND)).smoke
    assert decide.decide(facts(BLIND, units={SMOKE_UNIT: DOWN})).smoke


def test_a_restart_is_never_planned_without_something_that_the_host_sees_and_replay_does_not():
    """Every combination of two pages beside a front page that answers."""
    kinds = [
        Page(number, tier, state, on_host)
        for number, (tier, state, on_host) in enumerate(
            itertools.product(
                ("mounted", "local", None), ("served", "not_found", "failing", "silent", None), (True, False, None)
            )
        )
    ]
    planned = 0
    for pages in itertools.product(kinds, repeat=2):
        found = decide.decide(facts(*pages))
        if isinstance(found, decide.Decision) and found.verb is not None:
            planned += 1
            assert any(page.state in ("failing", "silent") and page.on_host is True for page in pages)
            assert not any(
                page.tier == "local" and page.state == "failing" and page.on_host is not False for page in pages
            )
        if isinstance(found, decide.Nothing):
            assert all(page.state == "served" for page in pages)
    assert planned > 100
