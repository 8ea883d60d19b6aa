# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order it is done, and that whatever fails in between everything held off is given back."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, look, runtime
from ansible_collections.healtharchive.remediation.plugins.module_utils import host as commands
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.annual_tiering import Tiering
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan
from ansible_collections.healtharchive.remediation.plugins.module_utils.probe import Finding
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
    lock_directories,
    pause,
    rows,
    worker_unit,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import (
    action,
    bundle,
    facts,
    hold,
    jobs,
    noted,
    survey,
    writing,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers.facts import Base, Facts, Path, UnitState

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
ROOT, BOX = SETTINGS.archive_root, SETTINGS.storage_mount
HOT, COLD = ROOT + "/imports/a", BOX + "/jobs/imports/a"
ANNUAL, ANNUAL_COLD = ROOT + "/hc/x__hc-20260101", BOX + "/jobs/hc/x__hc-20260101"
TIMER = hold.timer(hold.WATCHDOGS[0])
STARTED = "2026-11-23T10:00:00Z"
UNITS = {name: UnitState("loaded", "active") for name in facts.UNITS}


def row(job: int, status: str) -> Dict[str, Any]:
    return {"id": job, "status": status, "source": "hc", "started_at": STARTED, "retry_count": 0, "name": "x"}


class World:
    """The parts of a host that the action asks. ``paths``: path -> state; a step in ``fails`` does not go well."""

    def __init__(self, monkeypatch: Any, tmp_path: Any) -> None:
        self.base: Optional[str] = "ok"
        self.paths: Dict[str, Optional[str]] = {HOT: "stale", ANNUAL: "stale"}
        self.units: Dict[str, UnitState] = dict(UNITS)
        self.worker, self.switch, self.watchdogs = "active", False, False
        self.busy = False
        self.part = jobs.Part((), (), (), (), {})
        self.rows: Dict[int, Dict[str, Any]] = {}
        self.tiering = Tiering({}, frozenset([ANNUAL]))
        self.written = "written"
        self.remains: set = set()
        self.fails: Dict[str, Exception] = {}
        self.did: List[str] = []
        self.timers = (TIMER,)
        self.replay_run = 1
        self.paused: Any = None
        monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
        monkeypatch.setattr(lock_directories, "agreed", lambda _context: "/locks")
        known = Finding({"reachable": True, "backend": "postgresql"}, [])
        monkeypatch.setattr(action.database, "probe", lambda _context: known)
        monkeypatch.setattr(action.replay_probe, "probe", lambda _context: Finding({"targets": []}, []))
        found = jobs.Known("/locks", rows.Rows({}, True, "admin_api"), (), {}, {})
        monkeypatch.setattr(jobs, "look", lambda _context, _directory: found)
        monkeypatch.setattr(jobs, "part", lambda *_words: self.part)
        monkeypatch.setattr(jobs, "retry", lambda _context, job: self.step("retry %d" % job))
        monkeypatch.setattr(survey, "survey", lambda _context, kept, _jobs: self.survey(kept))
        monkeypatch.setattr(survey, "states", self.states)
        monkeypatch.setattr(survey, "base_now", lambda _context: Base(BOX, self.base))
        monkeypatch.setattr(survey, "mounted", lambda: {p: () for p, s in self.paths.items() if s not in facts.ABSENT})
        monkeypatch.setattr(survey, "ask_tiering", self.tier)
        monkeypatch.setattr(survey, "account", lambda _context: None)
        monkeypatch.setattr(writing, "test", lambda paths, _who, _seconds: dict.fromkeys(paths, self.written))
        monkeypatch.setattr(look, "look", self.look)
        monkeypatch.setattr(bundle, "keep", lambda _host, moment: self.step("keep " + moment) or "/kept/" + moment)
        monkeypatch.setattr(hold, "to_hold", lambda _context: self.timers)
        monkeypatch.setattr(hold, "begin", lambda *_words: self.hold(True))
        monkeypatch.setattr(hold, "end", lambda *_words: self.hold(False))
        monkeypatch.setattr(hold, "armed", lambda _context: self.watchdogs)
        monkeypatch.setattr(pause, "begin", self.pause)
        monkeypatch.setattr(pause, "end", lambda _context: self.resume())
        monkeypatch.setattr(pause, "armed", lambda _context: self.switch)
        monkeypatch.setattr(pause, "in_force", lambda _context: self.paused)
        monkeypatch.setattr(hits, "refuse_more", lambda *_words: None)
        monkeypatch.setattr(hits, "indexing", lambda _marked: [])
        monkeypatch.setattr(worker_unit, "show", self.show)
        monkeypatch.setattr(
            rows, "states", lambda _context, ids: {job: self.rows[job] for job in ids if job in self.rows}
        )
        monkeypatch.setattr(applying.Recovery, "run", lambda _self, _selections, untouched: self.step("recover"))
        monkeypatch.setattr(change, "actions_of", lambda _log: [])
        context = SimpleNamespace(
            settings=SETTINGS, run=self.run, deadline=time.monotonic() + 900, seconds=lambda x: 0.01
        )
        context._replace = lambda **_changes: context
        log = SimpleNamespace(origin=SimpleNamespace(head="1" * 40))
        self.host: Any = change.Host(context, log, "2026-11-23-x", "storage-1")  # type: ignore[arg-type]

    def survey(self, kept: Any) -> Facts:
        found = []
        for path, cold in ((HOT, COLD), (ANNUAL, ANNUAL_COLD)):
            state = self.paths[path]
            absent = state in facts.ABSENT
            kind = "manifest" if path == HOT else "annual"
            expected = path == HOT or path in kept or path in self.tiering.binds
            found.append(
                Path(
                    path,
                    kind,
                    state,
                    0 if absent else 1,
                    (),
                    None,
                    True,
                    None if absent else cold,
                    cold,
                    True,
                    expected,
                    0,
                )
            )
        hangs = self.base == "hung" or "hung" in self.paths.values()
        tiered = None if hangs else tuple(sorted(self.tiering.known))
        begun = tuple(sorted(kept))
        return Facts(Base(BOX, self.base), tuple(found), self.units, tiered, {ANNUAL: (2026, "hc")}, begun=begun)

    def states(self, _context: Any, paths: Any, _binds: Any) -> Dict[str, Optional[str]]:
        return {path: self.base if path == BOX else self.paths[path] for path in paths}

    def look(self, paths: Any, _seconds: float) -> Dict[str, look.Look]:
        number = {"stale": 107, "missing": 2}
        return {
            path: look.Look(
                self.paths.get(path) == "hung", number.get(str(self.paths.get(path, "ok"))), True, 1, 1, 0, None, None
            )
            for path in paths
        }

    def step(self, what: str) -> None:
        self.did.append(what)
        if what in self.fails:
            raise self.fails[what]

    def hold(self, holds: bool) -> None:
        self.step("hold" if holds else "give back")
        self.watchdogs = holds

    def pause(self, _context: Any, name: str, _incident: str, seconds: int, _more: Any) -> None:
        assert (name, seconds) == ("storage", 1200)
        self.step("pause")
        self.worker, self.switch = "inactive", True

    def resume(self) -> None:
        self.step("resume")
        self.worker, self.switch, self.paused = "active", False, None

    def show(self, _context: Any, name: str = WORKER) -> worker_unit.Unit:
        state = self.worker if name == WORKER else self.units[name].active if name in self.units else "active"
        run = "run %d" % self.replay_run if name == facts.REPLAY_UNIT else "run"
        return worker_unit.Unit(name, "loaded", state, "x", "success", "enabled", 5, 0, run, False, True)

    def tier(self, _context: Any, argv: List[str]) -> Tiering:
        applied = argv[-1] == "--apply"
        self.step("tier" if applied else "tier dry")
        binds = {ANNUAL: ANNUAL_COLD} if ANNUAL in self.tiering.known and self.paths[ANNUAL] in facts.ABSENT else {}
        if applied:
            self.paths.update(dict.fromkeys(binds, "ok"))
        return Tiering({**binds, **self.tiering.binds}, self.tiering.known)

    def run(self, argv: List[str], _seconds: float) -> commands.Result:
        what = _said(argv)
        self.did.append(what)
        if argv[0].endswith("umount"):
            plain = len(argv) == 2
            if argv[-1] in self.remains or (plain and self.busy):
                return commands.Result(argv, 32, b"", b"umount: target is busy.", 0.1, None)
            self.paths[argv[-1]] = "not_mounted"
        elif argv[0].endswith("mount"):
            self.paths[argv[-1]] = "ok"
        elif "vps-warc-tiering-bind-mounts.sh" in what and self.paths[HOT] in facts.ABSENT:
            self.paths[HOT] = "ok"
        elif argv[1:] == ["restart", facts.SSHFS_UNIT] and "gone" not in self.remains:
            self.base = "ok"
            self.paths = {path: "stale" if state == "hung" else state for path, state in self.paths.items()}
        elif argv[1:] == ["start", facts.TIERING_UNIT]:
            self.units[facts.TIERING_UNIT] = UnitState("loaded", "active")
        elif argv[1:] == ["restart", facts.REPLAY_UNIT]:
            if "replay" in self.remains:
                return commands.Result(argv, 1, b"", b"Failed to restart it: no", 0.1, None)
            self.replay_run += 1
        return commands.Result(argv, 0, b"", b"", 0.1, None)


def _said(argv: List[str]) -> str:
    return " ".join(word.rpartition("/")[2] if word[0] == "/" else word for word in argv)


@pytest.fixture
def world(monkeypatch: Any, tmp_path: Any) -> World:
    monkeypatch.setattr(action, "_POLL_SECONDS", 0.001)
    return World(monkeypatch, tmp_path)


def storage(**given: Any) -> action.Storage:
    defaults = {name: option["default"] for name, option in action.ARGUMENT_SPEC.items()}
    return action.Storage({**defaults, **given})


def act(world: World) -> Any:
    """As the frame does it."""
    acting = storage()
    plan = acting.plan(world.host)
    assert isinstance(plan, Plan)
    failure = None
    try:
        acting.act(world.host, plan)
    except ActFailed as error:
        failure = error
    return acting.observe(world.host, plan), failure, plan


def kept(world: World) -> bool:
    """Everything that was held off has been given back."""
    return (world.worker, world.switch, world.watchdogs) == ("active", False, False)


def test_the_order_of_it(world: World) -> None:
    failed = row(3, "failed")
    world.part = world.part._replace(recovered=(row(2, "running"),), retried=(failed,))
    world.rows = {2: row(2, "retryable"), 3: row(3, "retryable")}
    world.units[facts.TIERING_UNIT] = UnitState("loaded", "failed")
    seen, failure, plan = act(world)
    assert (failure, seen.outcome, seen.changed, seen.code) == (None, "applied", True, None)
    assert world.did == [
        "keep before", "hold", "pause",
        "umount x__hc-20260101", "umount a",
        "bash vps-warc-tiering-bind-mounts.sh --apply --manifest warc-tiering.binds --storagebox-mount storagebox",
        "tier dry", "tier",
        "systemctl reset-failed " + facts.TIERING_UNIT, "systemctl start " + facts.TIERING_UNIT,
        "recover", "retry 3", "systemctl restart " + facts.REPLAY_UNIT,
        "resume", "give back", "keep after",
    ]  # fmt: skip
    assert plan.after["job 3"]["status"] == "retryable"
    assert seen.states == plan.after
    assert kept(world)
    assert noted.read("storage-unmounted.json") == {}


def test_lazily_only_where_the_plain_one_fails_and_it_is_dead_still(world: World) -> None:
    world.busy = True
    seen, failure, _plan = act(world)
    assert failure is None
    assert world.did[3:7] == ["umount x__hc-20260101", "umount -l x__hc-20260101", "umount a", "umount -l a"]
    assert "was unmounted lazily: something has it open still" in seen.detail


def test_one_that_cannot_be_unmounted_keeps_no_other_from_its_bind(world: World) -> None:
    world.remains.add(HOT)
    world.part = world.part._replace(retried=(row(3, "failed"),))
    world.rows = {3: row(3, "failed")}
    seen, failure, _plan = act(world)
    assert "%s is stale" % HOT in str(failure)
    assert (seen.outcome, seen.changed, seen.code) == ("failed", True, "not_mended")
    assert world.paths == {HOT: "stale", ANNUAL: "ok"}
    assert "retry 3" not in world.did
    assert kept(world)


def test_nothing_is_unmounted_while_the_place_of_one_is_not_on_the_box(world: World) -> None:
    world.base, world.paths = "hung", {HOT: "hung", ANNUAL: "hung", COLD: "missing"}
    seen, failure, _plan = act(world)
    assert "is not on it. No hot path was unmounted." in str(failure)
    assert not any(step.startswith("umount") for step in world.did)
    assert seen.outcome == "failed"
    assert kept(world)


def test_what_is_alive_by_then_is_not_unmounted(world: World) -> None:
    acting = storage()
    plan = acting.plan(world.host)
    world.paths[HOT] = "ok"
    acting.act(world.host, plan)
    assert "umount a" not in world.did
    assert acting.observe(world.host, plan).outcome == "applied"


def test_a_base_mount_that_answers_again_is_not_restarted(world: World) -> None:
    """A link that comes back between the plan and the act: a restart would make dead what is well."""
    world.base, world.paths = "hung", {HOT: "hung", ANNUAL: "hung"}
    acting = storage()
    plan = acting.plan(world.host)
    world.base, world.paths = "ok", {HOT: "ok", ANNUAL: "ok"}
    acting.act(world.host, plan)
    assert not any(facts.SSHFS_UNIT in step or step.startswith("umount") for step in world.did)
    seen = acting.observe(world.host, plan)
    assert (seen.outcome, "answers again" in seen.detail) == ("applied", True)
    assert kept(world)


def test_a_path_that_answers_by_now_is_not_ended_with_the_base_mount(world: World) -> None:
    world.base, world.paths = "hung", {HOT: "hung", ANNUAL: "hung"}
    acting = storage()
    plan = acting.plan(world.host)
    world.paths[ANNUAL] = "ok"
    with pytest.raises(ActFailed, match="answers by now"):
        acting.act(world.host, plan)
    assert not any(facts.SSHFS_UNIT in step for step in world.did)
    assert kept(world)


def test_a_replay_that_was_not_started_again_is_seen(world: World) -> None:
    world.remains.add("replay")
    seen, failure, _plan = act(world)
    assert (failure, seen.outcome, seen.code) == (None, "failed", "not_mended")
    assert "was not started again" in seen.detail


def test_a_directory_that_is_not_there_is_made_with_its_bind(world: World) -> None:
    world.paths = {HOT: "ok", ANNUAL: "missing"}
    world.tiering = Tiering({ANNUAL: ANNUAL_COLD}, frozenset())
    _seen, failure, plan = act(world)
    assert failure is None
    made = ("/usr/bin/mount", "--bind", "--options=X-mount.mkdir", ANNUAL_COLD, ANNUAL)
    assert made in plan.commands
    assert " ".join(_said(list(made)).split()) in world.did


def test_what_a_person_does_is_told_in_commands(world: World) -> None:
    world.paths = {HOT: "stale", ANNUAL: "other_mount"}
    plan = storage().plan(world.host)
    (by_hand,) = plan.described()["by_hand"]
    assert by_hand["subject"] == "mount " + ANNUAL
    assert {"do": "run", "text": "findmnt " + ANNUAL} in by_hand["steps"]


def test_what_hangs_is_unmounted_when_it_is_dead(world: World) -> None:
    world.base, world.paths = "hung", {HOT: "hung", ANNUAL: "hung"}
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert world.did[3:7] == [
        "systemctl reset-failed " + facts.SSHFS_UNIT, "systemctl restart " + facts.SSHFS_UNIT,
        "umount x__hc-20260101", "umount a",
    ]  # fmt: skip
    assert ("/usr/bin/mount", "--bind", ANNUAL_COLD, ANNUAL) in plan.commands


def test_a_storage_box_that_does_not_come_back_costs_no_mount(world: World) -> None:
    world.base = "hung"
    world.paths = {HOT: "hung", ANNUAL: "hung"}
    world.remains.add("gone")
    seen, failure, _plan = act(world)
    assert "No hot path was unmounted." in str(failure)
    assert (seen.outcome, seen.code) == ("failed", "storage_box_gone")
    assert not any(step.startswith("umount") for step in world.did)
    assert kept(world)


def test_a_job_without_metadata_is_bound_directly(world: World) -> None:
    world.tiering = Tiering({}, frozenset())
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert "tier dry" not in world.did
    assert "mount --bind x__hc-20260101 x__hc-20260101" in world.did
    assert ("/usr/bin/mount", "--bind", ANNUAL_COLD, ANNUAL) in plan.commands


def test_a_script_that_would_bind_more_is_not_run(world: World) -> None:
    acting = storage()
    plan = acting.plan(world.host)
    world.tiering = Tiering({"/elsewhere": "/x"}, frozenset([ANNUAL]))
    acting.act(world.host, plan)
    assert "tier" not in world.did
    assert "mount --bind x__hc-20260101 x__hc-20260101" in world.did


@pytest.mark.parametrize(
    ("written", "code"), [("EACCES", "not_writable"), ("EROFS", "not_writable"), ("hung", "not_writable")]
)
def test_no_job_is_given_back_where_nothing_can_be_written(world: World, written: str, code: str) -> None:
    world.written = written
    world.part = world.part._replace(retried=(row(3, "failed"),))
    world.rows = {3: row(3, "failed")}
    seen, failure, _plan = act(world)
    assert "No job was given back." in str(failure)
    assert (seen.outcome, seen.code) == ("failed", code)
    assert "retry 3" not in world.did
    assert kept(world)


def test_nor_where_a_path_is_dead_again(world: World, monkeypatch: Any) -> None:
    old = action.Storage._bind_all

    def dies(self: Any, context: Any) -> None:
        old(self, context)
        world.paths[HOT] = "stale"

    monkeypatch.setattr(action.Storage, "_bind_all", dies)
    world.part = world.part._replace(retried=(row(3, "failed"),))
    world.rows = {3: row(3, "failed")}
    seen, _failure, _plan = act(world)
    assert (seen.outcome, seen.code) == ("failed", "not_mended")
    assert "retry 3" not in world.did
    assert kept(world)


@pytest.mark.parametrize("step", ["recover", "retry 3", "pause", "resume", "keep after"])
@pytest.mark.parametrize("error", [ActFailed("no"), RuntimeError("fault")])
def test_whatever_fails_is_given_back(world: World, step: str, error: Exception) -> None:
    world.part = world.part._replace(recovered=(row(2, "running"),), retried=(row(3, "failed"),))
    world.rows = {2: row(2, "retryable"), 3: row(3, "retryable")}
    acting = storage()
    plan = acting.plan(world.host)
    world.fails[step] = error
    if step == "keep after":
        acting.act(world.host, plan)
    else:
        with pytest.raises(type(error)):
            acting.act(world.host, plan)
    assert "give back" in world.did
    assert not world.watchdogs
    if step not in ("pause", "resume"):
        assert kept(world)


def test_a_worker_that_has_begun_another_job_goes_on_and_nothing_was_done(world: World) -> None:
    acting = storage()
    plan = acting.plan(world.host)
    world.fails["pause"] = Refusal("world_moved", "It has begun job 9.", "Plan again.")
    with pytest.raises(Refusal):
        acting.act(world.host, plan)
    assert world.did == ["keep before", "hold", "pause", "give back"]
    assert kept(world)


def test_without_the_evidence_of_before_nothing_is_done(world: World) -> None:
    world.fails["keep before"] = Refusal("evidence_unwritable", "No space.", "Make room.")
    acting = storage()
    plan = acting.plan(world.host)
    with pytest.raises(Refusal):
        acting.act(world.host, plan)
    assert world.did == ["keep before"]


def test_a_worker_that_does_not_run_is_left_so(world: World) -> None:
    world.worker = "inactive"
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert "unit " + WORKER not in plan.subjects
    assert not {"pause", "resume"} & set(world.did)
    assert world.worker == "inactive"


def test_one_that_was_cut_off_is_gone_on_with(world: World) -> None:
    # Between the unmount and the bind: no table and no script knows the annual job any more.
    noted.write("storage-unmounted.json", {"binds": {ANNUAL: ANNUAL_COLD}})
    world.tiering = Tiering({}, frozenset())
    world.paths = {HOT: "ok", ANNUAL: "not_mounted"}
    world.worker, world.switch = "inactive", True
    world.paused = pause.Pause("run", "storage", "2026-11-23-x", STARTED, STARTED)
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert plan.before["unit " + WORKER] == {"state": "paused"}
    assert world.did[:4] == [
        "keep before",
        "hold",
        "mount --bind x__hc-20260101 x__hc-20260101",
        "systemctl restart " + facts.REPLAY_UNIT,
    ]
    assert kept(world)


def test_only_what_is_held_off_is_left_of_one_that_was_cut_off(world: World) -> None:
    world.paths = {HOT: "ok", ANNUAL: "ok"}
    world.watchdogs = True
    world.worker, world.switch = "inactive", True
    world.paused = pause.Pause("run", "storage", "2026-11-23-x", STARTED, STARTED)
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert world.did == ["resume", "give back"]
    assert plan.objective.startswith("Give back")
    assert isinstance(storage().plan(world.host), NothingToDo)


def test_what_comes_after_the_bind_is_owed_by_whoever_goes_on(world: World) -> None:
    noted.write("storage-unmounted.json", {"binds": {HOT: COLD, ANNUAL: ANNUAL_COLD}})
    world.paths = {HOT: "ok", ANNUAL: "ok"}
    world.part = world.part._replace(recovered=(row(2, "running"),), retried=(row(3, "failed"),))
    world.rows = {2: row(2, "retryable"), 3: row(3, "retryable")}
    world.worker, world.switch, world.watchdogs = "inactive", True, True
    world.paused = pause.Pause("run", "storage", "2026-11-23-x", STARTED, STARTED)
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert plan.objective.startswith("Finish what a recovery that was cut off has begun")
    assert seen.evidence["write_test"] == {HOT: "written", ANNUAL: "written"}
    assert world.did == [
        "keep before", "hold", "recover", "retry 3", "systemctl restart " + facts.REPLAY_UNIT,
        "resume", "give back", "keep after",
    ]  # fmt: skip
    assert kept(world)
    assert isinstance(storage().plan(world.host), NothingToDo)


def test_a_tiering_unit_whose_failed_state_was_cleared_is_started_by_whoever_goes_on(world: World) -> None:
    world.paths = {HOT: "ok", ANNUAL: "ok"}
    world.units[facts.TIERING_UNIT] = UnitState("loaded", "failed")
    acting = storage()
    plan = acting.plan(world.host)
    old = world.run

    def cut_off(argv: List[str], seconds: float) -> commands.Result:
        if argv[1:] == ["start", facts.TIERING_UNIT]:
            world.units[facts.TIERING_UNIT] = UnitState("loaded", "inactive")
            raise KeyboardInterrupt
        return old(argv, seconds)

    world.host.context.run = cut_off
    with pytest.raises(KeyboardInterrupt):
        acting.act(world.host, plan)
    world.host.context.run = old
    _seen, failure, plan = act(world)
    assert failure is None
    assert plan.objective == "Start %s, which does not run while its manifest can be bound." % facts.TIERING_UNIT
    assert world.units[facts.TIERING_UNIT].active == "active"
    assert noted.read("storage-unmounted.json") == {}


def test_nor_is_a_job_given_back_then_where_nothing_can_be_written(world: World) -> None:
    noted.write("storage-unmounted.json", {"binds": {HOT: COLD}})
    world.paths = {HOT: "ok", ANNUAL: "ok"}
    world.written = "EACCES"
    world.part = world.part._replace(retried=(row(3, "failed"),))
    world.rows = {3: row(3, "failed")}
    seen, failure, _plan = act(world)
    assert "No job was given back." in str(failure)
    assert (seen.outcome, seen.code) == ("failed", "not_writable")
    assert "retry 3" not in world.did


def test_it_owes_nothing_where_nothing_waits(world: World) -> None:
    noted.write("storage-unmounted.json", {"binds": {HOT: COLD}})
    world.paths = {HOT: "ok", ANNUAL: "ok"}
    world.units[facts.REPLAY_UNIT] = UnitState("loaded", "inactive")
    world.timers = ()
    assert isinstance(storage().plan(world.host), NothingToDo)


@pytest.mark.parametrize("step", ["recover", "retry 3", "systemctl restart " + facts.REPLAY_UNIT])
def test_until_its_end_it_is_noted_what_it_bound(world: World, monkeypatch: Any, step: str) -> None:
    world.part = world.part._replace(recovered=(row(2, "running"),), retried=(row(3, "failed"),))
    noted_then: List[Any] = []
    old = world.run

    def seen_at(what: str) -> None:
        if what == step:
            noted_then.append(noted.read("storage-unmounted.json"))

    monkeypatch.setattr(world, "step", seen_at)
    monkeypatch.setattr(world, "run", lambda argv, seconds: seen_at(_said(argv)) or old(argv, seconds))
    world.host.context.run = world.run
    acting = storage()
    acting.act(world.host, acting.plan(world.host))
    assert noted_then == [{"binds": {HOT: COLD, ANNUAL: ANNUAL_COLD}, "start": False}]
    assert noted.read("storage-unmounted.json") == {}


def test_what_was_held_off_comes_back_with_the_tiering_unit_too(world: World) -> None:
    world.paths = {HOT: "ok", ANNUAL: "ok"}
    world.units[facts.TIERING_UNIT] = UnitState("loaded", "failed")
    world.watchdogs = True
    world.worker, world.switch = "inactive", True
    world.paused = pause.Pause("run", "storage", "2026-11-23-x", STARTED, STARTED)
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert plan.subjects == ("unit " + facts.TIERING_UNIT, "unit " + WORKER, "unit " + TIMER)
    assert kept(world)


def test_a_pause_of_another_change_is_not_ended(world: World) -> None:
    world.worker = "inactive"
    world.paused = pause.Pause("run", "worker", "2026-11-23-x", STARTED, STARTED)
    _seen, _failure, plan = act(world)
    assert "unit " + WORKER not in plan.subjects
    assert "resume" not in world.did


def test_the_tiering_unit_alone_needs_no_pause(world: World) -> None:
    world.paths = {HOT: "ok", ANNUAL: "ok"}
    world.units[facts.TIERING_UNIT] = UnitState("loaded", "failed")
    seen, failure, plan = act(world)
    assert (failure, seen.outcome) == (None, "applied")
    assert plan.subjects == ("unit " + facts.TIERING_UNIT,)
    assert not {"pause", "resume"} & set(world.did)


def test_the_database_comes_first(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        action.database, "probe", lambda _context: Finding({"reachable": False, "detail": "refused"}, [])
    )
    with pytest.raises(Refusal) as caught:
        storage().plan(world.host)
    assert caught.value.code == "database_unproven"


@pytest.mark.parametrize("seconds", [0, 959, 43201])
def test_the_worker_must_not_start_in_the_middle(seconds: int) -> None:
    with pytest.raises(BadInput) as caught:
        storage(resume_after=seconds)
    assert caught.value.code == "out_of_range"


def test_a_job_that_is_as_it_was_is_said(world: World) -> None:
    world.part = world.part._replace(retried=(row(3, "failed"),))
    world.rows = {3: row(3, "failed")}
    seen, failure, _plan = act(world)
    assert failure is None
    assert (seen.outcome, seen.changed) == ("failed", True)
    assert "job 3 is failed still" in seen.detail
