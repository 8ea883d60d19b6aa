# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clearance, looked at with systemd, flock, the service's script and the record's file."""

from __future__ import annotations

import json

UNIT = "healtharchive-remediation-clearance.service"
LOCK = "/tmp/healtharchive-deploy.lock"


def test_the_lock_is_held_as_the_services_user(host):
    assert host.service(UNIT).is_running
    assert host.check_output("systemctl show --property=User --value %s", UNIT) == "haadmin"
    file = host.file(LOCK)
    assert (file.user, file.mode) == ("haadmin", 0o644)
    assert host.run("flock --nonblock --shared %s true", LOCK).rc == 1


def test_the_services_own_script_is_refused(host):
    with host.sudo("haadmin"):
        deploy = host.run("/opt/healtharchive/scripts/vps-deploy.sh")
    assert deploy.rc == 2
    assert "Deploy lock is held" in deploy.stderr


def test_the_permit_is_roots_alone_and_has_an_end(host):
    with host.sudo():
        permit = host.file("/run/healtharchive-remediation/clearance.json")
        assert (permit.user, permit.mode) == ("root", 0o600)
        assert host.file("/run/healtharchive-remediation").mode == 0o700
    assert "healtharchive-remediation-clearance-end.timer" in host.check_output("systemctl list-timers --no-pager")


def test_what_was_asked_in_vain_left_nothing(host):
    with host.sudo():
        lines = host.check_output("cat /srv/healtharchive/ops/remediation/audit.jsonl").splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["kind"] for event in events] == ["incident_opened", "clearance_granted"]
    with host.sudo("haadmin"):
        head = host.check_output("git -C /opt/healtharchive rev-parse HEAD")
    assert events[1]["data"]["required_commits"] == [head]
    assert events[1]["head"] == head
