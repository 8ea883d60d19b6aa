# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deploy, looked at with git, systemd, curl and the record's file."""

from __future__ import annotations

import json
import os
from pathlib import Path

COMMIT = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "commit")
CHECKOUT = "/opt/healtharchive"


def test_the_commit_is_what_is_there(host):
    with host.sudo("haadmin"):
        assert host.check_output("git -C %s rev-parse HEAD", CHECKOUT) == COMMIT.read_text().strip()
        assert host.check_output("git -C %s status --porcelain", CHECKOUT) == ""


def test_the_processes_are_younger_than_it(host):
    with host.sudo("haadmin"):
        moved = int(host.check_output("git -C %s log -g -1 --date=unix --format=%%gd HEAD", CHECKOUT)[len("HEAD@{") : -1])
    for unit in ("healtharchive-api", "healtharchive-worker"):
        assert host.service(unit).is_running
        started = host.check_output("systemctl show --timestamp=unix --property=ExecMainStartTimestamp --value %s", unit)
        assert int(started[1:]) >= moved
    assert host.check_output("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8001/api/health") == "200"


def test_nothing_is_left_of_it(host):
    assert host.check_output("systemctl show --property=LoadState --value healtharchive-remediation-deploy") == "not-found"
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0


def test_what_was_refused_was_not_begun(host):
    with host.sudo():
        lines = host.check_output("cat /srv/healtharchive/ops/remediation/audit.jsonl").splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["kind"] for event in events] == ["incident_opened", "action_begun", "action_finished"]
    assert COMMIT.read_text().strip() in events[1]["data"]["argv"][0]
    assert (events[2]["data"]["outcome"], events[2]["data"]["changed"]) == ("applied", True)
