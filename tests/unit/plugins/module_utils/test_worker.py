# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the worker may be paused, and what a pause is that can be resumed."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, runtime, worker
from ansible_collections.healtharchive.remediation.plugins.module_utils import host as commands
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes.units import WORKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import (
    hits,
    holders,
    lock_directories,
    pause,
    rows,
)

TIMER = pause.TIMER


class Systemd:
    """Units and what is done to them, as far as a pause sees them."""

    def __init__(self) -> None:
        self.worker, self.run_id, self.frozen = "active", 1, False
        self.timer = "inactive"
        self.did: List[str] = []
        self.refuses: Dict[str, str] = {}
        self.ignores: set = set()

    def run(self, argv: List[str], _seconds: float) -> commands.Result:
        what = " ".join(argv[1:3]) if argv[0].endswith("systemctl") else "arm"
        if what.startswith("show "):
            return self.show(argv[2])
        if what == "kill --kill-who=main":
            what = argv[3]
        self.did.append(what)
        if what in self.refuses:
            return commands.Result(argv, 1, b"", self.refuses[what].encode(), 0.1, None)
        if what not in self.ignores:
            self.effect(what)
        return commands.Result(argv, 0, b"", b"", 0.1, None)

    def effect(self, what: str) -> None:
        if what == "arm":
            self.timer = "active"
        elif what == "stop " + TIMER:
            self.timer = "inactive"
        elif what == "stop " + WORKER:
            self.worker = "inactive"
        elif what == "start " + WORKER and self.worker != "active":
            self.worker, self.run_id = "active", self.run_id + 1
        elif what.startswith("--signal"):
            self.frozen = what == "--signal=STOP"

    def show(self, name: str) -> commands.Result:
        state = {WORKER: self.worker, TIMER: self.timer}.get(name, "inactive")
        lines = [
            "Id=" + name,
            "LoadState=loaded",
            "ActiveState=" + state,
            "SubState=x",
            "InvocationID=%d" % self.run_id,
        ]
        lines += ["MainPID=%d" % (40 + self.run_id if state == "active" else 0)]
        return commands.Result([], 0, ("\n".join(lines) + "\n\n").encode(), b"", 0.1, None)


@pytest.fixture
def systemd(monkeypatch: Any, tmp_path: Any) -> Systemd:
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setattr(pause, "_STEADY_SECONDS", 0.05)
    monkeypatch.setattr(pause, "_POLL_SECONDS", 0.01)
    return Systemd()


@pytest.fixture
def host(systemd: Systemd, monkeypatch: Any) -> Any:
    context = SimpleNamespace(run=systemd.run, held={}, rows={})
    monkeypatch.setattr(lock_directories, "agreed", lambda _context: "/locks")
    monkeypatch.setattr(rows, "of_statuses", lambda _context, _statuses: rows.Rows(context.rows, True, "admin_api"))
    monkeypatch.setattr(rows, "states", lambda _context, _ids: {})
    monkeypatch.setattr(holders, "held", lambda _directory: context.held)
    monkeypatch.setattr(
        hits, "with_facts", lambda _context, jobs: [job._replace(facts={"stalled": job.id == 6}) for job in jobs]
    )
    return change.Host(context, None, "2026-11-23-x")  # type: ignore[arg-type]


def action(state: str, **given: Any) -> worker.Worker:
    return worker.Worker({"state": state, "resume_after": 600, "accept_interruption_of": [], **given})


def held(*jobs: int, unit: str = WORKER) -> Dict[int, holders.Holder]:
    return {job: holders.Holder(frozenset({unit}), (job,)) for job in jobs}


def paused(host: Any, **given: Any) -> Any:
    acting = action("paused", **given)
    plan = acting.plan(host)
    acting.act(host, plan)
    return acting.observe(host, plan)


def test_armed_before_it_is_stopped_and_resumed_before_it_is_disarmed(host: Any, systemd: Systemd) -> None:
    seen = paused(host)
    assert (seen.outcome, seen.changed) == ("applied", True)
    assert systemd.did == ["stop " + TIMER, "arm", "--signal=STOP", "stop " + WORKER]
    assert isinstance(action("paused").plan(host), NothingToDo)
    systemd.did.clear()
    acting = action("resumed")
    plan = acting.plan(host)
    assert plan.before == {"unit " + WORKER: {"state": "paused"}}
    acting.act(host, plan)
    assert systemd.did == ["start " + WORKER, "stop " + TIMER]
    assert acting.observe(host, plan).outcome == "applied"
    assert isinstance(action("resumed").plan(host), NothingToDo)


def test_a_worker_that_somebody_stopped_stays_stopped(host: Any, systemd: Systemd) -> None:
    systemd.worker = "inactive"
    assert isinstance(action("paused").plan(host), NothingToDo)
    found = action("resumed").plan(host)
    assert isinstance(found, NothingToDo)
    assert "it stays so" in found.detail


