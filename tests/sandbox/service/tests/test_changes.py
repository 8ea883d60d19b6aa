# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that change jobs: their texts, streams and exit codes (contract 2.6, 2.7)."""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager

import pytest


@contextmanager
def held_lock(directory, job_id):
    """Hold a job's lock from outside."""
    directory.mkdir(exist_ok=True)
    with (directory / f"job-{job_id}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize(
    ("status", "after", "code", "stdout", "stderr"),
    [
        ("failed", "retryable", 0, "Job 1 marked as retryable for crawl.\n", ""),
        ("index_failed", "completed", 0, "Job 1 marked for re-indexing (status set to completed).\n", ""),
        ("running", "running", 0, "", "Job 1 is in status 'running'; nothing to retry.\n"),
    ],
)
def test_retry_job(host, status, after, code, stdout, stderr):
    job_id = host.job(status=status)
    finished = host.cli("retry-job", "--id", job_id)
    assert (finished.returncode, finished.stdout, finished.stderr) == (code, stdout, stderr)
    assert host.status(job_id) == after


def test_retry_job_that_does_not_exist(host):
    finished = host.cli("retry-job", "--id", 9999)
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "", "ERROR: Job 9999 not found.\n")


def test_reset_retry_count_does_not_find_what_is_already_zero(host):
    job_id = host.job(status="failed", retry_count=2)
    first = host.cli("reset-retry-count", "--id", job_id, "--apply")
    assert first.returncode == 0
    assert (
        "\njob_id=1 source=hc status=failed retry_count 2 -> 0\nApplied: updated retry_count for 1 job(s).\n"
        in first.stdout
    )
    second = host.cli("reset-retry-count", "--id", job_id, "--apply")
    assert (second.returncode, second.stderr) == (1, "ERROR: job(s) not found: 1\n")


def test_reset_retry_count_leaves_a_running_job_alone(host):
    job_id = host.job(status="running", retry_count=1)
    finished = host.cli("reset-retry-count", "--id", job_id, "--apply")
    assert finished.returncode == 0
    assert finished.stdout.endswith(
        "Skipping jobs that are not safe to modify:\n- job_id=1 source=hc (status=running)\n"
        "No eligible jobs matched safety checks.\n"
    )


def test_patch_accepts_any_value_and_drops_the_campaign(host):
    config = {"seeds": ["https://hc.example.org/"], "campaign_kind": "annual", "tool_options": {"initial_workers": 1}}
    job_id = host.job(status="failed", config=config)
    words = ("patch-job-config", "--id", job_id, "--set-tool-option", "initial_workers=abc")
    dry = host.cli(*words)
    assert dry.stdout == (
        "Config changes:\n  initial_workers: 1 -> abc\n[DRY RUN] No changes applied. Use --apply to save changes.\n"
    )
    assert host.cli("list-jobs").returncode == 0
    assert host.cli(*words, "--apply").returncode == 0
    stored = host.sql("SELECT config FROM archive_jobs")
    assert set(stored) == {"seeds", "zimit_passthrough_args", "tool_options", "execution_policy"}
    assert host.cli("list-jobs").returncode == 1


def test_patch_refuses_other_statuses(host):
    job_id = host.job(status="indexed")
    finished = host.cli("patch-job-config", "--id", job_id, "--set-tool-option", "initial_workers=3")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "ERROR: Cannot patch job in status 'indexed'. "
        "Only jobs in status ('queued', 'retryable', 'failed') can be patched.\n"
    )


def test_recovery_dry_run_creates_lock_files_and_changes_no_row(host):
    job_id = host.job(status="running", started_at="2026-01-01T00:00:00Z")
    finished = host.cli("recover-stale-jobs", "--older-than-minutes", 180)
    assert finished.returncode == 0
    assert finished.stdout.endswith("Dry-run only; re-run with --apply to mark these jobs as retryable.\n")
    assert "job_id=1 source=hc status=running started_at=2026-01-01T00:00:00+00:00 age_min=" in finished.stdout
    lock = host.locks / f"job-{job_id}.lock"
    assert oct(lock.stat().st_mode)[-4:] == "0666"
    assert oct(host.locks.stat().st_mode)[-4:] == "1777"
    assert host.status(job_id) == "running"


