# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a recovery of stale jobs, and in which order what it rests on is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, stale_jobs
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.stale_jobs import Candidate, Report
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, plan_id
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import (
    ARGUMENT_SPEC,
    BadInput,
    Settings,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import (
    holders,
    lock_directories,
    pickup,
    recovery,
    rows,
)

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
STARTED = "2026-11-23T07:00:00Z"


def row(job: int, **more: Any) -> Dict[str, Any]:
    common = {
        "id": job,
        "source": "hc",
        "name": "n%d" % job,
        "status": "running",
        "started_at": STARTED,
        "retry_count": 1,
    }
    return {**common, **more}


class World:
    def __init__(self, monkeypatch: Any) -> None:
        self.asked: List[str] = []
        self.rows = {1: row(1)}
        self.locks: Dict[int, str] = {}
        self.progress = 18000
        self.hindrance: Any = None
        self.reports: List[Report] = []
        monkeypatch.setattr(lock_directories, "agreed", self.ask("lock directories", lambda: "/locks"))
        monkeypatch.setattr(recovery, "candidates", self.ask("candidates", self.report))
        found = self.ask(
            "rows", lambda: rows.Rows({job: dict(each) for job, each in self.rows.items()}, True, "admin_api")
        )
        monkeypatch.setattr(rows, "of_statuses", found)
        states = self.ask("locks", lambda: {job: self.locks.get(job, "free") for job in self.rows})
        monkeypatch.setattr(holders, "states", states)
        monkeypatch.setattr(pickup, "hindrance", lambda _context: self.hindrance)
        context: Any = SimpleNamespace(settings=SETTINGS, redactor=SimpleNamespace(text=lambda text: text))
        self.host: Any = change.Host(context, None, "2026-11-23-x")  # type: ignore[arg-type]

    def ask(self, what: str, answer: Any) -> Any:
        def asked(*_words: Any) -> Any:
            self.asked.append(what)
            return answer()

        return asked

    def report(self) -> Report:
        if self.reports:
            return self.reports.pop(0)
        found = tuple(
            Candidate(job, each["source"], each["started_at"], 300, self.progress, each["name"])
            for job, each in self.rows.items()
        )
        return Report(False, 180, "2026-11-23T09:00:00Z", None, None, 300, {}, {}, found, None)

    def plan(self, **given: Any) -> Any:
        defaults = {name: option["default"] for name, option in stale_jobs.ARGUMENT_SPEC.items()}
        return stale_jobs.StaleJobs({**defaults, **given}).plan(self.host)


@pytest.fixture
def world(monkeypatch: Any) -> World:
    return World(monkeypatch)


def test_the_plan_of_one_job(world: World) -> None:
    plan = world.plan()
    assert world.asked == ["lock directories", "candidates", "rows", "locks"]
    assert plan.objective == "Make 1 job retryable that is marked running while nothing runs it."
    assert plan.subjects == ("job 1",)
    assert plan.before == {"job 1": {"status": "running", "source": "hc", "started_at": STARTED, "retry_count": 1}}
    assert plan.after == {"job 1": {"status": "retryable", "source": "hc", "started_at": STARTED, "retry_count": 1}}
    dry, applied = plan.commands
    assert applied == (*dry, "--apply")
    assert dry[2:6] == ("--older-than-minutes", "180", "--require-no-progress-seconds", "300")
    assert dry[6:] == ("--include-missing-started-at", "--source", "hc")
    assert plan.remarks == ("job 1 (hc, n1): began 300 minutes ago, last progress 18000 s ago, lock free, 1 retry",)


def test_what_changes_by_itself_makes_no_other_plan(world: World) -> None:
    first = world.plan()
    world.progress, world.locks, world.hindrance = 18060, {1: "absent"}, ("disk_full", "The disk is full.")
    second = world.plan()
    assert first.remarks != second.remarks
    assert "The disk is full." in second.remarks
    assert plan_id(first, "m", "i", "h") == plan_id(second, "m", "i", "h")


@pytest.mark.parametrize(
    "moved",
    [
        {2: row(2)},
        {2: row(2, source="phac")},
        {1: row(1, started_at="2026-11-23T08:00:00Z")},
        {1: row(1, retry_count=2)},
    ],
    ids=("another", "another source", "began anew", "tried again"),
)
def test_another_world_makes_another_plan(world: World, moved: Any) -> None:
    first = world.plan()
    world.rows.update(moved)
    assert plan_id(world.plan(), "m", "i", "h") != plan_id(first, "m", "i", "h")


def test_a_lock_that_was_taken_leaves_nothing_to_do(world: World) -> None:
    world.locks[1] = "held"
    found = world.plan()
    assert isinstance(found, NothingToDo)
    assert "recover_stalled_crawl" in found.left_out["job 1"]


def test_a_job_that_cannot_be_separated(world: World) -> None:
    world.rows[2] = row(2)
    world.locks[2] = "held"
    with pytest.raises(Refusal) as caught:
        world.plan()
    assert caught.value.code == "cannot_be_separated"
    assert set(caught.value.evidence["left_out"]) == {"job 1", "job 2"}


def test_evidence_that_does_not_fit_is_read_again_once(world: World) -> None:
    stale = world.report()._replace(candidates=())
    world.reports = [stale]
    assert world.plan().subjects == ("job 1",)
    assert world.asked.count("candidates") == 2
    world.reports = [stale, stale]
    with pytest.raises(Refusal) as caught:
        world.plan()
    assert caught.value.code == "evidence_contradictory"


def test_without_one_lock_directory_nothing_else_is_asked(world: World, monkeypatch: Any) -> None:
    def differ(_context: Any) -> str:
        raise Refusal("lock_directories_differ", "x", "y")

    monkeypatch.setattr(lock_directories, "agreed", differ)
    with pytest.raises(Refusal):
        world.plan()
    assert world.asked == []


@pytest.mark.parametrize(
    "given", [{"older_than_minutes": 4}, {"no_progress_seconds": 299}, {"pickup_seconds": 601}, {"pickup_seconds": -1}]
)
def test_what_cannot_be_meant(world: World, given: Any) -> None:
    with pytest.raises(BadInput):
        world.plan(**given)
