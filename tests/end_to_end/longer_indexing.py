# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test` leaves out of the recovery of indexing: `make indexing`."""

from __future__ import annotations

import pytest

from .indexing import CUT, LOCK, RELEASE, UNIT, WHOLE, asked, differing, ended, files, number, row, unindexed
from .storage import HELPERS

OVERRIDE = {"budget_override_reason": "It is tried once more"}
LOCK_AGAIN = "nobody() { [ $(sql 'SELECT count(*) FROM pg_locks WHERE NOT granted') = 0 ]; }; wait_until 10 nobody\n"
INDEXES = "indexes() { pgrep --full 'index-job --id %d'; }; wait_until 20 indexes\n"


@pytest.fixture
def incident(host, tmp_path, broken):
    yield from unindexed(host, tmp_path, broken)


def begun(host, incident, job, **said):
    planned = asked(host, incident, job, **said)
    assert planned["outcome"] == "planned", planned
    return asked(host, incident, job, approve=planned["plan_id"], **said)


def test_a_file_that_only_the_unit_has_read(host, incident):
    """More files than can be read for a plan: verify-warcs finds it, and nothing is indexed."""
    job = number(host)
    before = files(host)
    host.root(HELPERS + CUT)
    assert begun(host, incident, job, unread=True)["outcome"] == "running"
    done = ended(host, incident, job, unread=True)
    assert (done["outcome"], done["settled"][0]["outcome"]) == ("planned", "refused"), done
    assert "verify-warcs found 1 of 1 WARC file not whole" in done["settled"][0]["detail"]
    assert row(host, job) == ["completed", "0", "0", ""]
    host.root(HELPERS + WHOLE)
    assert {path.partition("/")[0] for path in differing(before, files(host))} <= {".archive_state.json", "warc_verify"}
    # It has cost nothing: the same may be done when the file is whole again.
    assert begun(host, incident, job)["outcome"] == "running"
    assert ended(host, incident, job)["settled"][0]["outcome"] == "applied"


def test_killed_in_its_transaction_and_run_again(host, incident):
    job = number(host)
    before = files(host)
    host.root(LOCK)
    assert begun(host, incident, job)["outcome"] == "running"
    host.root(HELPERS + INDEXES % job + "systemctl kill --signal=KILL %s" % UNIT)
    again = ended(host, incident, job)
    assert (again["outcome"], again["settled"][0]["outcome"]) == ("planned", "failed"), again
    assert row(host, job) == ["completed", "0", "0", ""]
    host.root(RELEASE)
    assert asked(host, incident, job, approve=again["plan_id"], **OVERRIDE)["outcome"] == "running"
    assert ended(host, incident, job)["settled"][0]["outcome"] == "applied"
    assert row(host, job)[:3] == ["indexed", "5", "5"]
    assert {path.partition("/")[0] for path in differing(before, files(host))} <= {".archive_state.json", "warc_verify"}


def test_indexed_anew_and_its_snapshots_have_other_ids(host, incident):
    job = number(host)
    assert begun(host, incident, job)["outcome"] == "running"
    assert ended(host, incident, job)["settled"][0]["outcome"] == "applied"
    status, _pages, _count, newest = row(host, job)
    assert status == "indexed"
    planned = asked(host, incident, job, reindex=True)
    assert "REPLACED: 5 snapshots" in planned["plan"]["expected_impact"]
    assert asked(host, incident, job, reindex=True, approve=planned["plan_id"], **OVERRIDE)["outcome"] == "running"
    done = ended(host, incident, job, approve=planned["plan_id"])
    assert (done["outcome"], row(host, job)[:3]) == ("applied", ["indexed", "5", "5"]), done
    assert "5 snapshots were replaced" in done["detail"]
    assert int(row(host, job)[3]) > int(newest)


def test_whoever_else_indexes_it_is_named(host, incident):
    """By hand, in a person's shell; and by the worker, which has just crawled it."""
    job = number(host)
    host.root(LOCK)
    host.root(HELPERS + "service index-job --id %d >/dev/null 2>&1 & disown\n" % job + INDEXES % job)
    refused = asked(host, incident, job)
    assert refused["code"] == "indexing_running", refused
    host.root("pkill --signal KILL --full 'index-job --id %d'" % job)
    # Its server process waits on for the table, and has the row, until the table is let go.
    host.root(RELEASE + HELPERS + LOCK_AGAIN + LOCK)
    crawl = "sql \"UPDATE archive_jobs SET status = 'queued', queued_at = '2000-01-01' WHERE id = %d\"\n" % job
    host.root(
        HELPERS
        + "systemctl stop healtharchive-worker\n"
        + crawl
        + "start_worker\nwait_until 40 job_is completed %d" % job
    )
    refused = asked(host, incident, job)
    assert refused["code"] == "worker_indexing", refused
    host.root(RELEASE)
    host.root(HELPERS + "wait_until 20 job_is indexed %d" % job)
    # Not by us: in the name of this incident nothing was indexed.
    assert asked(host, incident, job)["code"] == "job_indexed"


def test_a_dead_mount_comes_first(host, incident, broken):
    """A job whose directory lies on the storage box: nothing of it is read."""
    host.root(HELPERS + "sql \"UPDATE archive_jobs SET status = 'index_failed' WHERE id IN (1, 3)\"")
    assert asked(host, incident, 1)["outcome"] == "planned"
    broken("hot_path_stale")
    assert [asked(host, incident, job)["code"] for job in (1, 3)] == ["storage_first", "storage_first"]
    host.root(HELPERS + "sql \"UPDATE archive_jobs SET status = 'indexed' WHERE id IN (1, 3)\"")
