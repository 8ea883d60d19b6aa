# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows and the record, looked at without the collection."""

from __future__ import annotations

import json

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"


def configuration(host, name: str) -> dict:
    """That of a job, by SQL."""
    with host.sudo("postgres"):
        return json.loads(
            host.check_output(
                "psql -qAt healtharchive -c %s", "SELECT config FROM archive_jobs WHERE name = '%s'" % name
            )
        )


def test_each_annual_job_is_told_what_the_code_wants(host):
    phac, cihr = configuration(host, "phac-20250101"), configuration(host, "cihr-20250101")
    assert phac["tool_options"] == {"initial_workers": 2, "max_container_restarts": 30}
    # What only the job has been told stays.
    assert cihr["tool_options"] == {"initial_workers": 1, "max_container_restarts": 20, "depth": 3}
    for found in (phac, cihr):
        assert (found["campaign_kind"], found["campaign_year"], found["campaign_date"]) == (
            "annual",
            2025,
            "2025-01-01",
        )


def test_the_record_has_one_reconciliation_and_its_end(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    finished = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [(each["outcome"], each["changed"]) for each in finished] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
