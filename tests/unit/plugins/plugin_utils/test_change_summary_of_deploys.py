# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of what goes on by itself, and of what tells in its own words what it left."""

from __future__ import annotations

from typing import Any

from ansible_collections.healtharchive.remediation.plugins.plugin_utils import change_summary

REF, BEFORE = "b" * 40, "a" * 40
PLAN = {
    "objective": "Deploy it.", "commands": [["/usr/bin/systemd-run", "--unit=x"]], "expected_impact": "The API restarts.",
    "rollback": "By hand.", "subjects": [], "before": {}, "after": {}, "left_out": {}, "remarks": [],
}  # fmt: skip


def command(playbook: str, *given: str) -> str:
    return " ".join(["run", playbook, *given])


def rendered(check_mode: bool = False, **result: Any) -> str:
    said = {"deploy_ref": REF}
    result.setdefault("incident", "2026-11-23-api-down")
    return change_summary.render("archive", result, "Deploy", "deploy_pinned_ref", said, check_mode, command)


def test_what_needs_no_clearance_asks_for_no_commit():
    told = rendered(outcome="planned", plan=PLAN, plan_id="0123456789ab", needs_clearance=False)
    approval = "run deploy_pinned_ref incident=2026-11-23-api-down deploy_ref=%s approve=0123456789ab" % REF
    assert approval in told
    assert change_summary.COMMIT not in told
    # What needs one does.
    assert change_summary.COMMIT in rendered(outcome="planned", plan=PLAN, plan_id="0123456789ab", needs_clearance=True)


def test_a_plan_that_changed_asks_for_no_commit_either():
    evidence = {"plan": PLAN, "plan_id": "0123456789ab", "needs_clearance": False}
    told = rendered(outcome="refused", code="plan_changed", detail="It changed.", evidence=evidence)
    assert "approve=0123456789ab" in told
    assert change_summary.COMMIT not in told


def test_a_failure_says_what_it_left_and_how_to_go_back():
    told = rendered(
        outcome="failed", code="migration_failed", detail="It failed in the step 'migrations'.", plan=PLAN,
        told={"deployed": "the checkout is at the commit", "not yet": "the API was started before"},
        next_step="To go back is a deploy of its own.",
        next_command={"playbook": "deploy_pinned_ref", "variables": {"deploy_ref": BEFORE}},
    )  # fmt: skip
    assert "FAILED    It failed in the step 'migrations'. (migration_failed)" in told
    assert "deployed  the checkout is at the commit" in told
    assert "not yet   the API was started before" in told
    assert "run deploy_pinned_ref incident=2026-11-23-api-down deploy_ref=%s\n" % BEFORE in told
    assert "approve=" not in told
    assert "objective" not in told


def test_what_was_done_tells_what_is_live():
    told = rendered(outcome="applied", detail="It is deployed.", plan=PLAN, told={"live": "the API"})
    assert "seen      It is deployed." in told
    assert "live      the API" in told
    assert "run verify incident=2026-11-23-api-down" in told


def test_what_goes_on_is_followed_with_the_same_command():
    told = rendered(outcome="running", detail="It runs since 17:50.", plan=PLAN, check_mode=True)
    assert "running, and going on by itself" in told
    assert "seen      It runs since 17:50." in told
    assert "run deploy_pinned_ref incident=2026-11-23-api-down deploy_ref=%s\n" % REF in told


def test_what_is_told_is_printable():
    told = rendered(outcome="applied", detail="x", told={"live\x1b[31m": "a\nb\x07"})
    assert all(line.isprintable() for line in told.split("\n"))
