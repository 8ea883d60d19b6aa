# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted, who can write there, and what is on record, looked at without the collection."""

from __future__ import annotations

import json

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"
PATH = "/srv/healtharchive/jobs/hc/20240101T000502Z__hc-20240101"


def test_the_directory_is_on_the_storage_box_and_the_worker_can_write_there(host):
    shown = host.check_output("findmnt --noheadings --output FSTYPE,FSROOT %s", PATH).split()
    assert shown == ["fuse.sshfs", "/jobs/hc/20240101T000502Z__hc-20240101"]
    host.check_output("sudo -u haadmin touch %s/written && sudo -u haadmin rm %s/written" % (PATH, PATH))


def test_the_worker_runs(host):
    assert host.service("healtharchive-worker").is_running


def test_the_record_has_one_recovery_and_what_was_seen(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    finished = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [(each["outcome"], each["changed"]) for each in finished] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
