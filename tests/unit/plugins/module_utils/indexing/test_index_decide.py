# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which job is indexed, which is not, and what the plan of it says."""

from __future__ import annotations

import itertools
import shlex
import sys
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing import decide
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing.facts import NAME, Directory, Process
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.jobs import KNOWN_STATUSES
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal

sys.path.insert(0, str(Path(__file__).parent))

from index_samples import TOP, WHERE, WISH, facts, snapshots, warc, warcs


def decided(found, wish=WISH, done_before=None):
    nothing = decide.check_row(found, wish, done_before)
    if nothing is not None:
        return nothing
    return decide.plan(found, decide.check_files(found, WHERE), wish, WHERE)


def code(found, wish=WISH, done_before=None):
    """Of the refusal; what it is where it is none."""
    try:
        answer = decided(found, wish, done_before)
    except Refusal as refusal:
        return refusal.code if refusal.next_step else "no next step"
    return "planned" if isinstance(answer, Plan) else "nothing_to_do"


BY_STATUS = {
    "completed": "planned",
    "index_failed": "planned",
    "indexed": "job_indexed",
    "running": "job_running",
    "indexing": "job_running",
    "queued": "job_not_crawled",
    "retryable": "job_not_crawled",
    "failed": "job_not_crawled",
    "paused": "job_status_unknown",
}


@pytest.mark.parametrize("status", sorted({*KNOWN_STATUSES, "paused"}))
def test_what_is_done_with_a_job_of_each_status(status):
    assert code(facts(status=status)) == BY_STATUS[status]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "is taken up by the worker."),
        ({"worker": False}, "recover_services"),
        ({"source": None}, "it has no source"),
        ({"config": {"tool_options": {"depth": "abc"}}}, "depth=abc"),
        ({"status": "failed", "source": None}, "recover_failed_jobs"),
    ],
    ids=str,
)
def test_what_a_job_that_was_not_crawled_waits_for(more, expected):
    with pytest.raises(Refusal) as refused:
        decided(facts(**{"status": "queued", "worker": True, **more}))
    assert expected in refused.value.next_step


def test_an_indexed_job_is_indexed_anew_only_when_that_is_said():
    found = facts(status="indexed", indexed_pages=2, snapshots=snapshots(2))
    assert code(found) == "job_indexed"
    planned = decided(found, WISH._replace(reindex=True))
    assert isinstance(planned, Plan)
    assert "REPLACED: 2 snapshots" in planned.expected_impact
    assert planned.objective.startswith("Index anew job 12")
    # The same command again converges: this incident has done it.
    assert isinstance(decided(found, WISH, "2026-11-23T12:00:00Z"), NothingToDo)
    # What contradicts itself is not well, whoever did it.
    for pages, there in ((2, 3), (0, 0), (None, 2)):
        assert (
            code(facts(status="indexed", indexed_pages=pages, snapshots=snapshots(there)), WISH, "now") == "job_indexed"
        )


@pytest.mark.parametrize(
    ("runs", "busy", "newest", "ended", "status"),
    list(
        itertools.product(
            (True, False), (True, False, None), (12, 13, None), (10.0, 7200.0, None), ("completed", "index_failed")
        )
    ),
)
def test_the_worker_indexes_by_itself_only_the_crawl_that_ended_last(runs, busy, newest, ended, status):
    found = facts(worker=runs, worker_busy=busy, newest=newest, finished_seconds=ended, status=status)
    may_be_it = runs and status == "completed" and newest == 12
    expected = "worker_indexing" if may_be_it and (busy is not False or ended == 10.0) else "planned"
    assert code(found) == expected
    if expected == "planned" and runs:
        remarks = " ".join(decided(found).remarks)
        assert "would not take it up by itself" in remarks
        assert ("It has a transaction open now" in remarks) is bool(busy)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (facts(lock="held"), "job_locked"),
        (facts(lock="unknown"), "job_lock_unknown"),
        (facts(lock="absent"), "planned"),
        (facts(processes=(Process(7, 12, "user.slice"),)), "indexing_running"),
        (facts(processes=(Process(7, None, None),)), "indexing_running"),
        (facts(processes=(Process(7, 13, None),)), "planned"),
        (facts(directory=None), "storage_first"),
        (facts(directory=Directory("mount", "the hot path is stale")), "storage_first"),
        (facts(directory=Directory("missing", "it is not there"), warcs=None), "warcs_missing"),
        (facts(directory=Directory("unknown", "no path"), warcs=None), "warcs_missing"),
        (facts(warcs=warcs()._replace(files=(), all_files=0)), "warcs_missing"),
        (facts(warcs=warcs(warc(1), warc(2, problem="it is empty"))), "warcs_damaged"),
        (facts(warcs=warcs(warc(1), warc(2, verified=False))), "planned"),
        # The service counted two when it looked last.
        (facts(warcs=warcs(warc(1))), "warcs_missing"),
        (facts(warcs=warcs(warc(1), all_files=2)), "planned"),
        (facts(warcs=warcs(warc(1)), warc_files=0), "planned"),
        # By the manifest.
        (facts(warcs=warcs(promised={"warc-000001.warc.gz": 1000, "warc-000002.warc.gz": None})), "planned"),
        (facts(warcs=warcs(promised={"warc-000003.warc.gz": 1})), "warcs_missing"),
        (facts(warcs=warcs(promised={"warc-000001.warc.gz": 1001})), "warcs_missing"),
        # Snapshots of an earlier indexing point to it.
        (facts(snapshots=snapshots(4, TOP + "/warcs/warc-000009.warc.gz")), "warcs_missing"),
        (facts(snapshots=snapshots(4)), "planned"),
    ],
)
def test_who_is_at_work_on_it_and_what_its_files_are(found, expected):
    assert code(found) == expected


