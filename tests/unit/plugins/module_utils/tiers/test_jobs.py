# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs are given back with a path, and which are left, each with its reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host as commands
from ansible_collections.healtharchive.remediation.plugins.module_utils import links
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.stale_jobs import Candidate, Report
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes.units import WORKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import ARGUMENT_SPEC, Settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import hits, holders, recovery, rows
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import jobs

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
PATH = "/srv/healtharchive/jobs/hc/x"
STARTED = "2026-11-23T10:00:00Z"
OWN = "job7.service"


def row(job: int, status: str, where: Optional[str] = PATH, **more: Any) -> Dict[str, Any]:
    return {
        "id": job, "status": status, "source": "hc", "started_at": STARTED, "retry_count": 0, "name": "x", "crawler_status": None,
        "output_directory": where, **more,
    }  # fmt: skip


class World:
    def __init__(self, monkeypatch: Any, *found: Dict[str, Any], held: Any = None, named: Any = None) -> None:
        self.rows = {each["id"]: each for each in found}
        self.held = {job: frozenset({unit}) if unit else None for job, unit in (held or {}).items()}
        self.named = named
        self.asked = 0
        monkeypatch.setattr(rows, "of_statuses", lambda _context, _statuses: self.listed())
        monkeypatch.setattr(rows, "detailed", self.detailed)
        monkeypatch.setattr(hits, "running", lambda *_words: self.running())
        monkeypatch.setattr(hits, "with_facts", lambda _context, found: list(found))
        monkeypatch.setattr(holders, "states", lambda _d, ids: {i: "held" if i in self.held else "free" for i in ids})
        monkeypatch.setattr(recovery, "candidates", lambda *_words: self.candidates())
        # A link somewhere on the way to what the row names.
        monkeypatch.setattr(links, "follow", lambda paths, _s: {p: p.replace("/linked/", "/srv/") for p in paths})
        self.context: Any = SimpleNamespace(
            settings=SETTINGS, redactor=SimpleNamespace(text=lambda text: text), seconds=lambda wanted: wanted
        )

    def listed(self) -> rows.Rows:
        found = {job: {**row, "output_directory": None} for job, row in self.rows.items() if row["status"] != "queued"}
        return rows.Rows(found, True, "admin_api")

    def detailed(self, _context: Any, found: Dict[int, Dict[str, Any]]) -> None:
        for job in found:
            found[job]["output_directory"] = self.rows[job]["output_directory"]

    def running(self) -> List[hits.Job]:
        return [hits.Job(job, units, self.rows.get(job)) for job, units in self.held.items()]

    def candidates(self) -> Report:
        self.asked += 1
        running = [row for row in self.rows.values() if row["status"] == "running"]
        named = {row["id"] for row in running} if self.named is None else self.named
        found = tuple(
            Candidate(r["id"], r["source"], r["started_at"], 120, 7200, r["name"]) for r in running if r["id"] in named
        )
        progressing = {r["id"]: 5 for r in running if r["id"] not in named}
        return Report(False, 5, "2026-11-23T11:55:00Z", None, None, 300, progressing, {}, found, None)

    def part(
        self,
        stops: bool = True,
        accepted: Any = (),
        hangs: bool = False,
        parked: Any = lambda _row: None,
        paths: Any = (PATH,),
        owed: Any = (),
    ) -> jobs.Part:
        known = jobs.look(self.context, "/locks")
        return jobs.part(self.context, known, paths, stops, accepted, hangs, parked, owed)


@pytest.fixture
def world(monkeypatch: Any) -> Any:
    return lambda *found, **more: World(monkeypatch, *found, **more)


@pytest.mark.parametrize(
    ("output", "expected"),
    [(PATH, True), (PATH + "/y", True), (PATH + "y", False), ("/srv/healtharchive/jobs/hc", False), (None, False)],
)
def test_what_lies_on_a_path(output: Any, expected: bool) -> None:
    assert jobs.affected(output, [PATH]) is expected


def test_those_on_a_path_that_was_mended_before(world: Any) -> None:
    part = world(row(1, "running"), row(2, "failed")).part(paths=(), owed=[PATH])
    assert ([each["id"] for each in part.recovered], [each["id"] for each in part.retried]) == ([1], [2])
    # It is healthy: a crawl there is one like any other.
    crawling = world(row(1, "running"), held={1: WORKER})
    with pytest.raises(Refusal):
        crawling.part(paths=(), owed=[PATH])
    part = crawling.part(stops=False, paths=(), owed=[PATH])
    assert (part.hit, part.recovered, dict(part.left_out)) == ((), (), {})


