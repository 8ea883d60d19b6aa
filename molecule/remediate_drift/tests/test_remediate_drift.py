# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths, the environment file, the policy and the record, looked at without the collection."""

from __future__ import annotations

import json

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"


def test_the_directory_is_as_the_policy_says(host):
    with host.sudo():
        assert host.check_output("stat --format '%U:%G %a' /srv/healtharchive/backups") == "root:healtharchive 2770"


def test_the_environment_file_and_the_policy_were_left_alone(host):
    with host.sudo():
        assert host.run("grep --quiet '^HEALTHARCHIVE_CORS_ORIGINS=https://old' /etc/healtharchive/backend.env").rc == 0
    with host.sudo("haadmin"):
        assert host.check_output("git -C /opt/healtharchive status --short") == ""


def test_the_record_has_one_act_and_its_end(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    finished = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [(each["outcome"], each["changed"]) for each in finished] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
