# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Crawl jobs, as the CLI and the admin API list them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import jobs
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


def test_rows_whose_fields_overflow_their_columns() -> None:
    found = jobs.list_jobs(read("list-jobs-awkward-rows.txt"))
    assert [job["id"] for job in found] == [1006, 1003, 1001, 1007, 1002, 1004, 2, 1]
    assert [job["status"] for job in found][2:4] == ["index_failed", "weird_status_from_future"]
    assert [job["name"] for job in found][:6] == [
        "",
        "running-no-start",
        "name with  two spaces",
        "ansi \x1b[31mred",
        "phac-20260101",
        "tab\there",
    ]
    assert found[4] == {
        "id": 1002,
        "source": "phac",
        "name": "phac-20260101",
        "status": "failed",
        "retry_count": 12,
        "created_at": "2026-11-23T15:44:08Z",
        "queued_at": None,
        "started_at": "2026-11-23T10:44:08Z",
        "finished_at": "2026-11-23T14:44:08Z",
        "crawler_status": None,
        "crawler_stage": None,
        "crawler_exit_code": None,
        "output_directory": None,
        "combined_log_path": None,
        "config": None,
        "indexed_pages": 0,
        "backend": "playwright_warc",
        "rescue": "fallback-exhausted",
        "ambiguous": False,
    }
    assert not any(job["ambiguous"] for job in found)


def test_the_table_of_before_2026_04_15() -> None:
    found = jobs.list_jobs(read("list-jobs-before-2026-04-15.txt"))
    assert [(job["id"], job["status"], job["retry_count"], job["name"]) for job in found] == [
        (8, "running", 1, "cihr-20260101"),
        (7, "index_failed", 12, "phac 20260101"),
    ]
    assert {job["backend"] for job in found} == {None}
    assert set(found[0]) == set(jobs.JOB_KEYS)


def test_no_jobs_is_said_and_not_concluded() -> None:
    assert jobs.list_jobs(read("list-jobs-none.txt")) == []


@pytest.mark.parametrize("stdout", [b"", b"\n", b" \n\n"])
def test_nothing_printed_is_not_no_jobs(stdout: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        jobs.list_jobs(stdout)
    assert caught.value.code == "empty"


def test_line_ends_in_a_name_mark_its_job() -> None:
    found = jobs.list_jobs(read("list-jobs-name-with-line-ends.txt"))
    assert [(job["id"], job["name"], job["ambiguous"]) for job in found] == [
        (12, "first line\n  second line\n", True),
        (11, "plain", False),
    ]


@pytest.mark.parametrize("name", ["list-jobs-name-forges-a-newer-row.txt", "list-jobs-name-repeats-an-id.txt"])
def test_forged_rows_that_show_are_bad_evidence(name: str) -> None:
    with pytest.raises(ParseError) as caught:
        jobs.list_jobs(read(name))
    assert caught.value.code == "bad_evidence"


def test_a_forged_row_that_fits_in_cannot_be_told_from_a_real_one() -> None:
    # Why the admin API is asked first: this text is exactly what two jobs would print.
    found = jobs.list_jobs(read("list-jobs-name-forges-an-older-row.txt"))
    assert [job["id"] for job in found] == [12, 13]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda good: good[:-1], "truncated"),
        (lambda good: good[: good.index(b"\n") + 1], "truncated"),
        (lambda good: good[good.index(b"\n") + 1 :], "unparsable"),
        (lambda good: good.replace(b"Rescue ", b"Help   "), "unparsable"),
        (lambda good: b"WARNING\n" + good, "unparsable"),
        (lambda good: good.replace(b"1006 cihr", b"abcd cihr"), "unparsable"),
        (lambda good: good.replace(b"2026-11-23 15:44:08", b"2026-13-23 15:44:08"), "unparsable"),
        (lambda good: b"No jobs found", "unparsable"),
        (lambda good: b"No jobs found.\nNo jobs found.\n", "unparsable"),
        (lambda good: b"Traceback (most recent call last):\n", "unparsable"),
    ],
)
def test_a_damaged_table_is_refused(change, code: str) -> None:
    good = read("list-jobs-awkward-rows.txt")
    assert jobs.list_jobs(good)
    with pytest.raises(ParseError) as caught:
        jobs.list_jobs(change(good))
    assert caught.value.code == code


