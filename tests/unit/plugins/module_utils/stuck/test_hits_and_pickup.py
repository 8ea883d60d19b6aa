# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stop would end, and what keeps the worker from what was recovered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import look
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes.units import WORKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import (
    hits,
    holders,
    pause,
    pickup,
    rows,
    worker_unit,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck.hits import Job

ROW = {"source": "hc", "name": "hc-2026", "status": "running", "started_at": "2026-11-23T10:00:00Z", "retry_count": 2}
FACTS = {"crawled": 437, "crawl_total": 3209, "progress_age_seconds": 7200.0, "log_age_seconds": 5.0, "stalled": True}
IN_WORKER = Job(6, frozenset({WORKER}), ROW, FACTS)
OF_ITS_OWN = Job(8, frozenset({"job8.service"}), ROW)
UNKNOWN = Job(9, None, None)
BOTH = Job(7, frozenset({WORKER, "session-3.scope"}), ROW)
JOBS = [IN_WORKER, OF_ITS_OWN, UNKNOWN, BOTH]


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({WORKER}, [6, 9, 7]),
        ({"job8.service"}, [8, 9]),
        (set(), []),
        ({"x.service"}, [9]),
        ({WORKER, "job8.service"}, [6, 8, 9, 7]),
    ],
)
def test_who_is_hit(units: Any, expected: List[int]) -> None:
    assert [job.id for job in hits.hit_by(JOBS, units)] == expected


def test_it_is_named_with_progress_and_retries() -> None:
    assert IN_WORKER.sentence() == (
        "job 6 (hc, hc-2026): 437 of 3209 pages crawled, last progress 7200 s ago, 2 retries, run by healtharchive-worker.service"
    )
    assert UNKNOWN.sentence() == (
        "job 9 (no source, no name): ? of ? pages crawled, last progress not known, ? retries, run by what, is not known"
    )


@pytest.mark.parametrize(
    ("accepted", "stalled", "refused"),
    [([], [], [6, 9]), ([6], [], [9]), ([], [6], [9]), ([6, 9], [], []), ([9], [6], []), ([77], [], [6, 9])],
)
def test_only_what_was_accepted_is_interrupted(accepted: Any, stalled: Any, refused: List[int]) -> None:
    """Law 12."""
    found = hits.refuse_unaccepted([IN_WORKER, UNKNOWN], accepted, stalled, "Stopping the worker")
    if not refused:
        assert found is None
        return
    assert found is not None
    assert found.code == "would_interrupt"
    assert [job["job"] for job in found.evidence["jobs"]] == refused
    assert "accept_interruption_of=%s" % ",".join(map(str, refused)) in found.next_step
    assert ("437 of 3209" in str(found)) is (6 in refused)


def test_what_began_since_then(monkeypatch: Any) -> None:
    held = {6: holders.Holder(frozenset({WORKER}), (1,)), 8: holders.Holder(frozenset({"job8.service"}), (2,))}
    monkeypatch.setattr(holders, "held", lambda _directory: held)
    assert hits.refuse_more("/locks", {WORKER}, {6}) is None
    assert hits.refuse_more("/locks", {WORKER}, {6, 7}) is None
    refusal = hits.refuse_more("/locks", {WORKER}, set())
    assert refusal is not None
    assert (refusal.code, refusal.evidence) == ("world_moved", {"jobs": [6]})
    held[9] = holders.Holder(None, ())
    assert hits.refuse_more("/locks", {WORKER}, {6}) is not None


def test_what_may_be_indexed_right_now_is_told() -> None:
    found = rows.Rows({5: {**ROW, "status": "completed"}, 6: ROW}, True, "admin_api")
    assert "Crawled and not indexed: job 5." in hits.indexing(found)[0]
    assert hits.indexing(found._replace(jobs={6: ROW})) == []


# --- the queue ----------------------------------------------------------------------------------------------------------


def waiting(
    job: int, queued: Optional[str] = "2026-11-23T10:00:00Z", source: Optional[str] = "hc", crawl: Any = None
) -> Dict[str, Any]:
    return {"id": job, "status": "retryable", "queued_at": queued, "source": source, "crawler_status": crawl}


