# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which crawls stand still, what has to be stopped for them, and in which order; what becomes of it when a step fails."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, Dict, FrozenSet, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, recorded, stalled_crawl
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.stale_jobs import Candidate, Report
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan, plan_id
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes.units import WORKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import (
    ARGUMENT_SPEC,
    BadInput,
    Settings,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import (
    applying,
    hits,
    holders,
    lock_directories,
    pause,
    pickup,
    recovery,
    rows,
    worker_unit,
)

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
OWN = "job12.service"
STARTED = "2026-11-23T10:00:00Z"
PAUSE = pause.Pause("run", "stalled-crawl", "2026-11-23-x", STARTED, STARTED)


class Crawl:
    """A job that is marked running. ``quiet``: seconds since its last progress, None: not known; ``candidate``: whether the
    service's command would take it if its lock were free; ``units``: who holds its lock, () nobody."""

    def __init__(
        self,
        job: int,
        units: Any = (WORKER,),
        quiet: Optional[int] = 7200,
        stalled: Any = True,
        source: str = "hc",
        **row: Any,
    ) -> None:
        self.id, self.quiet, self.stalled = job, quiet, stalled
        self.units: Optional[FrozenSet[str]] = None if units is None else frozenset(units)
        self.row: Dict[str, Any] = {
            "id": job, "source": source, "name": "job %d" % job, "status": "running", "started_at": STARTED,
            "retry_count": 0, "crawler_stage": None, **row,
        }  # fmt: skip

    @property
    def held(self) -> bool:
        return self.units is None or bool(self.units)


HEALTHY = {"quiet": 5, "stalled": False}


def report(crawls: List[Crawl]) -> Report:
    progressing = {each.id: each.quiet for each in crawls if each.quiet is not None and each.quiet < 3600}
    found = tuple(
        Candidate(each.id, each.row["source"], STARTED, 120, each.quiet, each.row["name"])
        for each in crawls
        if each.id not in progressing
    )
    return Report(False, 5, "2026-11-23T11:55:00Z", None, None, 3600, progressing, {}, found, None)


class Host:
    """The parts of a host that an action asks, in the state that is given."""

    def __init__(self, monkeypatch: Any, crawls: List[Crawl]) -> None:
        self.crawls = crawls
        self.paused: Any = None
        self.more: Optional[Refusal] = None
        self.done: List[str] = []
        self.fails: Dict[str, Exception] = {}
        self.switch = False
        self.unit = worker_unit.Unit(
            WORKER, "loaded", "active", "running", "success", "enabled", 5, 0, "run", False, True
        )
        held = {each.id: holders.Holder(each.units, (each.id,)) for each in crawls if each.held}
        monkeypatch.setattr(lock_directories, "agreed", lambda _context: "/locks")
        monkeypatch.setattr(recovery, "candidates", lambda _context, _selection: report(self.crawls))
        monkeypatch.setattr(rows, "of_statuses", self.of_statuses)
        monkeypatch.setattr(
            rows, "states", lambda _context, ids: {each.id: dict(each.row) for each in crawls if each.id in set(ids)}
        )
        monkeypatch.setattr(holders, "held", lambda _directory: held)
        monkeypatch.setattr(holders, "states", self.lock_states)
        monkeypatch.setattr(hits, "with_facts", self.with_facts)
        monkeypatch.setattr(hits, "refuse_more", lambda *_words: self.more)
        monkeypatch.setattr(pause, "in_force", lambda _context: self.paused)
        monkeypatch.setattr(pause, "armed", lambda _context: self.switch)
        monkeypatch.setattr(pause, "begin", self.begin)
        monkeypatch.setattr(pause, "end", lambda _context: self.step("end"))
        monkeypatch.setattr(pickup, "hindrance", lambda _context: None)
        monkeypatch.setattr(worker_unit, "show", self.show)
        monkeypatch.setattr(stalled_crawl, "_run", lambda _context, argv, _seconds: self.step(" ".join(argv[1:])))
        monkeypatch.setattr(applying.Recovery, "run", lambda _self, _selections, untouched: self.step("recover"))
        self.stopped: set = set()
        redactor = SimpleNamespace(text=lambda text: text)
        context = SimpleNamespace(
            settings=SETTINGS, redactor=redactor, deadline=time.monotonic() + 500, seconds=lambda x: x
        )
        context._replace = lambda **_changes: context
        self.host: Any = change.Host(context, None, "2026-11-23-x")  # type: ignore[arg-type]

    def of_statuses(self, _context: Any, statuses: Any) -> rows.Rows:
        found = {each.id: dict(each.row) for each in self.crawls if each.row["status"] in statuses}
        return rows.Rows(found, True, "admin_api")

    def lock_states(self, _directory: str, jobs: Any) -> Dict[int, str]:
        held = {each.id for each in self.crawls if each.held and not (self.stopped & (each.units or set()))}
        return {job: "held" if job in held else "free" for job in jobs}

    def with_facts(self, _context: Any, jobs: Any) -> List[hits.Job]:
        by_id = {each.id: each for each in self.crawls}
        return [job._replace(facts={"stalled": by_id[job.id].stalled}) for job in jobs]

    def show(self, _context: Any, name: str = WORKER) -> worker_unit.Unit:
        return self.unit._replace(name=name, transient=name == OWN)

    def step(self, what: str) -> None:
        self.done.append(what)
        if what == "begin":
            self.stopped.add(WORKER)
        if what.startswith("stop "):
            self.stopped.add(what[5:])
        if what in self.fails:
            raise self.fails[what]

    def begin(self, _context: Any, action: str, incident: str, seconds: int, hit: Any) -> None:
        assert (action, incident) == ("stalled-crawl", "2026-11-23-x")
        refusal = hit()
        if refusal is not None:
            raise refusal
        self.step("begin")


def action(**given: Any) -> stalled_crawl.StalledCrawl:
    defaults = {name: option["default"] for name, option in stalled_crawl.ARGUMENT_SPEC.items()}
    return stalled_crawl.StalledCrawl({**defaults, **given})


@pytest.fixture
def planned(monkeypatch: Any) -> Any:
    def planned(*crawls: Crawl, paused: Any = None, **given: Any) -> Any:
        world = Host(monkeypatch, list(crawls))
        world.paused = paused
        acting = action(**given)
        return world, acting, acting.plan(world.host)

    return planned


def words(plan: Plan) -> List[str]:
    """The commands, by what they do."""
    found = []
    for argv in plan.commands:
        program = argv[0].rpartition("/")[2]
        found.append(" ".join(argv[1:3]) if program == "systemctl" else program + " applied" * (argv[-1] == "--apply"))
    return found


WORKER_STOPPED = [
    "systemd-run", "kill --kill-who=main", "stop healtharchive-worker.service",
    "healtharchive", "healtharchive applied",
    "start healtharchive-worker.service", "stop healtharchive-remediation-worker-resume.timer",
]  # fmt: skip


def test_a_crawl_of_the_worker(planned: Any) -> None:
    _world, acting, plan = planned(Crawl(6))
    assert words(plan) == WORKER_STOPPED
    assert plan.subjects == ("job 6", "unit " + WORKER)
    assert acting.counted(plan) == ["job 6"]
    assert "No other crawl is interrupted" in plan.expected_impact
    assert "--on-active=600s" in plan.commands[0]
    assert plan.commands[3][1:] == (
        "recover-stale-jobs", "--older-than-minutes", "5", "--require-no-progress-seconds", "3600",
        "--include-missing-started-at", "--source", "hc",
    )  # fmt: skip


def test_a_crawl_in_a_unit_of_its_own_is_stopped_alone(planned: Any) -> None:
    _world, acting, plan = planned(Crawl(12, (OWN,)), Crawl(8, **HEALTHY))
    assert words(plan) == ["stop " + OWN, "healtharchive", "healtharchive applied"]
    assert plan.subjects == ("job 12",)
    assert plan.left_out == {"job 8": "It is crawled, and made progress less than 3600 seconds ago."}
    assert "the worker goes on" in plan.expected_impact


def test_a_healthy_crawl_beside_it_is_a_reason_to_refuse(planned: Any) -> None:
    with pytest.raises(Refusal) as caught:
        planned(Crawl(6), Crawl(8, **HEALTHY))
    assert caught.value.code == "would_interrupt"
    assert [job["job"] for job in caught.value.evidence["jobs"]] == [8]


def test_a_healthy_crawl_that_was_given_up(planned: Any) -> None:
    _world, acting, plan = planned(Crawl(6), Crawl(8, **HEALTHY), accept_interruption_of=[8])
    assert plan.subjects == ("job 6", "job 8", "unit " + WORKER)
    assert plan.after["job 8"] == {"crawl": "interrupted"}
    assert "INTERRUPTED as well: job 8." in plan.expected_impact
    assert acting.counted(plan) == ["job 6"]


@pytest.mark.parametrize("row", [{"source": None}, {"status": "retryable"}], ids=("sourceless", "row says otherwise"))
def test_whoever_holds_a_lock_counts(planned: Any, row: Any) -> None:
    with pytest.raises(Refusal) as caught:
        planned(Crawl(6), Crawl(8, quiet=5, stalled=False, **row))
    assert caught.value.code == "would_interrupt"


def test_a_crawl_of_which_nobody_knows_who_runs_it_counts_as_hit(planned: Any) -> None:
    with pytest.raises(Refusal) as caught:
        planned(Crawl(6), Crawl(8, None, **HEALTHY))
    assert caught.value.code == "would_interrupt"


@pytest.mark.parametrize(
    ("crawls", "code"),
    [
        ([], None),
        ([Crawl(8, **HEALTHY)], None),
        ([Crawl(6, ())], None),
        # By its last progress it stands still, or its log has been quiet; where neither is known, neither is said.
        ([Crawl(6, quiet=None, stalled=None)], "progress_unknown"),
        ([Crawl(6, quiet=None, stalled=False)], None),
        ([Crawl(6, status="retryable")], "progress_unknown"),
        ([Crawl(6, ("session-3.scope",))], "holder_not_stoppable"),
        ([Crawl(6, ("caddy.service",))], "holder_not_stoppable"),
        ([Crawl(6, ("other.service",))], "holder_not_stoppable"),
        ([Crawl(6, None)], "holder_not_stoppable"),
        ([Crawl(6, (WORKER, "session-3.scope"))], "holder_not_stoppable"),
        ([Crawl(6, source=None)], "not_recoverable"),
    ],
)
def test_where_nothing_is_stopped(planned: Any, crawls: Any, code: Optional[str]) -> None:
    if code is None:
        assert isinstance(planned(*crawls)[2], NothingToDo)
        return
    with pytest.raises(Refusal) as caught:
        planned(*crawls)
    assert caught.value.code == code


def test_a_quiet_log_without_a_counter_stands_still(planned: Any) -> None:
    assert planned(Crawl(6, quiet=None, stalled=True))[2].subjects[0] == "job 6"


def test_only_the_jobs_that_were_asked_for(planned: Any) -> None:
    with pytest.raises(Refusal):
        planned(Crawl(6, (OWN,)), Crawl(7, (OWN,), **HEALTHY), jobs=[6])
    _world, _acting, plan = planned(Crawl(6, (OWN,)), Crawl(7, source="phac"), jobs=[6])
    assert plan.subjects == ("job 6",)
    assert "not among the jobs" in plan.left_out["job 7"]


def test_one_that_stands_still_elsewhere_shadows_its_source(planned: Any) -> None:
    with pytest.raises(Refusal) as caught:
        planned(Crawl(6, (OWN,)), Crawl(7), jobs=[6])
    assert caught.value.code == "cannot_be_separated"


def test_ages_and_counters_make_no_other_plan(planned: Any) -> None:
    plans = [planned(Crawl(6, quiet=quiet), Crawl(8, (OWN,), **HEALTHY))[2] for quiet in (7200, 7300)]
    assert len({plan_id(plan, "m", "i", "h") for plan in plans}) == 1


# --- an act that was cut off --------------------------------------------------------------------------------------------


def test_what_was_cut_off_is_gone_on_with(planned: Any) -> None:
    _world, _acting, plan = planned(Crawl(6, ()), Crawl(8, (OWN,), **HEALTHY), paused=PAUSE)
    assert words(plan) == WORKER_STOPPED[3:]
    assert plan.before["unit " + WORKER] == {"state": "paused"}
    _world, _acting, plan = planned(paused=PAUSE)
    assert words(plan) == WORKER_STOPPED[5:]
    assert plan.subjects == ("unit " + WORKER,)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ({12: ("running", STARTED)}, "failed"),
        ({12: ("retryable", STARTED)}, "unknown"),
        ({12: ("running", "2026-11-23T12:30:00Z")}, "unknown"),
        ({12: ("running", None)}, "unknown"),
        ({}, "unknown"),
        (Refusal("rows_unreadable", "The API does not answer.", ""), "unknown"),
    ],
)
def test_an_act_that_recovered_nothing_is_known_by_the_row(planned: Any, monkeypatch: Any, found: Any, outcome: str) -> None:
    def states(_context: Any, _wanted: Any) -> Any:
        if isinstance(found, Refusal):
            raise found
        return {job: {"status": status, "started_at": started} for job, (status, started) in found.items()}

    planned(Crawl(12))
    monkeypatch.setattr(rows, "states", states)
    cut_off = recorded.Action("a", "2026-11-23-x", "stalled-crawl", "2026-11-23T12:00:00Z", ("job 12", "unit " + WORKER))
    seen = action().settle(SimpleNamespace(context=None), cut_off)
    assert (seen.outcome, seen.changed) == (outcome, None)
    assert ("before it had recovered anything" in seen.detail) == (outcome == "failed")


