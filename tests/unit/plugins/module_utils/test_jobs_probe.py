# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs the admin API is asked about, and what is said of those it is not asked about."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, http_client
from ansible_collections.healtharchive.remediation.plugins.module_utils.probe import Context
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import job_facts, jobs
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

HEADER = "ID   Source     Status     Backend  Rescue  Retries Created_at  Started_at  Finished_at  Indexed\n"


def moment(seconds_ago):
    return (
        None
        if seconds_ago is None
        else time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - seconds_ago))
    )


def row(number, status, queued=100, started=None, finished=None, source="hc", name="plain"):
    return {
        "id": number, "sourceCode": source, "name": name, "status": status, "retryCount": 0,
        "createdAt": moment(queued), "queuedAt": moment(queued), "startedAt": moment(started),
        "finishedAt": moment(finished), "crawlerExitCode": None, "crawlerStatus": None, "indexedPageCount": 0,
    }  # fmt: skip


class Service:
    """The admin API and list-jobs, over rows that are given."""

    def __init__(self, rows):
        self.rows = {each["id"]: each for each in rows}
        self.asked = []
        self.listing = None  # standard output of list-jobs; None: of all rows
        self.listings = 0

    def get(self, url, _seconds, _headers):
        path = url.partition("/api/admin/jobs")[2]
        if path == "/status-counts":
            answer = {"counts": Counter(each["status"] for each in self.rows.values())}
        elif path.startswith("/"):
            self.asked.append(int(path[1:]))
            detail = {"crawlerStage": None, "outputDir": None, "combinedLogPath": None, "config": {}}
            answer = {**self.rows[int(path[1:])], **detail}
        else:
            status = re.search("status=([a-z_]+)", path).group(1)
            items = [each for each in self.rows.values() if each["status"] == status]
            answer = {"items": items[: jobs.LIMIT], "total": len(items), "limit": jobs.LIMIT, "offset": 0}
        return SimpleNamespace(failure=None, detail=None, status=200, body=json.dumps(answer).encode())

    def run_service(self, argv, _seconds, production=False):
        assert production
        if argv[1] != "list-jobs":
            return host.Result(argv, 0, b"", b"", 0.1, "timed_out")
        self.listings += 1
        lines = [
            "%d %s %s playwright none 0 2026-11-23 15:44:08 None None 0 %s\n"
            % (each["id"], each["sourceCode"], each["status"], each["name"])
            for each in sorted(self.rows.values(), key=lambda each: -each["id"])
        ]
        output = HEADER + "".join(lines) if self.listing is None else self.listing
        return host.Result(argv, 0, output.encode(), b"", 0.1, None)


@pytest.fixture
def ask(monkeypatch):
    def ask(service):
        monkeypatch.setattr(http_client, "get", service.get)
        monkeypatch.setattr(Context, "run_service", lambda _self, *words, **more: service.run_service(*words, **more))
        monkeypatch.setattr(Context, "database_problem", lambda _self: None)
        monkeypatch.setattr(job_facts, "lock_directories", lambda _context: {})
        settings = SimpleNamespace(
            api_url="http://127.0.0.1:8001", archive_root="/nowhere", service_user="root", cli="x"
        )
        context = Context(settings, None, None, Redactor(), True, time.monotonic() + 30, 600, "local")
        return jobs.probe(context)

    return ask


def by_id(finding):
    return {job["id"]: job for job in finding.data["jobs"]}


def test_few_jobs_are_all_asked_about_and_nothing_is_listed(ask):
    service = Service([row(number, "queued") for number in range(1, 21)])
    finding = ask(service)
    assert (finding.status, finding.data["cannot_know"], service.listings) == ("ok", [], 0)
    assert sorted(service.asked) == list(range(1, 21))
    assert all(job["details"] is True for job in finding.data["jobs"])


def test_those_that_matter_most_are_asked_about(ask):
    waiting = [row(number, "queued", queued=1000 - number) for number in range(100, 140)]
    annual = row(900, "queued", queued=5, name="hc-20260101")
    bad = [row(1, "failed"), row(2, "retryable"), row(3, "running", started=10)]
    service = Service([*waiting, annual, *bad])
    finding = ask(service)
    assert service.asked == [3, 2, 1, 900, *range(100, 116)]  # the oldest of those that wait is next
    assert finding.data["cannot_know"] == ["output directories of 24 waiting jobs whose turn comes later"]
    found = by_id(finding)
    assert (found[115]["details"], found[116]["details"], found[116]["listable"]) == (True, False, True)
    assert service.listings == 1


def test_a_listing_that_fails_proves_nothing(ask):
    service = Service([row(number, "queued") for number in range(1, 31)])
    service.listing = ""
    finding = ask(service)
    assert finding.status == "partial"
    assert [job["listable"] for job in finding.data["jobs"]].count(None) == 10


def test_a_job_that_should_have_been_asked_about_is_not_taken_for_one_that_may_wait(ask):
    service = Service([row(number, "failed") for number in range(1, 31)])
    assert Counter(job["details"] for job in ask(service).data["jobs"]) == {True: 20, None: 10}


def test_nothing_is_listed_where_that_decides_nothing(ask):
    service = Service([row(number, "failed" if number < 30 else "queued") for number in range(1, 51)])
    assert Counter(job["details"] for job in ask(service).data["jobs"]) == {True: 20, None: 9, False: 21}
    assert service.listings == 0


def test_many_jobs_stay_cheap(ask):
    service = Service([row(number, "queued") for number in range(1, 10001)])
    finding = ask(service)
    assert (len(finding.data["jobs"]), finding.data["truncated"], len(service.asked)) == (jobs.LIMIT, True, 20)


def test_a_status_that_nobody_knows_is_said(ask):
    found = by_id(ask(Service([row(1, "crawling"), row(2, "queued")])))
    assert (found[1]["status_known"], found[2]["status_known"]) == (False, True)


def test_how_long_a_completed_job_has_waited_to_be_indexed(ask):
    found = by_id(
        ask(Service([row(1, "completed", finished=7200), row(2, "completed"), row(3, "failed", finished=7200)]))
    )
    assert 7190 <= found[1]["finished_age_seconds"] <= 7260
    assert (found[2]["finished_age_seconds"], found[3]["finished_age_seconds"]) == (None, None)


@pytest.mark.parametrize("ahead", [-7200, -86400])
def test_a_clock_that_is_behind_makes_ages_unknown_and_is_said(ask, ahead):
    finding = ask(Service([row(1, "running", started=ahead), row(2, "completed", finished=ahead)]))
    found = by_id(finding)
    assert (found[1]["age_seconds"], found[1]["stale"], found[1]["stalled"]) == (None, None, None)
    assert found[2]["finished_age_seconds"] is None
    assert [problem.code for problem in finding.problems if "(1, 2)" in problem.message] == ["bad_evidence"]


def test_clocks_that_differ_by_seconds_are_not_wrong(ask):
    finding = ask(Service([row(1, "running", started=-20)]))
    assert by_id(finding)[1]["age_seconds"] == 0.0
    assert "bad_evidence" not in [problem.code for problem in finding.problems]
