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


def test_exactly_the_stale_job_was_recovered(host):
    assert {name: status for name, status in rows(host, "name, status") if status != "indexed"} == {
        "hc-busy": "running",
        "phac-killed-beside": "retryable",
    }


def test_the_healthy_crawl_was_not_touched(host):
    assert host.service("healtharchive-worker").is_running
    with host.sudo():
        assert host.run("pgrep --full -- '--output-dir /srv/healtharchive/jobs/hc/busy'").rc == 0


def test_the_record_has_one_beginning_and_its_end(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    ends = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [event["kind"] for event in events].count("action_begun") == 1
    assert [(each["outcome"], each["changed"]) for each in ends] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
