# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows, snapshots, units and the record, looked at without the collection."""

from __future__ import annotations

import json

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"


def sql(host, statement):
    with host.sudo("postgres"):
        return host.check_output("psql -XAtc %s healtharchive", statement)


def test_the_crawl_is_indexed_and_its_pages_are_there(host):
    assert (
        sql(host, "SELECT status, indexed_page_count FROM archive_jobs WHERE name = 'hc-never-indexed'") == "indexed|5"
    )
    pages = "SELECT count(*) FROM snapshots s JOIN archive_jobs j ON j.id = s.job_id WHERE j.name = "
    assert sql(host, pages + "'hc-never-indexed'") == "5"
    assert sql(host, pages + "'phac-truncated'") == "0"


def test_the_one_whose_file_was_cut_is_as_it_was(host):
    assert sql(host, "SELECT status FROM archive_jobs WHERE name = 'phac-truncated'") == "index_failed"
    with host.sudo():
        written = host.check_output("find /srv/healtharchive/jobs/phac/truncated -name warc_verify")
    assert written == ""


def test_nothing_is_left_of_it_and_the_worker_runs(host):
    assert host.service("healtharchive-worker").is_running
    assert host.check_output("systemctl list-units --all --plain --no-legend 'healtharchive-remediation-*'") == ""


def test_the_record_has_one_indexing_and_what_was_seen(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    finished = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [(each["outcome"], each["changed"]) for each in finished] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
