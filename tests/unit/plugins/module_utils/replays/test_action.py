# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order it is done, and what is seen of it afterwards."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, recorded
from ansible_collections.healtharchive.remediation.plugins.module_utils import host as commands
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.replays import (
    action,
    facts,
    reconcile,
    smoke,
    survey,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.seen import DOCKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import (
    ARGUMENT_SPEC,
    BadInput,
    Settings,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import worker_unit
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import survey as tiers_survey
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers.facts import REPLAY_UNIT, TIERING_UNIT

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
HOT = SETTINGS.archive_root + "/imports/a"
REPLAY, TIERING = "unit " + REPLAY_UNIT, "unit " + TIERING_UNIT


class World:
    """A host: ``pages`` is what replay answers for each job, and ``mends`` what it answers after a start."""

    def __init__(self, monkeypatch: Any) -> None:
        self.pages: Dict[int, Optional[str]] = {1: "failing", 4: "served"}
        self.mends: Dict[int, Optional[str]] = {1: "served"}
        self.units = dict.fromkeys((TIERING_UNIT, REPLAY_UNIT, DOCKER), "active")
        self.units[facts.SMOKE_UNIT] = "missing"
        self.runs = 1
        self.loops = False
        self.hot: Optional[str] = "ok"
        self.said: Dict[int, str] = {}
        self.fails: Dict[str, Any] = {}
        self.smoke = smoke.Said(True, "The service's own smoke check is well.")
        self.did: List[str] = []
        monkeypatch.setattr(survey, "look", lambda _context: self.look())
        monkeypatch.setattr(survey, "ask", self.ask)
        monkeypatch.setattr(survey, "responds", lambda _context: self.units[REPLAY_UNIT] == "active")
        monkeypatch.setattr(
            reconcile, "would", lambda _context, jobs: {job: self.said.get(job, "Not taken.") for job in jobs}
        )
        monkeypatch.setattr(reconcile, "write", lambda _context, job: self.write(job))
        monkeypatch.setattr(smoke, "run", lambda _context: self.did.append("smoke") or self.smoke)
        monkeypatch.setattr(worker_unit, "show", self.show)
        place = tiers_survey.Place(SETTINGS.storage_mount, SETTINGS.archive_root, {HOT: "/x"}, True)
        monkeypatch.setattr(tiers_survey, "where", lambda _context: place)
        monkeypatch.setattr(tiers_survey, "states", lambda _context, paths, _binds: dict.fromkeys(paths, self.hot))
        context: Any = SimpleNamespace(settings=SETTINGS, run=self.run, seconds=lambda _wanted: 0.02)
        self.host: Any = change.Host(context, None, "2026-11-28-x", "replay-1")  # type: ignore[arg-type]

    def look(self) -> facts.Facts:
        runs = self.units[REPLAY_UNIT] == "active"
        units = {
            name: facts.Unit("not-found", "inactive", "dead", "", None)
            if state == "missing"
            else facts.Unit(active=state, sub="running" if state == "active" else state)
            for name, state in self.units.items()
        }
        seen = [facts.Page(job, "mounted", state, state == "failing" or None) for job, state in self.pages.items()]
        status = 200 if runs else None
        return facts.Facts("ok", {HOT: "ok"}, (HOT,), True, units, runs, status, tuple(seen if runs else []))

    def ask(self, _context: Any, jobs: Any) -> Dict[int, Optional[str]]:
        now = self.pages if self.units[REPLAY_UNIT] == "active" else {}
        return {**dict.fromkeys(jobs), **now}

    def show(self, _context: Any, name: str) -> Any:
        self.runs += self.loops
        return SimpleNamespace(
            runs=self.units[name] == "active", run="%s %d" % (name, self.runs), active_state=self.units[name],
            described=lambda: "%s is %s" % (name, self.units[name]),
        )  # fmt: skip

    def write(self, job: int) -> None:
        self.did.append("write %d" % job)
        if "write" in self.fails:
            raise self.fails["write"]
        self.pages[job] = "served"

    def run(self, argv: Any, _seconds: float, *_more: Any) -> Any:
        words = " ".join(argv[1:])
        self.did.append(words)
        rc = self.fails.get(words, 0)
        if rc == 0 and argv[1] in ("start", "restart"):
            self.units[argv[2]] = "active"
            if argv[2] == REPLAY_UNIT:
                self.runs += 1
                self.pages.update(self.mends)
        return commands.Result(argv, rc, b"", b"it does not", 0.1, None)

    def done(self, **said: Any) -> "tuple[Any, Any]":
        replay = action.Replay({"jobs": [], **said})
        plan = replay.plan(self.host)
        failure = None
        try:
            replay.act(self.host, plan)
        except ActFailed as error:
            failure = str(error)
        return replay.observe(self.host, plan), failure


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def planned(world: World, **said: Any) -> Any:
    return action.Replay({"jobs": [], **said}).plan(world.host)


def test_a_dead_view_is_a_restart_and_pages_are_the_proof(world):
    plan = planned(world)
    assert [list(argv) for argv in plan.commands] == [["/usr/bin/systemctl", "restart", REPLAY_UNIT]]
    assert plan.subjects == (REPLAY, "replay job-1")
    assert world.did == []
    seen, failure = world.done()
    assert (seen.outcome, seen.changed, failure) == ("applied", True, None)
    assert seen.states == dict(plan.after)
    assert world.did == ["restart " + REPLAY_UNIT]


def test_pages_that_fail_still_are_a_failure_and_no_second_restart(world):
    world.mends = {}
    seen, _failure = world.done()
    assert (seen.outcome, seen.code) == ("failed", "not_mended")
    assert "the page of job 1 is answered with an error" in seen.detail
    assert world.did == ["restart " + REPLAY_UNIT]


def test_a_page_that_was_served_and_is_not_any_more_is_a_failure(world):
    world.mends = {1: "served", 4: "failing"}
    assert "the page of job 4" in world.done()[0].detail


def test_a_page_that_was_known_to_be_gone_is_none(world):
    world.pages[5] = "not_found"
    assert world.done()[0].outcome == "applied"


def test_one_that_does_not_stay_up_is_a_failure(world):
    world.loops = True
    assert "does not stay up" in world.done()[0].detail


def test_a_command_that_does_not_end_well_is_told(world):
    world.fails["restart " + REPLAY_UNIT] = 1
    seen, failure = world.done()
    assert "ended with 1: it does not" in failure
    assert (seen.outcome, "was not started again" in seen.detail) == ("failed", True)


def test_a_dead_unit_is_reset_and_started(world):
    world.units[REPLAY_UNIT] = "failed"
    seen, _failure = world.done()
    assert seen.outcome == "applied"
    assert world.did == ["reset-failed " + REPLAY_UNIT, "start " + REPLAY_UNIT]
    # All that was asked for afterwards is judged, and nothing had been asked before.
    world.units[REPLAY_UNIT], world.mends = "failed", {1: "failing"}
    assert world.done()[0].code == "not_mended"


def test_the_tiering_unit_comes_first_and_its_mounts_are_proven(world):
    world.units[TIERING_UNIT] = "failed"
    seen, _failure = world.done()
    assert seen.outcome == "applied"
    assert world.did == ["reset-failed " + TIERING_UNIT, "start " + TIERING_UNIT, "restart " + REPLAY_UNIT]
    world.units[TIERING_UNIT], world.pages[1], world.did, world.hot = "failed", "failing", [], "not_mounted"
    seen, failure = world.done()
    assert (seen.outcome, seen.code) == ("failed", "mounts_not_proven")
    assert "Replay was left alone" in failure
    assert "restart " + REPLAY_UNIT not in world.did


def test_an_index_that_is_behind(world):
    world.pages = {4: "not_found"}
    with pytest.raises(Refusal) as refused:
        planned(world)
    assert refused.value.code == "not_reconcilable"
    world.said = {4: ""}
    plan = planned(world)
    assert plan.subjects == ("collection job-4",)
    assert plan.commands[0][1:] == ("replay-reconcile", "--job-id", "4", "--max-jobs", "1", "--apply")
    seen, _failure = world.done()
    assert (seen.outcome, world.did) == ("applied", ["write 4"])


def test_an_index_that_was_not_written_is_a_failure(world):
    world.pages, world.said = {4: "not_found"}, {4: ""}
    world.fails["write"] = reconcile.NotRun("it ended with 2: its lock is held")
    seen, failure = world.done()
    assert (seen.outcome, seen.code, seen.states) == (
        "failed",
        "index_not_written",
        {"collection job-4": {"index": "behind"}},
    )
    assert "its lock is held" in failure


def test_what_was_wished_for_is_asked_of_the_dry_run(world):
    world.pages, world.said = {4: "served"}, {4: "", 5: ""}
    plan = planned(world, jobs=[5, 4])
    assert (plan.subjects, list(plan.left_out)) == (("collection job-4",), ["collection job-5"])
    assert isinstance(planned(world), NothingToDo)


def test_the_smoke_check_has_its_say(world):
    world.units[facts.SMOKE_UNIT] = "inactive"
    assert planned(world).commands[-1][1:] == ("start", facts.SMOKE_UNIT)
    seen, _failure = world.done()
    assert (seen.outcome, world.did[-1]) == ("applied", "smoke")
    assert "own smoke check is well" in seen.detail
    world.pages[1], world.smoke = "failing", smoke.Said(False, "It says that it fails: x.")
    seen, _failure = world.done()
    assert (seen.outcome, seen.code) == ("failed", "smoke_fails")
    world.pages[1], world.smoke = "failing", smoke.Said(None, "It has seen nothing.")
    seen, _failure = world.done()
    assert (seen.outcome, "has seen nothing" in seen.detail) == ("applied", True)


def test_one_that_was_cut_off_is_told_as_it_is_now(world):
    begun = recorded.Action("replay-1", "2026-11-28-x", "replay", "2026-11-28T18:00:00Z", (REPLAY, "replay job-1"))
    seen = action.Replay({"jobs": []}).settle(world.host, begun)
    # What did not get to its end is one act with what does it now (`budget.spent`).
    assert (seen.outcome, seen.changed) == ("failed", None)
    assert "replay job-1: its page is answered with an error" in seen.detail
    world.pages[1] = "served"
    assert action.Replay({"jobs": []}).settle(world.host, begun).outcome == "applied"
    world.units[REPLAY_UNIT] = "inactive"
    assert action.Replay({"jobs": []}).settle(world.host, begun).outcome == "failed"


def test_of_an_index_that_was_being_written_the_page_tells(world):
    begun = recorded.Action("replay-1", "2026-11-28-x", "replay", "2026-11-28T18:00:00Z", ("collection job-4",))
    assert action.Replay({"jobs": []}).settle(world.host, begun).outcome == "applied"
    world.pages[4] = "not_found"
    assert action.Replay({"jobs": []}).settle(world.host, begun).outcome == "failed"


def test_what_is_no_job_is_refused():
    for jobs in ([0], list(range(1, 22))):
        with pytest.raises(BadInput):
            action.Replay({"jobs": jobs})


def test_what_counts_for_the_budget(world):
    world.units[TIERING_UNIT] = "failed"
    assert action.Replay({"jobs": []}).counted(planned(world)) == [TIERING, REPLAY]


def test_what_the_smoke_check_has_written_counts_only_if_it_is_new(monkeypatch, tmp_path, world):
    monkeypatch.undo()
    metrics = tmp_path / "smoke.prom"
    monkeypatch.setattr(smoke, "METRICS", str(metrics))
    context: Any = SimpleNamespace(run=lambda argv, _seconds: commands.Result(argv, 0, b"", b"", 0.1, None))
    assert smoke.run(context).well is None
    metrics.write_text('healtharchive_replay_smoke_ok{job_id="1"} 1\n')
    assert smoke.run(context).well is True
    metrics.write_text('healtharchive_replay_smoke_ok{job_id="1"} 0\n')
    assert smoke.run(context).well is False
    old = time.time() - 3600
    os.utime(metrics, (old, old))
    assert smoke.run(context).well is None