def test_a_pause_of_somebody_else_is_left_alone(planned: Any) -> None:
    found = planned(Crawl(6, ()), paused=PAUSE._replace(action="worker"))[2]
    assert isinstance(found, NothingToDo)
    assert found.left_out == {"job 6": "Nothing runs it any more: that is for recover_stale_jobs."}


# --- the act ------------------------------------------------------------------------------------------------------------


def test_the_steps_in_their_order(planned: Any) -> None:
    world, acting, plan = planned(Crawl(6), Crawl(12, (OWN,), source="phac"))
    acting.act(world.host, plan)
    assert world.done == ["begin", "stop " + OWN, "recover", "end"]
    world, acting, plan = planned(Crawl(12, (OWN,)), Crawl(8, **HEALTHY))
    acting.act(world.host, plan)
    assert world.done == ["stop " + OWN, "recover"]


@pytest.mark.parametrize("failing", ["recover", "stop " + OWN])
@pytest.mark.parametrize("error", [ActFailed("x"), Refusal("code", "x", "y"), ValueError("x")])
def test_the_worker_is_started_again_whatever_fails(planned: Any, failing: str, error: Exception) -> None:
    world, acting, plan = planned(Crawl(6), Crawl(12, (OWN,), source="phac"))
    world.fails[failing] = error
    with pytest.raises(ValueError if isinstance(error, ValueError) else ActFailed):
        acting.act(world.host, plan)
    assert world.done[-1] == "end"


