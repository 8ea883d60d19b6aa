# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows, the units and the record, looked at without the collection."""

from __future__ import annotations

import json

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"


def rows(host, columns: str) -> list[list[str]]:
    """All jobs, by their ids."""
    with host.sudo("postgres"):
        said = host.check_output("psql -qAt healtharchive -c %s", "SELECT %s FROM archive_jobs ORDER BY id" % columns)
    return [line.split("|") for line in said.splitlines()]


def test_the_job_is_crawled_anew(host):
    ((status, anew),) = [
        row[1:] for row in rows(host, "name, status, started_at > now() - interval '1 hour'") if row[0] == "phac-stalled"
    ]
    assert (status, anew) in (("running", "t"), ("retryable", "f"))


def test_what_stood_still_is_gone_and_the_worker_runs(host):
    assert not host.service("fault-stalled-crawl").is_running
    assert host.service("healtharchive-worker").is_running


def test_the_record_has_one_beginning_and_its_end(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    ends = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [event["kind"] for event in events].count("action_begun") == 1
    assert [(each["outcome"], each["changed"]) for each in ends] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