def test_recovery_applies_once(host):
    job_id = host.job(status="running", started_at="2026-01-01T00:00:00Z", retry_count=1)
    words = ("recover-stale-jobs", "--older-than-minutes", 180, "--apply")
    assert host.cli(*words).stdout.endswith("Recovered 1 job(s) (set status=retryable).\n")
    assert host.status(job_id) == "retryable"
    assert host.sql("SELECT retry_count FROM archive_jobs") == 1
    assert host.cli(*words).stdout.endswith("No stale running jobs found.\n")


def test_the_limit_cuts_before_locks_are_looked_at(host):
    locked = host.job(status="running", started_at="2026-01-01T00:00:00Z")
    free = host.job(status="running", started_at="2026-01-01T00:00:00Z")
    with held_lock(host.locks, locked):
        finished = host.cli("recover-stale-jobs", "--older-than-minutes", 5, "--limit", 1, "--apply")
        assert f"- job_id={locked} (lock held: {host.locks}/job-{locked}.lock)\n" in finished.stdout
        assert "No stale running jobs matched the safety checks. Hint: " in finished.stdout
        assert host.status(free) == "running"
        assert host.cli("recover-stale-jobs", "--older-than-minutes", 5, "--apply").returncode == 0
    assert (host.status(locked), host.status(free)) == ("running", "retryable")


def test_another_lock_directory_defeats_the_lock(host, tmp_path):
    job_id = host.job(status="running", started_at="2026-01-01T00:00:00Z")
    other = str(tmp_path / "other")
    with held_lock(host.locks, job_id):
        host.cli("recover-stale-jobs", "--older-than-minutes", 5, "--apply", HEALTHARCHIVE_JOB_LOCK_DIR=other)
    assert host.status(job_id) == "retryable"


def test_rows_that_never_started_are_left_out_unless_asked_for(host):
    job_id = host.job(source_id=None, status="running", name="never")
    words = ("recover-stale-jobs", "--older-than-minutes", 5)
    assert host.cli(*words).stdout.endswith("No stale running jobs found.\n")
    line = (
        f"job_id={job_id} source=? status=running started_at=None age_min=None last_progress_age_seconds=- name=never\n"
    )
    assert line in host.cli(*words, "--include-missing-started-at").stdout


@pytest.mark.parametrize("option", ["--older-than-minutes", "--require-no-progress-seconds", "--limit"])
def test_recovery_wants_positive_numbers(host, option):
    finished = host.cli("recover-stale-jobs", "--older-than-minutes", 5, option, 0)
    assert (finished.returncode, finished.stderr) == (2, f"ERROR: {option} must be > 0.\n")


def test_reset_crawl_state_finds_the_file_that_it_creates(host, tmp_path):
    job_id = host.job(status="failed")
    (tmp_path / "jobs" / "job-1").mkdir(parents=True)
    finished = host.cli("reset-crawl-state", "--id", job_id)
    assert finished.returncode == 0
    assert "State file: 1\n" in finished.stdout
    assert json.loads((tmp_path / "jobs" / "job-1" / ".archive_state.json").read_text())["current_workers"] == 1


def test_create_job_for_an_unknown_source_is_a_traceback(host):
    finished = host.cli("create-job", "--source", "nobody")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("Traceback")


def test_reconciling_brings_the_campaign_back(host):
    job_id = host.job(name="hc-20260101", status="retryable")
    words = ("reconcile-annual-tool-options", "--year", 2026, "--sources", "hc")
    assert f"hc: job_id={job_id} name=hc-20260101 WOULD UPDATE\n" in host.cli(*words).stdout
    assert "  campaign_kind: None -> annual\n" in host.cli(*words, "--apply").stdout
    assert host.sql("SELECT config FROM archive_jobs")["campaign_year"] == 2026
    assert host.cli(*words).stdout == f"hc: job_id={job_id} name=hc-20260101 UNCHANGED\n"
