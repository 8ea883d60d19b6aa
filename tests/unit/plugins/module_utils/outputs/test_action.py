# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order it is done, what holds it back at the last moment, and what is seen of it."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, recorded
from ansible_collections.healtharchive.remediation.plugins.module_utils import host as commands
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed
from ansible_collections.healtharchive.remediation.plugins.module_utils.outputs import action, survey
from ansible_collections.healtharchive.remediation.plugins.module_utils.outputs.facts import Directory, Facts, Tiering
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import ARGUMENT_SPEC, Settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import holders, lock_directories, rows
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import survey as tiers_survey
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import writing

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
PATH, COLD = SETTINGS.archive_root + "/hc/x__hc-20260101", SETTINGS.storage_mount + "/jobs/hc/x__hc-20260101"
SPENT = Directory(12, "cihr", "failed", 2, "/x", failed_on_it=True)
EMPTY = Directory(7, "hc", "queued", 0, PATH, year=2026, campaign="present", tier="local", entries=0)


class World:
    """A host whose commands do what they say, but for the steps in ``fails``."""

    def __init__(self, monkeypatch: Any) -> None:
        self.directories: List[Directory] = [EMPTY, SPENT]
        self.tiering = Tiering({PATH: COLD})
        self.state, self.written, self.lock = "not_mounted", "written", "free"
        self.filled: List[str] = []
        self.row: Dict[str, Any] = {
            "id": 12, "status": "failed", "source": "cihr", "started_at": "2026-01-09T00:00:00Z", "retry_count": 2,
        }  # fmt: skip
        self.fails: set = set()
        self.did: List[str] = []
        monkeypatch.setattr(lock_directories, "agreed", lambda _context: "/locks")
        monkeypatch.setattr(change, "actions_of", lambda _log: [])
        monkeypatch.setattr(survey, "look_at", lambda *_words: self.look())
        monkeypatch.setattr(survey, "ask", lambda _context, _year, _source: self.tiering)
        monkeypatch.setattr(survey, "still_empty", lambda _context, _paths: self.filled)
        monkeypatch.setattr(tiers_survey, "ask_tiering", self.tier)
        monkeypatch.setattr(tiers_survey, "states", lambda _context, paths, _binds: dict.fromkeys(paths, self.state))
        monkeypatch.setattr(tiers_survey, "account", lambda _context: SimpleNamespace(name="haadmin"))
        monkeypatch.setattr(writing, "test", lambda paths, _who, _seconds: dict.fromkeys(paths, self.written))
        monkeypatch.setattr(holders, "states", lambda _directory, jobs: dict.fromkeys(jobs, self.lock))
        monkeypatch.setattr(rows, "states", lambda _context, jobs: {job: dict(self.row) for job in jobs if job == 12})
        context: Any = SimpleNamespace(settings=SETTINGS, run_service=self.run, seconds=lambda wanted: wanted)
        log: Any = SimpleNamespace(origin=SimpleNamespace(head="1" * 40))
        self.host = change.Host(context, log, "2026-11-28-x", "output_directories-1")

    def look(self) -> Facts:
        where = (SETTINGS.service_user, SETTINGS.cli, "script", SETTINGS.env_file, SETTINGS.storage_mount + "/jobs")
        return Facts(tuple(self.directories), {(2026, "hc"): Tiering({PATH: COLD})}, *where)

    def tier(self, _context: Any, argv: Any) -> None:
        self.did.append(" ".join(argv[3:]))
        if "tier" not in self.fails:
            self.state = "ok"

    def run(self, argv: Any, _seconds: float, production: bool) -> Any:
        assert production
        self.did.append(" ".join(argv[1:]))
        if argv[1] not in self.fails:
            change_to = {"retry-job": {"status": "retryable"}, "reset-retry-count": {"retry_count": 0}}[argv[1]]
            self.row.update(change_to)
        return commands.Result(argv, int(argv[1] in self.fails), b"", b"ERROR: no", 0.1, None)

    def done(self) -> "tuple[Any, Any]":
        acting = action.OutputDirectories({})
        plan = acting.plan(self.host)
        try:
            acting.act(self.host, plan)
            failure = None
        except ActFailed as error:
            failure = str(error)
        return acting.observe(self.host, plan), failure


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def test_a_directory_is_bound_and_a_job_gets_its_attempts_back(world):
    plan = action.OutputDirectories({}).plan(world.host)
    assert plan.subjects == ("mount " + PATH, "job 12")
    assert world.did == []
    seen, failure = world.done()
    assert (seen.outcome, seen.changed, failure) == ("applied", True, None)
    assert seen.states == dict(plan.after)
    assert world.did == [
        "--year 2026 --sources hc --apply",
        "reset-retry-count --id 12 --apply",
        "retry-job --id 12",
    ]
    assert [" ".join(argv[-3:]) for argv in plan.commands if argv[-1] == "--apply"] == [
        "--sources hc --apply",
        "--id 12 --apply",
    ]


def test_what_is_no_directory_of_the_plan_any_more_is_left(world):
    world.filled = [PATH]
    seen, failure = world.done()
    assert (seen.code, world.did) == ("not_empty_any_more", [])
    assert "was left alone" in failure
    world.filled, world.tiering = [], Tiering({PATH: COLD, PATH + "b": COLD + "b"})
    seen, _failure = world.done()
    assert (seen.code, world.did) == ("tiering_moved", [])


def test_a_crawl_that_has_begun_by_then_is_not_mounted_over(world):
    world.lock = "held"
    seen, failure = world.done()
    assert (seen.outcome, seen.code, world.did) == ("failed", "job_locked", [])
    assert "lock of job 7" in failure


