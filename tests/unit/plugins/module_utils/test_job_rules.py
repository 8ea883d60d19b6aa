# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done with a job: every status with every lock and every wish, and what is seen of it afterwards."""

from __future__ import annotations

import itertools
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import job_rules
from ansible_collections.healtharchive.remediation.plugins.module_utils.job_rules import Commands, Wish
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.jobs import JOB_KEYS, KNOWN_STATUSES
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from hypothesis import given
from hypothesis import strategies as st

HEAD, NEWER = "ab" * 20, "cd" * 20
COMMANDS = Commands(("cli", "retry-job"), ("cli", "reset-retry-count"))
RETRY, RESET, BOTH = Wish(12, True, False), Wish(12, False, True), Wish(12, True, True)
STARTED, FINISHED = "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"


def job(status: str = "failed", **more: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {
        **dict.fromkeys(JOB_KEYS),
        "id": 12,
        "name": "hc-20261123",
        "source": "hc",
        "retry_count": 2,
    }
    found.update(status=status, started_at=STARTED, finished_at=FINISHED, read_from="admin_api")
    found.update(crawler_status="failed", crawler_exit_code=1)
    return {**found, **more}


def decide(a_job: Dict[str, Any], wish: Wish = RETRY, lock: str = "free", before: Any = ()) -> Any:
    try:
        return job_rules.decide(a_job, lock, wish, COMMANDS, before, HEAD)
    except Refusal as refusal:
        return refusal.code


# By status: what becomes of a retry, and of a reset of a count that is not 0. None: nothing is to be done.
TABLE: Dict[str, Tuple[Optional[str], Optional[str]]] = {
    "queued": (None, "reset"),
    "retryable": (None, "reset"),
    "failed": ("retryable", "reset"),
    "index_failed": ("completed", "job_not_resettable"),
    "completed": (None, "job_not_resettable"),
    "indexed": ("job_indexed", "job_not_resettable"),
    "running": ("job_running", "job_running"),
    "indexing": ("job_running", "job_running"),
    "weird_status_from_the_future": ("job_status_unknown", "job_status_unknown"),
}


def test_the_table_is_whole():
    assert set(TABLE) == {*KNOWN_STATUSES, "weird_status_from_the_future"}


@pytest.mark.parametrize("status", TABLE)
def test_a_retry(status):
    expected = TABLE[status][0]
    found = decide(job(status))
    if expected is None:
        assert isinstance(found, NothingToDo)
    elif expected in KNOWN_STATUSES:
        assert isinstance(found, Plan)
        assert (found.before["job 12"]["status"], found.after["job 12"]["status"]) == (status, expected)
        assert found.after["job 12"]["retry_count"] == 2
        assert (found.action, found.commands, found.subjects) == ("job_retry", (COMMANDS.retry,), ("job 12",))
    else:
        assert found == expected


@pytest.mark.parametrize("status", TABLE)
@pytest.mark.parametrize("more", [{"source": None}, {"config": {"tool_options": {"initial_workers": "abc"}}}], ids=str)
def test_a_job_that_the_worker_never_takes_up_waits_for_nothing(status, more):
    found = decide(job(status, **more))
    if status in ("queued", "retryable"):
        assert found == "job_not_taken_up"
        # The table of list-jobs shows neither.
        assert isinstance(decide(job(status, **more, read_from="cli")), NothingToDo)
    else:
        expected = decide(job(status))
        assert found == expected if isinstance(expected, str) else isinstance(found, type(expected))
    assert isinstance(decide(job("queued", config={"tool_options": {"initial_workers": "2"}})), NothingToDo)


@pytest.mark.parametrize("status", TABLE)
def test_a_reset(status):
    expected = TABLE[status][1]
    found = decide(job(status), RESET)
    if expected == "reset":
        assert found.after == {"job 12": {**found.before["job 12"], "retry_count": 0}}
        assert (found.action, found.commands, found.symptom) == ("job_reset", (COMMANDS.reset,), None)
        # The service would say "not found" and end with 1.
        assert isinstance(decide(job(status, retry_count=0), RESET), NothingToDo)
    else:
        assert found == expected


def test_both_are_one_plan_and_the_count_comes_first():
    """The worker may take the job at once, and must find its attempts."""
    assert decide(job(), BOTH).commands == (COMMANDS.reset, COMMANDS.retry)
    assert decide(job(retry_count=0), BOTH).commands == (COMMANDS.retry,)
    waiting = decide(job("retryable"), BOTH)
    assert (waiting.commands, waiting.action) == ((COMMANDS.reset,), "job_reset")
    assert isinstance(decide(job("retryable", retry_count=0), BOTH), NothingToDo)


@pytest.mark.parametrize(
    ("lock", "code"), [("held", "job_locked"), ("unknown", "job_lock_unknown"), ("odd", "job_lock_unknown")]
)
def test_a_lock_that_is_not_free(lock, code):
    assert decide(job(), lock=lock) == decide(job(), RESET, lock) == code
    assert isinstance(decide(job(), lock="absent"), Plan)


def test_it_says_that_nobody_indexes_a_completed_job():
    found = decide(job("index_failed"))
    assert "index it with recover_indexing" in found.expected_impact
    assert "recover_indexing" in decide(job("completed")).detail


@pytest.mark.parametrize(
    ("count", "words"), [(0, "up to 3"), (1, "up to 2"), (2, "one attempt"), (7, "one attempt"), (None, "30 s")]
)
def test_it_says_how_many_attempts_there_are(count, words):
    assert words in decide(job(retry_count=count)).expected_impact


def test_a_count_that_is_not_known_is_not_reset():
    assert decide(job(retry_count=None), RESET) == "job_unreadable"


NAMES = st.text(max_size=300)


@given(
    status=st.sampled_from([*TABLE, ""]) | st.text(max_size=20),
    count=st.none() | st.integers(),
    lock=st.sampled_from(["held", "free", "absent", "unknown"]),
    wish=st.sampled_from([RETRY, RESET, BOTH]),
    name=NAMES,
    source=st.none() | NAMES,
    read_from=st.sampled_from(["admin_api", "cli"]),
)
def test_whatever_a_job_is_only_what_waits_for_nobody_is_touched(status, count, lock, wish, name, source, read_from):
    """No crash; no plan for a job that somebody works on; the same job makes the same plan."""
    a_job = job(status, retry_count=count, name=name, source=source, read_from=read_from)
    found = decide(a_job, wish, lock)
    assert decide(a_job, wish, lock) == found
    if isinstance(found, Plan):
        assert status in ("failed", "index_failed", "queued", "retryable")
        assert lock in ("free", "absent")
        assert found.before != found.after
        for text in (found.objective, found.expected_impact, found.rollback, *found.remarks):
            assert text.isprintable()
            assert len(text) < 1000


# One retry for each deployed change.


def begun(
    action: str = "job_retry", head: str = HEAD, subject: str = "job 12", symptom: Any = "", number: int = 1
) -> Dict[str, Any]:
    symptom = job_rules.symptom(job()) if symptom == "" else symptom
    data = {"action_id": "a%d" % number, "action": action, "subjects": [subject], "symptom": symptom}
    return {"kind": "action_begun", "head": head, "at": "2026-11-23T12:00:0%dZ" % number, "data": data}


def finished(outcome: str, changed: Optional[bool], number: int = 1) -> Dict[str, Any]:
    data = {"action_id": "a%d" % number, "outcome": outcome, "changed": changed}
    return {"kind": "action_finished", "head": HEAD, "at": "2026-11-23T12:00:09Z", "data": data}


DONE = finished("applied", True)
OTHER = "failed: crawler_status infra_error_config, crawler_stage None, crawler_exit_code 2"


@pytest.mark.parametrize(
    ("before", "parked"),
    [
        ([], False),
        ([begun(), DONE], True),
        # What became of it is not known: it may have been retried.
        ([begun(number=2), finished("unknown", None, 2)], True),
        # It was cut off, and the job was last started before that: it was not retried.
        ([begun()], False),
        ([begun(), finished("unknown", None)], True),
        ([begun(), finished("failed", True)], True),
        # It was not retried.
        ([begun(), finished("failed", False)], False),
        ([begun(), finished("refused", False)], False),
        ([begun(), finished("nothing_to_do", False)], False),
        # At another commit, of another job, in another way, or no retry.
        ([begun(head=NEWER), DONE], False),
        ([begun(subject="job 1"), DONE], False),
        ([begun(symptom=OTHER), DONE], False),
        ([begun("job_reset"), DONE], False),
        # How it failed then is not known: that it was another way is not known either.
        ([begun(symptom=None), DONE], True),
        ([begun(), finished("failed", False), begun(number=2), finished("applied", True, 2)], True),
    ],
)
def test_a_second_failure_of_the_same_kind_parks_the_job(before: List[Dict[str, Any]], parked: bool):
    assert (decide(job(), before=before) == "parked") is parked
    assert isinstance(decide(job(), RESET, before=before), Plan)
    if parked:
        with pytest.raises(Refusal, match="contained"):
            job_rules.check_parked(job(), before, HEAD)


def test_a_retry_that_was_cut_off_counts_if_the_job_has_run_since():
    assert decide(job(started_at="2026-11-23T12:00:30Z"), before=[begun()]) == "parked"
    # When it was started is not known.
    assert decide(job(started_at=None), before=[begun()]) == "parked"


def test_it_is_parked_where_the_way_it_failed_cannot_be_seen():
    assert decide(job(read_from="cli"), before=[begun(), DONE]) == "parked"
    assert isinstance(decide(job(read_from="cli")), Plan)


def test_two_failures_are_the_same_only_if_all_that_is_known_is():
    first = job_rules.symptom(job())
    assert job_rules.symptom(job(finished_at="2026-11-24T11:00:00Z", retry_count=0)) == first
    for change in ({"crawler_exit_code": 2}, {"crawler_status": "infra_error"}, {"crawler_stage": "fresh_failed"}):
        assert job_rules.symptom(job(**change)) != first
    assert job_rules.symptom(job("index_failed")) not in (first, None)


# What is seen afterwards.

LATER = {"started_at": "2026-11-23T12:00:00Z", "finished_at": "2026-11-23T12:30:00Z"}


@pytest.mark.parametrize(
    ("now", "said_nothing", "outcome", "changed"),
    [
        ({"status": "retryable"}, False, "applied", True),
        ({"status": "running", **LATER}, False, "applied", True),
        ({"status": "indexed", **LATER}, False, "applied", True),
        ({"status": "retryable", "retry_count": 3, **LATER}, False, "applied", True),
        # Three attempts can be gone in three seconds.
        ({"status": "failed", **LATER}, False, "failed", True),
        # Exit code 0, and nothing was changed.
        ({"status": "failed"}, False, "failed", False),
        ({"status": "failed"}, True, "failed", False),
        ({"status": "retryable"}, True, "nothing_to_do", False),
        ({"status": "running"}, False, "unknown", None),
        ({"status": "indexed"}, True, "unknown", None),
        ({"status": "failed", "retry_count": 5}, False, "unknown", None),
    ],
)
def test_what_became_of_a_retry(now, said_nothing, outcome, changed):
    plan = decide(job())
    seen = job_rules.judge(plan.before["job 12"], plan.after["job 12"], job(**now), said_nothing)
    assert (seen.outcome, seen.changed) == (outcome, changed)
    assert (seen.code is None) is (outcome in ("applied", "nothing_to_do"))


@pytest.mark.parametrize(
    ("wish", "now", "outcome"),
    [
        (RESET, {"retry_count": 0}, "applied"),
        (RESET, {}, "failed"),
        (RESET, {"retry_count": 1}, "unknown"),
        (BOTH, {"status": "retryable", "retry_count": 0}, "applied"),
        # Only half of it.
        (BOTH, {"retry_count": 0}, "unknown"),
        (BOTH, {"status": "retryable"}, "unknown"),
        # The worker took it and it failed once.
        (BOTH, {"status": "retryable", "retry_count": 1, **LATER}, "applied"),
    ],
)
def test_what_became_of_a_reset(wish, now, outcome):
    plan = decide(job(), wish)
    assert job_rules.judge(plan.before["job 12"], plan.after["job 12"], job(**now), False).outcome == outcome


@pytest.mark.parametrize(
    ("now", "outcome"), [("completed", "applied"), ("index_failed", "failed"), ("indexed", "unknown")]
)
def test_what_became_of_a_retry_of_the_indexing(now, outcome):
    plan = decide(job("index_failed"))
    assert job_rules.judge(plan.before["job 12"], plan.after["job 12"], job(now), False).outcome == outcome


@given(
    before=st.sampled_from(["failed", "index_failed"]),
    now=st.sampled_from([*TABLE]),
    counts=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    ran=st.booleans(),
    said=st.booleans(),
    wish=st.sampled_from([RETRY, RESET, BOTH]),
)
def test_what_is_as_it_was_was_never_applied(before, now, counts, ran, said, wish):
    plan = decide(job(before, retry_count=counts[0]), wish)
    if not isinstance(plan, Plan):
        return
    seen_now = job(now, retry_count=counts[1], **(LATER if ran else {}))
    seen = job_rules.judge(plan.before["job 12"], plan.after["job 12"], seen_now, said)
    if job_rules.shown(seen_now) == plan.before["job 12"]:
        assert (seen.outcome, seen.changed) == ("failed", False)
    if job_rules.shown(seen_now) == plan.after["job 12"]:
        assert seen.outcome == ("nothing_to_do" if said else "applied")


@pytest.mark.parametrize(
    ("action", "now", "outcome", "changed"),
    [
        ("job_retry", {"status": "retryable"}, "applied", None),
        ("job_retry", {"status": "completed"}, "applied", None),
        ("job_retry", {"status": "failed"}, "failed", False),
        ("job_retry", {"status": "failed", "started_at": "2026-11-23T12:00:02Z"}, "applied", True),
        # In the very second in which it began: it cannot be told.
        ("job_retry", {"status": "failed", "started_at": "2026-11-23T12:00:01Z"}, "unknown", None),
        ("job_retry", {"status": "failed", "started_at": None}, "unknown", None),
        ("job_retry", {"status": "indexed"}, "unknown", None),
        ("job_reset", {"retry_count": 0}, "applied", None),
        ("job_reset", {"retry_count": 1}, "unknown", None),
    ],
)
def test_what_became_of_an_act_that_was_cut_off(action, now, outcome, changed):
    seen = job_rules.settle(action, "2026-11-23T12:00:01Z", job(**now))
    assert (seen.outcome, seen.changed) == (outcome, changed)


def test_all_combinations_end_in_a_word():
    outcomes = {
        type(decide(job(status, retry_count=count), wish, lock)).__name__
        for status, count, wish, lock in itertools.product(
            TABLE, (None, 0, 1), (RETRY, RESET, BOTH), ("free", "held", "unknown")
        )
    }
    assert outcomes == {"Plan", "NothingToDo", "str"}
