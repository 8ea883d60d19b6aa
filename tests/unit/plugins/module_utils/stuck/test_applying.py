# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's command, dry and then applied, while the world goes on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Set, Tuple

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.stale_jobs import Candidate, Report
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.service import StaleSelection
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import ARGUMENT_SPEC, Settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import applying, recovery, rows

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
CONTEXT: Any = SimpleNamespace(settings=SETTINGS)
ALL = StaleSelection(180, 300, True)
BY_SOURCE = (ALL._replace(source="hc"), ALL._replace(source="phac"))


def row(job: int, source: str = "hc", started: str = "2026-11-23T10:00:00Z", status: str = "running") -> Dict[str, Any]:
    return {
        "id": job,
        "source": source,
        "started_at": started,
        "status": status,
        "retry_count": 0,
        "crawler_stage": None,
    }


PLANNED = {1: row(1), 2: row(2, "phac")}


class World:
    """The rows that say running, and what the command names each time that it is run."""

    def __init__(self, *named: Any, running: Optional[List[Dict[str, Any]]] = None) -> None:
        self.named = list(named)
        self.running = {each["id"]: each for each in ([row(1), row(2, "phac"), row(9)] if running is None else running)}
        self.run: List[Tuple[bool, Optional[str], Set[int]]] = []

    def of_statuses(self, _context: Any, statuses: Any) -> rows.Rows:
        assert statuses == ("running",)
        return rows.Rows(dict(self.running), True, "admin_api")

    def command(self, _context: Any, argv: List[str], directory: str, others: Any) -> Report:
        assert directory == "/locks"
        applied = argv[-1] == "--apply"
        source = argv[argv.index("--source") + 1] if "--source" in argv else None
        self.run.append((applied, source, set(others)))
        said = self.named.pop(0)
        if isinstance(said, Exception):
            raise said
        candidates = tuple(Candidate(job, "hc", None, None, None, "") for job in said)
        return Report(
            applied, 180, "2026-11-23T09:00:00Z", source, None, 300, {}, {}, candidates, len(said) if applied else None
        )


@pytest.fixture
def recover(monkeypatch: Any) -> Any:
    def recover(world: World, selections: Any = (ALL,), untouched: bool = True) -> applying.Recovery:
        monkeypatch.setattr(rows, "of_statuses", world.of_statuses)
        monkeypatch.setattr(recovery, "run", world.command)
        found = applying.Recovery(CONTEXT, "/locks", PLANNED)
        try:
            found.run(selections, untouched)
        finally:
            assert world.named == [], "it was not run as often as was expected"
        return found

    return recover


def test_dry_then_applied_and_kept_from_the_others(recover: Any) -> None:
    world = World([1, 2], [1, 2])
    assert recover(world).claimed == {1, 2}
    assert world.run == [(False, None, {9}), (True, None, {9})]


def test_source_by_source(recover: Any) -> None:
    world = World([1], [1], [2], [2])
    assert recover(world, BY_SOURCE).claimed == {1, 2}
    assert world.run == [(False, "hc", {9}), (True, "hc", {9}), (False, "phac", {9}), (True, "phac", {9})]


NOT_STARTED = recovery.NotRun("the locks could not be held", False)
CUT_OFF = recovery.NotRun("timed out", True)


@pytest.mark.parametrize(
    ("named", "error", "code"),
    [
        ([[1]], Refusal, "world_moved"),
        ([[1, 2, 9]], Refusal, "world_moved"),
        ([[]], Refusal, "world_moved"),
        ([NOT_STARTED], Refusal, "not_run"),
        ([CUT_OFF], Refusal, "not_run"),
        ([[1, 2], NOT_STARTED], Refusal, "not_run"),
        ([[1, 2], CUT_OFF], ActFailed, None),
    ],
)
def test_nothing_was_done_is_said_only_where_nothing_was(recover: Any, named: Any, error: Any, code: Any) -> None:
    with pytest.raises(error) as caught:
        recover(World(*named))
    assert getattr(caught.value, "code", None) == code


@pytest.mark.parametrize(
    "second", [[[2, 9], [2, 9]], [CUT_OFF], [NOT_STARTED], [[2], NOT_STARTED]], ids=("other", "cut", "dry", "applied")
)
def test_after_the_first_source_it_is_no_refusal(recover: Any, second: Any) -> None:
    with pytest.raises(ActFailed):
        recover(World([1], [1], *second), BY_SOURCE)


def test_rows_that_cannot_be_read_in_the_middle_are_no_refusal(recover: Any, monkeypatch: Any) -> None:
    world = World([1], [1])
    seen = []

    def of_statuses(context: Any, statuses: Any) -> rows.Rows:
        seen.append(statuses)
        if len(seen) > 1:
            raise Refusal("jobs_unreadable", "no", "no")
        return World.of_statuses(world, context, statuses)

    world.of_statuses = of_statuses  # type: ignore[method-assign]
    with pytest.raises(ActFailed):
        recover(world, BY_SOURCE)


def test_where_something_was_stopped_the_worker_may_be_faster(recover: Any) -> None:
    healed = [row(1, started="2026-11-23T12:00:00Z"), row(2, "phac")]
    assert recover(World([2], [2], running=healed), untouched=False).claimed == {2}
    with pytest.raises(Refusal):
        recover(World([2], running=healed), untouched=True)
    with pytest.raises(ActFailed):
        recover(World([1], [1]), untouched=False)


def test_a_command_that_says_it_did_something_else(recover: Any, monkeypatch: Any) -> None:
    world = World([1, 2])
    real = world.command
    monkeypatch.setattr(world, "command", lambda *words: real(*words)._replace(applied=True))
    with pytest.raises(ActFailed):
        recover(world)


def test_what_is_told_of_an_act_that_was_cut_off(monkeypatch: Any) -> None:
    monkeypatch.setattr(rows, "states", lambda _context, ids: {job: row(job, status="retryable") for job in ids})
    told = applying.told(CONTEXT, ["job 12", "unit healtharchive-worker.service", "job x"])
    assert told == "The rows say now: job 12 retryable."