def test_what_the_script_says_does_not_count(world):
    world.fails = {"tier"}
    seen, failure = world.done()
    assert (seen.outcome, seen.code, "is not_mounted" in failure) == ("failed", "not_mended", True)
    # No job is given back before the directories are well.
    assert world.did == ["--year 2026 --sources hc --apply"]


def test_a_mount_that_cannot_be_written_is_a_failure(world):
    world.written = "EACCES"
    seen, _failure = world.done()
    assert (seen.outcome, seen.code) == ("failed", "not_writable")


def test_a_lock_that_is_held_by_now(world):
    world.directories, world.lock = [SPENT], "held"
    seen, _failure = world.done()
    assert (seen.outcome, world.did) == ("failed", [])
    assert "Something holds the lock of job 12" in seen.detail


def test_a_command_that_changes_nothing_is_seen_in_the_row(world):
    world.directories, world.fails = [SPENT], {"reset-retry-count"}
    seen, _failure = world.done()
    assert seen.outcome == "failed"
    assert "reset-retry-count ended with 1" in seen.detail
    # A worker that was faster than the look has taken it up.
    world.row.update(status="failed", retry_count=2)
    acting = action.OutputDirectories({})
    plan = acting.plan(world.host)
    world.row.update(status="running", started_at="2026-11-28T00:00:00Z")
    assert acting.observe(world.host, plan).outcome == "applied"


def test_what_is_well_and_what_is_a_persons(world):
    world.directories = [SPENT._replace(failed_on_it=False)]
    assert isinstance(action.OutputDirectories({}).plan(world.host), NothingToDo)
    world.directories = [SPENT._replace(writable=False), EMPTY]
    plan = action.OutputDirectories({}).plan(world.host)
    assert (plan.subjects, list(plan.left_out)) == (("mount " + PATH,), ["job 12"])
    assert "sudo namei" in plan.left_out["job 12"]
    world.directories = [SPENT._replace(writable=False)]
    with pytest.raises(Refusal) as refused:
        action.OutputDirectories({}).plan(world.host)
    assert refused.value.code == "needs_person"


# Each of what a mount and a row can be when it was cut off, and what that says of it: nothing done, done, or neither.
BEGUN = "2026-11-28T18:00:00Z"
EARLIER, LATER = "2026-01-09T00:00:00Z", "2026-11-28T18:00:30Z"
MOUNTS = {"not_mounted": "nothing", "ok": "done", "stale": "neither", "hung": "neither", None: "neither"}
ROWS = {
    ("failed", 2, EARLIER): "nothing",
    # It ran, or it never did; its attempts were given back and no more, or it had spent none.
    ("failed", 2, LATER): "neither",
    ("failed", 2, None): "neither",
    ("failed", 0, EARLIER): "neither",
    ("retryable", 0, EARLIER): "done",
    ("queued", 0, None): "done",
    ("running", 0, LATER): "done",
    ("running", 1, LATER): "neither",
    # Of what was planned with a status of its own, the attempts alone do not say.
    ("retryable", 2, EARLIER): "neither",
    ("indexed", 0, LATER): "neither",
    None: "neither",
}


@pytest.mark.parametrize("mounts", [each for n in range(3) for each in itertools.product(MOUNTS, repeat=n)], ids=str)
def test_what_was_cut_off_is_told_by_what_its_subjects_are(mounts):
    """Law 6 beside law 11: only what had no effect is one act with what does it again."""
    for jobs in (each for n in range(3) for each in itertools.product(ROWS, repeat=n)):
        said = {MOUNTS[each] for each in mounts} | {ROWS[each] for each in jobs}
        seen = [dict(zip(("status", "retry_count", "started_at"), each)) for each in jobs if each is not None]
        expected = ("unknown", None)
        if said <= {"nothing"}:
            expected = ("failed", False)
        elif said == {"done"} and jobs:
            expected = ("applied", None)
        assert action.settled(mounts, seen, len(jobs), BEGUN) == expected, jobs


def test_one_that_was_cut_off_is_told_as_it_is_now(world):
    subjects = ("mount " + PATH, "job 12")
    begun = recorded.Action("output_directories-1", "2026-11-28-x", "output_directories", BEGUN, subjects)
    seen = action.OutputDirectories({}).settle(world.host, begun)
    assert (seen.outcome, seen.changed) == ("failed", False)
    assert seen.detail == "It was cut off. %s is not_mounted. The rows say now: job 12 failed." % PATH
    world.state = "ok"
    assert action.OutputDirectories({}).settle(world.host, begun).outcome == "unknown"
    world.row.update(status="retryable", retry_count=0)
    assert action.OutputDirectories({}).settle(world.host, begun).outcome == "applied"


def test_rows_that_cannot_be_read_say_nothing(world, monkeypatch):
    def unreadable(*_words):
        raise Refusal("jobs_unreadable", "No database.", "Look.")

    monkeypatch.setattr(rows, "states", unreadable)
    begun = recorded.Action("output_directories-1", "2026-11-28-x", "output_directories", BEGUN, ("job 12",))
    seen = action.OutputDirectories({}).settle(world.host, begun)
    assert (seen.outcome, seen.changed) == ("unknown", None)
    assert "cannot be read" in seen.detail
    # What was to bind only needs no row.
    begun = begun._replace(subjects=("mount " + PATH,))
    assert action.OutputDirectories({}).settle(world.host, begun).outcome == "failed"
