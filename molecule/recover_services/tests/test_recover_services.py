# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs, and what is on record, looked at without the collection."""

from __future__ import annotations

import json

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"


def test_postgresql_and_the_api_work_again(host):
    assert host.service("postgresql").is_running
    assert host.check_output("curl -s -o /dev/null -w '%{http_code}' 127.0.0.1:8001/api/health") == "200"


def test_the_worker_was_brought_back_once_and_then_left_alone(host):
    assert not host.service("healtharchive-worker").is_running
    with host.sudo():
        journal = host.check_output("journalctl --boot --quiet --output=cat _PID=1 UNIT=healtharchive-worker.service")
    words = [line.split(" ")[0] for line in journal.splitlines() if line.startswith(("Started", "Stopped"))]
    # At boot; with PostgreSQL; by the recovery; on purpose.
    assert words == ["Started", "Stopped", "Started", "Stopped"]


def test_the_record_has_one_start_and_what_was_seen(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    begun, finished = (
        [event["data"] for event in events if event["kind"] == kind] for kind in ("action_begun", "action_finished")
    )
    assert [each["subjects"] for each in begun] == [["unit postgresql.service", "unit healtharchive-worker.service"]]
    assert [(each["outcome"], each["changed"]) for each in finished] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