def test_what_is_damaged_is_a_persons_with_commands_that_can_be_pasted():
    found = facts(warcs=warcs(warc(1, problem="ended before the end-of-stream marker"), warc(2)))
    with pytest.raises(Refusal) as refused:
        decided(found)
    assert "warc-000001.warc.gz: ended before" in str(refused.value)
    for words in (
        "Nothing was touched",
        "verify-warcs --id 12 --level 2",
        "--apply-quarantine",
        "sudo -u haadmin bash -c",
    ):
        assert words in refused.value.next_step
    line = refused.value.next_step.split("all of it: ")[1].split(". 2.")[0]
    assert shlex.split(line)[:5] == ["sudo", "-u", "haadmin", "bash", "-c"]
    assert shlex.split(shlex.split(line)[5])[:3] == ["set", "-a;", "source"]
    assert line == refused.value.evidence["next"]["on_host"]
    assert len(refused.value.evidence["next"]["why"]) <= 400
    # The service quarantines no file of a job that has snapshots.
    with pytest.raises(Refusal) as refused:
        decided(found._replace(snapshots=snapshots(3)))
    assert "--apply-quarantine" not in refused.value.next_step


def test_the_plan_says_what_is_run_and_what_it_writes():
    planned = decided(facts())
    (argv,) = planned.commands
    assert argv[0] == "/usr/bin/systemd-run"
    assert argv[-4:] == ("/opt/healtharchive/.venv/bin/healtharchive", "index-job", "--id", "12")
    assert "--unit=" + NAME in argv
    assert "--uid=haadmin" in argv
    assert "--property=EnvironmentFile=/etc/healtharchive/backend.env" in argv
    assert "--property=ExecStartPre=/opt/healtharchive/.venv/bin/healtharchive verify-warcs --id 12 --level 1" in argv
    assert not any("quarantine" in word for word in argv)
    assert "warc_verify/" in planned.expected_impact
    # As much as a summary shows of it.
    assert len(planned.expected_impact) <= 400
    assert ".archive_state.json" not in planned.expected_impact
    assert ".archive_state.json" in decided(facts(warcs=warcs(kind="temporary"))).expected_impact
    assert planned.subjects == ("job 12",)
    assert planned.before["job 12"]["warc_files"] == 2
    assert "systemctl stop " + NAME in planned.rollback


def test_how_much_was_read_for_the_plan_makes_no_other_plan():
    first, second = decided(facts()), decided(facts(warcs=warcs(warc(1), warc(2, verified=False))))
    assert first != second
    assert first._replace(remarks=()) == second._replace(remarks=())
    # Another file does.
    assert decided(facts(warcs=warcs(warc(1), warc(2, size=1001))))._replace(remarks=()) != first._replace(remarks=())


def event(kind, incident="i", action_id="a", **data):
    known = {"action_id": action_id, "action": "indexing", "subjects": ["job 12"], "outcome": "applied", **data}
    return {"kind": kind, "incident": incident, "at": "2026-11-23T12:00:00Z", "data": known}


@pytest.mark.parametrize(
    ("begun", "finished", "expected"),
    [
        ({}, {}, "2026-11-23T12:00:00Z"),
        ({"incident": "j"}, {}, None),
        ({"action": "storage"}, {}, None),
        ({"subjects": ["job 1"]}, {}, None),
        ({}, {"outcome": "failed"}, None),
        ({}, {"action_id": "b"}, None),
    ],
)
def test_what_this_incident_has_done_is_known_by_the_record(begun, finished, expected):
    events = [event("action_begun", **begun), event("action_finished", **finished)]
    assert decide.indexed_in("i", 12, events) == expected


def test_sizes_are_told_as_people_say_them():
    told = [decide._bytes(size) for size in (0, 1023, 1024, 5 * 1024**2, 3 * 1024**4)]
    assert told == ["0 B", "1023 B", "1.0 KiB", "5.0 MiB", "3072.0 GiB"]