def test_nothing_is_stopped_when_it_runs_something_else_by_now(planned: Any) -> None:
    for crawl in (Crawl(6), Crawl(12, (OWN,))):
        world, acting, plan = planned(crawl)
        world.more = Refusal("world_moved", "x", "y")
        with pytest.raises(Refusal):
            acting.act(world.host, plan)
        assert world.done == []


def test_a_lock_that_stays_held(planned: Any, monkeypatch: Any) -> None:
    world, acting, plan = planned(Crawl(6))
    monkeypatch.setattr(stalled_crawl, "_FREED_SECONDS", 0.0)
    monkeypatch.setattr(holders, "states", lambda _directory, jobs: dict.fromkeys(jobs, "held"))
    with pytest.raises(ActFailed, match="lock is still held"):
        acting.act(world.host, plan)
    assert world.done == ["begin", "end"]


@pytest.mark.parametrize(
    ("runs", "switch", "outcome", "code"),
    [
        (True, False, "applied", None),
        (False, True, "unknown", "worker_not_back"),
        (True, True, "unknown", "worker_not_back"),
    ],
)
def test_the_worker_must_be_back(
    planned: Any, monkeypatch: Any, runs: bool, switch: bool, outcome: str, code: Any
) -> None:
    world, acting, plan = planned(Crawl(6))
    acting.act(world.host, plan)
    acting._recovery.claimed = {6}
    world.crawls[0].row["status"] = "retryable"
    world.switch = switch
    world.unit = world.unit._replace(active_state="active" if runs else "inactive")
    monkeypatch.setattr(pickup, "watch", lambda *_words: pickup.Pickup({}, "not_seen", "Not seen.", ()))
    seen = acting.observe(world.host, plan)
    assert (seen.outcome, seen.code) == (outcome, code)
    assert seen.states["job 6"]["status"] == "retryable"


@pytest.mark.parametrize(
    "given", [{"resume_after": 19}, {"resume_after": 43201}, {"pickup_seconds": -1}, {"progress_seconds": 601}]
)
def test_what_cannot_be_meant(given: Any) -> None:
    with pytest.raises(BadInput):
        action(**given)
