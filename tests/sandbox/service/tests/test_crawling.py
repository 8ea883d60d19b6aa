# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker, the crawler and indexing (contract 2.2, 2.3)."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

from conftest import BIN


def wait_until(condition, seconds=10.0):
    """Wait for a condition; the deadline is an error."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition was not met in time"
        time.sleep(0.02)


def lock_is_free(path: Path) -> bool:
    """Probe without creating."""
    with path.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_worker_crawls_and_indexes(host, indexed):
    job_id = indexed()
    assert host.sql("SELECT count(*) FROM snapshots WHERE job_id = :id", id=job_id) == 5
    assert host.sql("SELECT crawler_status FROM archive_jobs") == "success"


def test_first_run_drops_campaign_metadata(host):
    config = {"seeds": ["https://hc.example.org/"], "campaign_kind": "annual", "campaign_year": 2026}
    job_id = host.job(config=config)
    assert host.cli("run-db-job", "--id", job_id).returncode == 0
    assert set(host.sql("SELECT config FROM archive_jobs")) == {
        "seeds", "zimit_passthrough_args", "tool_options", "execution_policy",
    }  # fmt: skip
    assert host.status(job_id) == "completed"


def test_worker_leaves_completed_jobs_alone(host):
    job_id = host.job(status="completed")
    host.cli("start-worker", "--once")
    assert host.status(job_id) == "completed"


def test_three_attempts_then_failed(host):
    seeds = ["https://hc.example.org/"]
    job_id = host.job(config={"seeds": seeds, "tool_options": {"simulated_exit_code": 7}})
    seen = []
    for _attempt in range(3):
        host.cli("start-worker", "--once")
        seen.append((host.status(job_id), host.sql("SELECT retry_count FROM archive_jobs")))
    assert seen == [("retryable", 1), ("retryable", 2), ("failed", 2)]


def test_unknown_browser_option_is_a_configuration_error(host):
    config = {"seeds": ["https://hc.example.org/"], "zimit_passthrough_args": ["--extraChromeArgs", "--disable-http2"]}
    job_id = host.job(config=config)
    host.cli("start-worker", "--once")
    assert host.status(job_id) == "failed"
    assert host.sql("SELECT crawler_status FROM archive_jobs") == "infra_error_config"
    assert host.sql("SELECT crawler_exit_code FROM archive_jobs") == 2


def test_running_crawl_holds_the_lock_and_killing_it_leaves_the_row_running(host, tmp_path):
    config = {"seeds": ["https://hc.example.org/"], "tool_options": {"simulated_seconds": 600}}
    job_id = host.job(config=config)
    lock, directory = host.locks / f"job-{job_id}.lock", tmp_path / "jobs" / "job-1"
    runner = subprocess.Popen(
        [BIN / "healtharchive", "run-db-job", "--id", str(job_id)], env=host.environment, start_new_session=True
    )
    try:
        wait_until(lambda: list(directory.glob("archive_initial_crawl_-_attempt_1_*.combined.log")))
        assert not lock_is_free(lock)
        assert host.status(job_id) == "running"
        refused = host.cli("run-db-job", "--id", job_id)
        assert (refused.returncode, refused.stderr) == (1, "ERROR: Job 1 has status 'running' and is not runnable.\n")
        host.sql("UPDATE archive_jobs SET status = 'retryable'")
        refused = host.cli("run-db-job", "--id", job_id)
        assert refused.stderr == f"ERROR: Job 1 appears to already be running (lock held): {lock}\n"
        host.cli("start-worker", "--once")
        assert host.status(job_id) == "running"
    finally:
        os.killpg(runner.pid, signal.SIGTERM)
        runner.wait()
    wait_until(lambda: lock_is_free(lock))
    assert host.status(job_id) == "running"


def test_worker_heals_a_row_that_never_started(host):
    job_id = host.job(source_id=None, status="running")
    host.cli("start-worker", "--once")
    assert host.status(job_id) == "retryable"
    assert host.sql("SELECT crawler_stage FROM archive_jobs") == "recovered_stale_running"


def test_an_annual_job_that_cannot_be_tiered_blocks_the_queue(host, tmp_path):
    blocked = host.job(
        name="hc-20260101",
        queued_at="2026-01-01T00:00:00Z",
        config={"seeds": ["https://a.invalid/"], "campaign_kind": "annual"},
    )
    behind = host.job(queued_at="2026-01-02T00:00:00Z")
    (tmp_path / "jobs" / "job-1").mkdir(parents=True)
    for _iteration in range(2):
        finished = host.cli("start-worker", "--once")
        assert finished.returncode == 0
        assert "Unexpected error in worker iteration: Annual output tiering failed" in finished.stderr
    assert (host.status(blocked), host.status(behind)) == ("queued", "queued")


def test_a_directory_that_cannot_be_made_costs_an_attempt(host, tmp_path):
    directory = tmp_path / "jobs" / "job-1"
    directory.write_text("not a directory")
    job_id = host.job()
    finished = host.cli("start-worker", "--once")
    assert finished.returncode == 0
    assert (host.status(job_id), host.sql("SELECT retry_count FROM archive_jobs")) == ("retryable", 1)


def test_a_truncated_warc_is_indexed_without_a_word(host, indexed, tmp_path):
    job_id = indexed()
    warc = Path(host.cli("list-warcs", "--id", job_id).stdout.strip())
    warc.write_bytes(warc.read_bytes()[: warc.stat().st_size // 2])
    finished = host.cli("index-job", "--id", job_id)
    assert (finished.returncode, finished.stdout) == (0, "")
    assert 0 < host.sql("SELECT count(*) FROM snapshots") < 5
    finished = host.cli("verify-warcs", "--id", job_id)
    assert finished.returncode == 1
    assert finished.stdout.startswith("Summary: total=1 checked=1 ok=0 failed=1\nFailures:\n")
    ending = "kind=corrupt_or_unreadable error=Compressed file ended before the end-of-stream marker was reached\n"
    assert f"- path={warc} {ending}" in finished.stdout
    assert host.cli("verify-warcs", "--id", job_id, "--level", 0).returncode == 0


def test_indexing_again_makes_new_snapshots(host, indexed):
    job_id = indexed()
    before = host.sql("SELECT max(id) FROM snapshots")
    assert host.cli("index-job", "--id", job_id).returncode == 0
    assert host.sql("SELECT min(id) FROM snapshots") > before


def test_indexing_an_empty_directory_fails_the_job(host, tmp_path):
    job_id = host.job(status="completed")
    (tmp_path / "jobs" / "job-1").mkdir(parents=True)
    finished = host.cli("index-job", "--id", job_id, HEALTHARCHIVE_LOG_LEVEL="WARNING")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert f"healtharchive.indexing [-]: No WARC files discovered for job {job_id} in " in finished.stderr
    assert host.status(job_id) == "index_failed"


def test_indexing_a_failed_job_is_refused(host):
    job_id = host.job(status="failed")
    finished = host.cli("index-job", "--id", job_id)
    assert finished.returncode == 1
    assert finished.stderr == (
        "ERROR: ArchiveJob 1 is in status 'failed', expected one of 'completed', 'index_failed', or 'indexed'.\n"
    )
    assert host.status(job_id) == "failed"


def test_cleanup_deletes_warcs_by_default_and_keeps_them_when_told(host, indexed):
    job_id = indexed()
    refused = host.cli(
        "cleanup-job", "--id", job_id, HEALTHARCHIVE_REPLAY_BASE_URL="https://replay.archive.example.org"
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("Refusing to run cleanup-job --mode temp because replay is enabled")
    kept = host.cli("cleanup-job", "--id", job_id, "--mode", "temp-nonwarc")
    assert (kept.returncode, kept.stdout) == (0, "")
    stable = host.cli("list-warcs", "--id", job_id).stdout.strip()
    assert stable.endswith("/warcs/warc-000001.warc.gz")
    assert Path(stable).exists()
    assert host.sql("SELECT DISTINCT warc_path FROM snapshots") == stable