words = st.text(st.characters(codec="utf-8", exclude_characters=" \n"), min_size=1, max_size=20)
moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
rows = st.fixed_dictionaries(
    {
        "source": words,
        "status": words,
        "backend": words,
        "rescue": words,
        "retry_count": st.integers(min_value=0, max_value=10**9),
        "started_at": st.none() | moments,
        "finished_at": st.none() | moments,
        "indexed_pages": st.integers(min_value=0, max_value=10**12),
        # A line of a name that is itself a row would be read as one; chance does not write one.
        "name": st.text(st.characters(codec="utf-8"), max_size=40),
    }
)


def written(job: dict[str, Any], modern: bool) -> str:
    """The row as the program formats it (contract 2.4, 2.10)."""
    fields = ["%-3d" % job["id"], job["source"].ljust(6), job["status"].ljust(11)]
    if modern:
        fields += [job["backend"].ljust(16), job["rescue"].ljust(17)]
    fields += ["%-7d" % job["retry_count"]]
    fields += [str(job[time]).ljust(19) for time in ("created_at", "started_at", "finished_at")]
    return " ".join(fields) + " %d %s\n" % (job["indexed_pages"], job["name"])


@given(st.lists(rows, min_size=1, max_size=5), st.booleans(), moments)
def test_what_the_program_writes_is_read_back(listed: list[dict[str, Any]], modern: bool, newest: datetime) -> None:
    for number, job in enumerate(listed):
        job["id"] = 10_000 - number
        job["created_at"] = newest - timedelta(hours=number // 2)
    header = "ID  Source  Status       Backend          Rescue            Retries  Created_at           Started_at"
    header += "           Finished_at          Indexed\n"
    if not modern:
        header = header.replace("Backend          Rescue            ", "")
    found = jobs.list_jobs((header + "".join(written(job, modern) for job in listed)).encode("utf-8"))
    assert len(found) == len(listed)
    for job, record in zip(listed, found):
        for key in ("id", "source", "status", "retry_count", "indexed_pages", "name"):
            assert record[key] == job[key]
        for key in ("created_at", "started_at", "finished_at"):
            assert record[key] == (None if job[key] is None else job[key].isoformat() + "Z")
        assert record["ambiguous"] == ("\n" in job["name"])
        if modern:
            assert (record["backend"], record["rescue"]) == (job["backend"], job["rescue"])


def test_the_admin_api_lists_jobs() -> None:
    found = jobs.admin_jobs(read("admin-jobs.json"))
    assert (found["total"], found["limit"], found["offset"]) == (2, 100, 0)
    first, second = found["jobs"]
    assert set(first) == set(jobs.JOB_KEYS)
    assert (first["id"], first["source"], first["name"]) == (15, None, "no source\nsecond line")
    assert (first["created_at"], first["queued_at"]) == ("2026-11-23T15:47:44Z", None)
    assert (second["crawler_status"], second["crawler_exit_code"], second["retry_count"]) == ("infra_error", 1, 2)
    assert second["finished_at"] == "2026-01-09T10:00:00Z"
    assert second["output_directory"] is None


def test_the_admin_api_describes_one_job() -> None:
    found = jobs.admin_job(read("admin-job.json"))
    assert set(found) == set(jobs.JOB_KEYS)
    assert found["crawler_stage"] == "recovered_stale_running"
    assert found["output_directory"] == "/srv/healtharchive/jobs/hc/x1034"
    assert found["combined_log_path"].endswith(".combined.log")


def test_the_admin_api_counts_jobs() -> None:
    assert jobs.admin_counts(read("admin-status-counts.json"))["weird_status_from_future"] == 1
    assert jobs.admin_counts(b'{"counts":{}}') == {}


@pytest.mark.parametrize("parser", [jobs.admin_jobs, jobs.admin_counts, jobs.admin_job])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<html>502 Bad Gateway</html>", "unparsable"),
        (b'{"detail":"Admin token required"}', "unparsable"),
        (b"null", "unparsable"),
        (b"[]", "unparsable"),
        (b'{"counts":{"queued":1},"counts":{}}', "unparsable"),
        (b'{"counts":{"queued":true}}', "unparsable"),
        (b'{"counts":{"queued":-1}}', "unparsable"),
        (b'{"counts":{"queued":NaN}}', "unparsable"),
        (b'{"counts":{"queued":"1"}}', "unparsable"),
        (b'{"counts":[]}', "unparsable"),
        (b'{"items":[],"total":' + b"9" * 100_000 + b',"limit":1,"offset":0}', "unparsable"),
        (b"[" * 100_000, "unparsable"),
        (b'{"a":' * 100_000, "unparsable"),
        (b"\xff", "unparsable"),
    ],
)
def test_answers_of_another_shape_are_refused(parser, body: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        parser(body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("total", "limit", "offset", "accepted"),
    [
        (2, 100, 0, True),
        (2, 2, 0, True),
        (9, 2, 0, True),
        (9, 2, 7, True),
        (3, 100, 0, False),
        (9, 5, 0, False),
        (2, 1, 0, False),
    ],
)
def test_a_page_holds_as_many_jobs_as_it_says(total: int, limit: int, offset: int, accepted: bool) -> None:
    answer = json.loads(read("admin-jobs.json"))
    answer.update(total=total, limit=limit, offset=offset)
    body = json.dumps(answer).encode()
    if accepted:
        assert len(jobs.admin_jobs(body)["jobs"]) == 2
    else:
        with pytest.raises(ParseError) as caught:
            jobs.admin_jobs(body)
        assert caught.value.code == "bad_evidence"


def test_an_empty_page_of_a_full_list_is_bad_evidence() -> None:
    with pytest.raises(ParseError) as caught:
        jobs.admin_jobs(b'{"items":[],"total":3,"limit":100,"offset":0}')
    assert caught.value.code == "bad_evidence"
    assert jobs.admin_jobs(b'{"items":[],"total":3,"limit":100,"offset":3}')["jobs"] == []
    assert jobs.admin_jobs(b'{"items":[],"total":0,"limit":100,"offset":0}')["jobs"] == []


USED = (
    "id sourceCode name status retryCount createdAt queuedAt startedAt finishedAt crawlerStatus crawlerExitCode"
    " indexedPageCount outputDir crawlerStage combinedLogPath"
).split()


@pytest.mark.parametrize("key", USED)
@pytest.mark.parametrize("value", [True, 1.5, [], {}, "absent"])
def test_every_field_that_is_used_has_its_type(key: str, value: object) -> None:
    answer = json.loads(read("admin-job.json"))
    assert key in answer
    if value == "absent":
        del answer[key]
    else:
        answer[key] = value
    with pytest.raises(ParseError):
        jobs.admin_job(json.dumps(answer).encode())


@pytest.mark.parametrize("key", ["id", "name", "status"])
def test_what_names_a_job_is_never_null(key: str) -> None:
    answer = json.loads(read("admin-job.json"))
    answer[key] = None
    with pytest.raises(ParseError):
        jobs.admin_job(json.dumps(answer).encode())


@pytest.mark.parametrize("value", ["2026-11-23T15:47:44", "yesterday", "", 5])
def test_a_time_without_a_zone_is_refused(value: object) -> None:
    answer = json.loads(read("admin-job.json"))
    answer["startedAt"] = value
    with pytest.raises(ParseError):
        jobs.admin_job(json.dumps(answer).encode())


def test_text_from_the_api_can_be_written_out() -> None:
    answer = json.loads(read("admin-job.json"))
    answer["name"] = "lone \ud800 surrogate"
    assert jobs.admin_job(json.dumps(answer).encode())["name"] == "lone \\ud800 surrogate"