def test_stopped_by_somebody_after_the_switch_had_started_it(host: Any, systemd: Systemd) -> None:
    paused(host)
    systemd.effect("start " + WORKER)  # the switch does
    systemd.timer = "inactive"
    systemd.effect("stop " + WORKER)
    assert isinstance(action("resumed").plan(host), NothingToDo)


def test_stopped_by_somebody_after_we_were_cut_off_before_the_stop(host: Any, systemd: Systemd) -> None:
    acting = action("paused")
    plan = acting.plan(host)
    systemd.ignores.add("stop " + WORKER)
    with pytest.raises(ActFailed):
        acting.act(host, plan)
    assert acting.observe(host, plan).outcome == "failed"
    systemd.timer = "inactive"  # it went off, and found the worker running
    systemd.effect("stop " + WORKER)
    assert isinstance(action("resumed").plan(host), NothingToDo)


def test_what_a_cut_off_pause_left_is_taken_away(host: Any, systemd: Systemd) -> None:
    paused(host)
    systemd.effect("start " + WORKER)
    acting = action("resumed")
    plan = acting.plan(host)
    assert plan.before == {"unit " + WORKER: {"state": "running"}}
    acting.act(host, plan)
    assert systemd.timer == "inactive"
    assert isinstance(action("resumed").plan(host), NothingToDo)


@pytest.mark.parametrize("broken", ["arm", "--signal=STOP"])
def test_without_a_switch_nothing_is_stopped(host: Any, systemd: Systemd, broken: str) -> None:
    acting = action("paused")
    plan = acting.plan(host)
    systemd.refuses[broken] = "no"
    with pytest.raises((Refusal, ActFailed)):
        acting.act(host, plan)
    assert "stop " + WORKER not in systemd.did
    assert (systemd.worker, systemd.timer, systemd.frozen) == ("active", "inactive", False)
    assert not pause.left_over(host.context)


def test_a_switch_that_is_only_said_to_be_armed(host: Any, systemd: Systemd) -> None:
    acting = action("paused")
    plan = acting.plan(host)
    systemd.ignores.add("arm")
    with pytest.raises(Refusal) as caught:
        acting.act(host, plan)
    assert caught.value.code == "switch_not_armed"
    assert systemd.worker == "active"


def test_a_worker_that_does_not_stay_up_leaves_the_switch_armed(host: Any, systemd: Systemd) -> None:
    paused(host)
    acting = action("resumed")
    plan = acting.plan(host)
    systemd.ignores.add("start " + WORKER)
    with pytest.raises(ActFailed):
        acting.act(host, plan)
    assert systemd.timer == "active"
    assert acting.observe(host, plan).outcome == "failed"


# --- whom it hits -------------------------------------------------------------------------------------------------------


def test_jobs_that_run_are_named_or_it_is_refused(host: Any, systemd: Systemd) -> None:
    host.context.held = held(8)
    with pytest.raises(Refusal) as caught:
        action("paused").plan(host)
    assert caught.value.code == "would_interrupt"
    plan = action("paused", accept_interruption_of=[8]).plan(host)
    assert plan.subjects == ("unit " + WORKER, "job 8")
    assert "Interrupted: job 8." in plan.expected_impact
    # One that stands still is named, and nobody has to give it up.
    host.context.held = held(6)
    assert action("paused").plan(host).subjects == ("unit " + WORKER, "job 6")
    host.context.held = held(8, unit="job8.service")
    plan = action("paused").plan(host)
    assert plan.subjects == ("unit " + WORKER,)
    assert plan.left_out == {"job 8": "It is run by job8.service, which goes on."}


def test_a_job_that_begins_in_the_last_moment_lets_the_worker_go_on(
    host: Any, systemd: Systemd, monkeypatch: Any
) -> None:
    acting = action("paused")
    plan = acting.plan(host)
    frozen: List[Optional[bool]] = []

    def begun(_directory: str) -> Any:
        frozen.append(systemd.frozen)
        return held(8)

    monkeypatch.setattr(holders, "held", begun)
    with pytest.raises(Refusal) as caught:
        acting.act(host, plan)
    assert caught.value.code == "world_moved"
    assert frozen == [True]
    assert (systemd.worker, systemd.timer, systemd.frozen) == ("active", "inactive", False)


def test_a_worker_between_two_states(host: Any, systemd: Systemd) -> None:
    systemd.worker = "deactivating"
    with pytest.raises(Refusal) as caught:
        action("paused").plan(host)
    assert caught.value.code == "unit_changing"


def test_the_record_of_a_pause_that_is_no_record(host: Any, systemd: Systemd) -> None:
    paused(host)
    for content in (b"", b"[]", b'{"run": 1}', b"\xff"):
        with open(runtime.DIRECTORY + "/worker-pause.json", "wb") as handle:
            handle.write(content)
        assert pause.in_force(host.context) is None


def test_a_plan_makes_no_directory(host: Any) -> None:
    action("paused").plan(host)
    action("resumed").plan(host)
    assert not os.path.exists(runtime.DIRECTORY)