OURS = {1: {}, 2: {}}
QUEUES = [
    ([waiting(1), waiting(2)], None),
    ([waiting(1), waiting(3, "2026-11-23T09:00:00Z")], "another_first"),
    ([waiting(1), waiting(3, None)], "another_first"),
    ([waiting(2), waiting(3)], None),
    ([waiting(2, "2026-11-23T11:00:00Z"), waiting(1), waiting(3)], None),
    ([waiting(4, source=None, queued=None), waiting(1)], None),
    ([waiting(4, queued=None, crawl="infra_error"), waiting(1)], None),
    ([waiting(1, crawl="infra_error"), waiting(2, crawl="infra_error")], "cooldown"),
    ([waiting(1, crawl="infra_error"), waiting(2)], None),
    ([waiting(1, crawl="infra_error"), waiting(2), waiting(3, None)], "another_first"),
    ([], None),
]


@pytest.mark.parametrize(("found", "code"), QUEUES, ids=range(len(QUEUES)))
def test_what_comes_first(found: Any, code: Optional[str]) -> None:
    reason = pickup.queue(found, OURS)
    assert (None if reason is None else reason[0]) == code


UNIT = worker_unit.Unit(WORKER, "loaded", "active", "running", "success", "enabled", 5, 0, "run", False, True)


@pytest.mark.parametrize(
    ("unit", "available", "code"),
    [
        (UNIT, 50, None),
        (UNIT, 16, None),
        (UNIT, 15, "disk_full"),
        (UNIT, 0, "disk_full"),
        (UNIT._replace(active_state="inactive"), 50, "worker_inactive"),
        (UNIT._replace(active_state="activating"), 50, "worker_inactive"),
        (UNIT._replace(active_state="failed"), 0, "worker_inactive"),
    ],
)
def test_what_keeps_the_worker_from_everything(
    monkeypatch: Any, unit: Any, available: int, code: Optional[str]
) -> None:
    seen = look.Look(False, None, True, 100, available, None, None, None)
    monkeypatch.setattr(worker_unit, "show", lambda _context: unit)
    monkeypatch.setattr(look, "look", lambda paths, _seconds: dict.fromkeys(paths, seen))
    context: Any = SimpleNamespace(settings=SimpleNamespace(archive_root="/jobs"), seconds=lambda seconds: seconds)
    reason = pickup.hindrance(context)
    assert (None if reason is None else reason[0]) == code


def test_what_was_taken_up_is_a_new_run_of_it() -> None:
    before = {1: {"started_at": "2026-11-23T10:00:00Z"}, 2: {"started_at": None}, 3: {"started_at": None}}
    now = {
        1: {"status": "retryable", "started_at": "2026-11-23T10:00:00Z"},
        2: {"status": "running", "started_at": "2026-11-23T12:00:00Z"},
        3: {"status": "retryable", "started_at": None},
    }
    assert pickup._taken(now, before) == {2: "running, began 2026-11-23T12:00:00Z"}


# --- the switch ---------------------------------------------------------------------------------------------------------


def test_the_worker_is_stopped_after_the_switch_is_armed() -> None:
    armed, frozen, stopped = pause.pause_commands(600)
    assert armed[:2] == ["/usr/bin/systemd-run", "--quiet"]
    assert "--on-active=600s" in armed
    assert armed[-3:-1] == ["/bin/sh", "-c"]
    assert armed[-1].endswith("exec /usr/bin/systemctl start healtharchive-worker.service")
    assert "--signal=CONT" in armed[-1]
    assert frozen == ["/usr/bin/systemctl", "kill", "--kill-who=main", "--signal=STOP", WORKER]
    assert stopped == ["/usr/bin/systemctl", "stop", WORKER]
    # And it is taken away after the worker was started.
    assert pause.resume_commands() == [
        ["/usr/bin/systemctl", "start", WORKER],
        ["/usr/bin/systemctl", "stop", "healtharchive-remediation-worker-resume.timer"],
    ]
