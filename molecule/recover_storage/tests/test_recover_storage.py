# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted, what runs, and what is on record, looked at without the collection."""

from __future__ import annotations

import json

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"
HOT_PATHS = ("imports/hc-2019", "imports/cihr-2020", "hc/20260101T000512Z__hc-20260101")


def test_every_hot_path_shows_its_place_on_the_storage_box(host):
    shown = host.check_output("findmnt --list --noheadings --output TARGET,FSROOT --types fuse.sshfs").splitlines()
    assert [line.split() for line in shown] == [
        ["/srv/healtharchive/storagebox", "/"],
        *[["/srv/healtharchive/jobs/" + path, "/jobs/" + path] for path in HOT_PATHS],
    ]
    for path in HOT_PATHS:
        assert host.check_output("sudo find /srv/healtharchive/jobs/%s -name '*.warc.gz'", path)


def test_the_worker_and_what_failed_with_the_mounts_run_again(host):
    for unit in ("healtharchive-worker", "healtharchive-warc-tiering", "healtharchive-replay"):
        assert host.service(unit).is_running
    timers = host.check_output("systemctl list-units --all --plain --no-legend 'healtharchive-remediation-*'")
    assert timers == ""


def test_the_record_has_one_recovery_and_what_was_seen(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
        kept = host.check_output("ls /srv/healtharchive/ops/remediation/storage-evidence").splitlines()
    finished = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [(each["outcome"], each["changed"]) for each in finished] == [("applied", True)]
    assert [name.rpartition("-")[2] for name in kept] == ["after.json", "before.json"]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