def test_those_on_the_path_and_no_other(world: Any) -> None:
    elsewhere = "/srv/healtharchive/jobs/hc/z"
    part = world(row(1, "running"), row(2, "failed"), row(3, "running", elsewhere), row(4, "failed", elsewhere)).part()
    assert [each["id"] for each in part.recovered] == [1]
    assert [each["id"] for each in part.retried] == [2]
    assert (part.hit, dict(part.left_out)) == ((), {})


def test_a_crawl_of_the_worker_whose_directory_is_dead_needs_no_word(world: Any) -> None:
    part = world(row(1, "running"), held={1: WORKER}).part()
    assert [job.id for job in part.hit] == [1]
    assert [each["id"] for each in part.recovered] == [1]


def test_one_on_a_healthy_path_does(world: Any) -> None:
    healthy = world(row(1, "running", "/srv/healtharchive/jobs/hc/z"), held={1: WORKER})
    with pytest.raises(Refusal) as caught:
        healthy.part()
    assert caught.value.code == "would_interrupt"
    assert [job.id for job in healthy.part(accepted=[1]).hit] == [1]
    # And none where the worker is not stopped.
    assert healthy.part(stops=False).hit == ()


def test_who_runs_it_is_not_known(world: Any) -> None:
    with pytest.raises(Refusal) as caught:
        world(row(1, "running", "/srv/healtharchive/jobs/hc/z"), held={1: None}).part()
    assert caught.value.code == "would_interrupt"


def test_a_crawl_in_a_unit_of_its_own_is_left_and_named(world: Any) -> None:
    part = world(row(7, "running"), held={7: OWN}).part()
    assert (part.hit, part.recovered) == ((), ())
    assert "systemctl stop %s" % OWN in part.left_out["job 7"]


def test_while_it_hangs_the_rows_are_left_for_afterwards(world: Any) -> None:
    hanging = world(row(1, "running"), row(2, "failed"))
    part = hanging.part(hangs=True)
    assert (part.recovered, hanging.asked) == ((), 0)
    assert "recover_stale_jobs" in part.left_out["job 1"]
    assert [each["id"] for each in part.retried] == [2]


def test_one_that_the_service_does_not_take_for_stale_is_left(world: Any) -> None:
    part = world(row(1, "running"), named=set()).part()
    assert part.recovered == ()
    assert "less than 300 seconds ago" in part.left_out["job 1"]


@pytest.mark.parametrize(
    ("more", "held", "words"),
    [
        ({"crawler_status": "infra_error_config"}, {}, "refuses its options"),
        ({"source": None}, {}, "has no source"),
        ({}, {2: OWN}, "which holds its dead directory open"),
        ({"output_directory": None}, {}, "where its directory lies is not known"),
    ],
)
def test_one_that_failed_and_is_not_retried(world: Any, more: Any, held: Any, words: str) -> None:
    part = world({**row(2, "failed"), **more}, held=held).part()
    assert part.retried == ()
    if not held:
        assert words in part.left_out["job 2"]


def test_one_that_is_parked_is_not_retried(world: Any) -> None:
    def parked(row: Dict[str, Any]) -> None:
        assert row["read_from"] == "admin_api"
        raise Refusal("parked", "Job 2 was retried and failed again.", "Leave it.")

    part = world(row(2, "failed")).part(parked=parked)
    assert (part.retried, part.left_out["job 2"]) == ((), "Job 2 was retried and failed again.")


@pytest.mark.parametrize(
    ("rc", "said", "expected"),
    [
        (0, b"Job 2 marked as retryable for crawl.\n", None),
        (0, b"", "retry-job of job 2 changed nothing (rc 0)"),
        (1, b"", "retry-job of job 2 changed nothing (rc 1)"),
    ],
)
def test_a_retry_is_what_it_says(rc: int, said: bytes, expected: Any) -> None:
    result = commands.Result([], rc, said, b"", 0.1, None)
    context: Any = SimpleNamespace(settings=SETTINGS, run_service=lambda *_words, **_more: result)
    assert jobs.retry(context, 2) == expected


def test_a_directory_is_where_its_links_lead(world):
    """The kernel's table names a mount by where it is, the row perhaps by a link to there."""
    part = world(row(3, "failed", PATH.replace("/srv/", "/linked/"))).part()
    assert [each["id"] for each in part.retried] == [3]
