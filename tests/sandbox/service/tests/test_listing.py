# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""list-jobs, show-job, list-warcs: what they print, what they hide, what they write (contract 2.4, 2.5)."""

from __future__ import annotations

import json

import pytest

HEADER = (
    "ID  Source  Status       Backend          Rescue            Retries  "
    "Created_at           Started_at           Finished_at          Indexed\n"
)


def test_row_overflows_its_columns_and_ends_in_a_name_with_spaces(host):
    host.job(
        id=1001,
        name="name with  two spaces",
        status="index_failed",
        indexed_page_count=123456,
        created_at="2026-11-23T15:44:08Z",
        started_at="2026-11-23T10:44:08Z",
        finished_at="2026-11-23T14:44:08Z",
    )
    assert host.cli("list-jobs").stdout == HEADER + (
        "1001 hc     index_failed browsertrix      normal            0       2026-11-23 15:44:08 "
        "2026-11-23 10:44:08 2026-11-23 14:44:08 123456 name with  two spaces\n"
    )


def test_missing_times_and_an_empty_name(host):
    host.job(id=1006, name="", status="indexed", created_at="2026-11-23T15:44:08Z")
    assert host.cli("list-jobs").stdout == HEADER + (
        "1006 hc     indexed     browsertrix      normal            0       2026-11-23 15:44:08 "
        "None                None                0 \n"
    )


def test_a_newline_in_a_name_breaks_the_line(host):
    host.job(name="first\nsecond")
    assert host.cli("list-jobs").stdout.endswith(" 0 first\nsecond\n")


def test_times_follow_the_session_without_saying_so(host):
    host.job(created_at="2026-11-23T15:44:08Z")
    assert "2026-11-23 15:44:08" in host.cli("list-jobs", PGTZ="UTC").stdout
    assert "2026-11-23 10:44:08" in host.cli("list-jobs", PGTZ="America/Toronto").stdout


@pytest.mark.parametrize("words", [["--status", "runing"], ["--source", "nobody"], ["--limit", "0"]])
def test_nothing_found_is_one_sentence(host, words):
    host.job()
    assert host.cli("list-jobs", *words).stdout == "No jobs found.\n"


def test_a_job_without_a_source_is_listed_nowhere_but_shown(host):
    job_id = host.job(source_id=None, name="orphan", status="running")
    assert host.cli("list-jobs").stdout == "No jobs found.\n"
    assert "Source:          ? (?)\n" in host.cli("show-job", "--id", job_id).stdout


def test_one_bad_row_ends_every_listing_in_a_traceback(host):
    host.job()
    assert host.cli("list-jobs").returncode == 0
    host.job(config={"tool_options": {"initial_workers": "abc"}})
    finished = host.cli("list-jobs")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("Traceback")


def test_negative_limit_is_a_traceback(host):
    finished = host.cli("list-jobs", "--limit", "-1")
    assert (finished.returncode, finished.stdout) == (1, "")


def test_showing_a_job_rewrites_the_state_of_its_crawl(host, tmp_path):
    job_id = host.job(status="running")
    directory = tmp_path / "jobs" / "job-1"
    (directory / ".tmpone").mkdir(parents=True)
    state = directory / ".archive_state.json"
    live = {"current_workers": 3, "initial_workers": 3, "error_counts": {"timeout": 7, "http": 0, "other": 0}}
    state.write_text(json.dumps({**live, "temp_dirs": [str(directory / ".tmpone"), str(directory / ".tmptwo")]}))
    assert host.cli("show-job", "--id", job_id).returncode == 0
    written = json.loads(state.read_text())
    assert (written["current_workers"], written["initial_workers"]) == (1, 1)
    assert written["error_counts"] == {"timeout": 0, "http": 0, "other": 0}
    assert written["temp_dirs"] == [str(directory / ".tmpone")]


def test_no_warcs_is_said_like_success(host):
    job_id = host.job()
    finished = host.cli("list-warcs", "--id", job_id, "--json")
    assert finished.returncode == 0
    wanted = {"job_id": job_id, "source": "stable", "manifest_valid": True, "count": 0, "warcs": []}
    assert json.loads(finished.stdout) == wanted


def test_without_a_database_url_a_local_file_answers(host, tmp_path):
    finished = host.cli("check-db", HEALTHARCHIVE_DATABASE_URL=None)
    assert finished.returncode == 0
    assert "Database URL: sqlite:////" in finished.stdout
    assert finished.stdout.endswith("Database connection OK.\n")
    finished = host.cli("list-jobs", HEALTHARCHIVE_DATABASE_URL=None)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "sqlite3.OperationalError) no such table: archive_jobs" in finished.stderr
    finished = host.cli("recover-stale-jobs", "--older-than-minutes", "5", HEALTHARCHIVE_DATABASE_URL=None)
    assert finished.returncode == 1
    assert finished.stderr.startswith("ERROR: ")
    assert "Traceback" not in finished.stderr


def test_an_empty_database_url_is_not_an_absent_one(host):
    finished = host.cli("check-db", HEALTHARCHIVE_DATABASE_URL="")
    assert finished.returncode == 1
    assert "Could not parse SQLAlchemy URL from given URL string" in finished.stderr


def test_a_database_that_is_down(host):
    url = "postgresql+psycopg://healtharchive:secret@127.0.0.1:1/healtharchive"
    finished = host.cli("list-jobs", HEALTHARCHIVE_DATABASE_URL=url)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "(psycopg.OperationalError) connection failed: connection to server at" in finished.stderr
    finished = host.cli("check-db", HEALTHARCHIVE_DATABASE_URL=url)
    assert finished.returncode == 1
    assert finished.stderr == ""
    assert "\nERROR: " in finished.stdout
    assert "secret" not in finished.stdout
    for command in ("status", "watchdog-status"):
        finished = host.cli(command, HEALTHARCHIVE_DATABASE_URL=url)
        assert finished.returncode == 0
        assert "\x1b[31mDatabase error\x1b[0m" in finished.stdout


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["show-job"], ["list-jobs", "--limit", "x"]])
def test_wrong_usage(host, words):
    finished = host.cli(*words)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "error:" in finished.stderr
