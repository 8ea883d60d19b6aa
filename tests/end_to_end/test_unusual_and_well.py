# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on which nothing is wrong, although they are not the usual one."""

from __future__ import annotations

import json

from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import times

from .test_bounded import done_to

WAITING = 30

# The worker takes the first one and crawls it for an hour; the others wait.
LONG_QUEUE = (
    """set -e
sudo -u postgres psql -qXAt -v ON_ERROR_STOP=1 healtharchive <<'END'
INSERT INTO archive_jobs (source_id, name, output_dir, status, retry_count, created_at, queued_at, config)
SELECT (SELECT id FROM sources WHERE code = 'cihr'), 'queue-' || number, '/srv/healtharchive/jobs/cihr/queue-' || number,
       'queued', 0, now(), now() + number * interval '1 second',
       '{"seeds": ["https://site.example.org/"], "tool_options": {"simulated_seconds": 3600}}'
FROM generate_series(0, %d) AS number
END
sudo systemctl restart healtharchive-worker
timeout 60 bash -c 'until grep -qs crawled /srv/healtharchive/jobs/cihr/queue-0/*.combined.log; do sleep 0.2; done'
"""
    % WAITING
)
NO_QUEUE = """set -e
sudo systemctl stop healtharchive-worker
sudo -u postgres psql -qX -v ON_ERROR_STOP=1 healtharchive -c "DELETE FROM archive_jobs WHERE name LIKE 'queue-%'"
sudo rm -rf /srv/healtharchive/jobs/cihr/queue-*
sudo systemctl start healtharchive-worker
"""
API = "healtharchive-api.service"
# It fails as long as there is that file, and systemd starts it again and again.
LOOP = """set -e
sudo mkdir -p /run/systemd/system/%(api)s.d
printf '%%s\\n' '[Unit]' StartLimitIntervalSec=0 '[Service]' RestartSec=1 'ExecStartPre=/usr/bin/test ! -e /run/api-fails' |
    sudo tee /run/systemd/system/%(api)s.d/loop.conf >/dev/null
sudo touch /run/api-fails
sudo systemctl daemon-reload
sudo systemctl restart --no-block %(api)s
timeout 60 bash -c 'until [ "$(systemctl show --value -p NRestarts %(api)s)" -ge 2 ]; do sleep 0.1; done'
timeout 60 bash -c 'until [ "$(systemctl show --value -p SubState %(api)s)" = auto-restart ]; do sleep 0.05; done'
sudo rm /run/api-fails
""" % {"api": API}
ANSWERS = "timeout 60 bash -c 'until curl -fsS -o /dev/null http://127.0.0.1:8001/api/health; do sleep 0.1; done'\n"
NO_LOOP = (
    "sudo rm -rf /run/api-fails /run/systemd/system/%s.d; sudo systemctl daemon-reload; sudo systemctl restart %s\n%s"
    % (API, API, ANSWERS)
)
LINKS = {"storage_mount": "/srv/healtharchive/storagebox", "archive_root": "/srv/healtharchive/jobs"}


def test_a_long_queue_behind_a_worker_that_works(host, tmp_path):
    with done_to(host, LONG_QUEUE, NO_QUEUE):
        triage = host.triage(tmp_path)
    jobs = triage.probe("jobs")["data"]["jobs"]
    assert sorted(job["status"] for job in jobs) == ["queued"] * WAITING + ["running"]  # positive control
    assert [job["details"] for job in jobs].count(False) == WAITING + 1 - 20
    assert triage.result["verdict"] == "nothing_found", triage.result
    assert "whose turn comes later" in triage.output


def test_one_that_was_just_restarted_by_hand_out_of_a_loop(host, tmp_path):
    """systemd's count of restarts stays as it was, for a restart of what waits for the next one sets nothing back."""
    with done_to(host, LOOP + "sudo systemctl restart %s\n" % API + ANSWERS, NO_LOOP):
        triage = host.triage(tmp_path / "by hand")
    state = triage.probe("units")["data"]["units"][API]
    assert state["restarts"] >= 2
    assert times.to_epoch(triage.evidence["collected_at"]) - times.to_epoch(state["started_at"]) < 30
    assert (state["restarting"], triage.result["verdict"]) == (False, "nothing_found"), triage.result
    # Positive control: what systemd itself has started may be the next round of the loop.
    with done_to(host, LOOP + ANSWERS, NO_LOOP):
        triage = host.triage(tmp_path / "by systemd")
    assert triage.probe("units")["data"]["units"][API]["restarting"] is True
    assert triage.first["rule"] == "api_restart_loop"


def test_settings_may_be_symbolic_links(host, tmp_path):
    links = {"healtharchive_" + name: "/mnt/%s" % name for name in LINKS}
    act = " && ".join("sudo ln -s %s /mnt/%s" % (path, name) for name, path in LINKS.items())
    with done_to(host, act, "sudo rm /mnt/storage_mount /mnt/archive_root"):
        triage = host.triage(tmp_path, "-e", json.dumps(links))
    storage = triage.probe("storage")["data"]
    assert triage.evidence["settings"]["storage_mount"] == "/mnt/storage_mount"
    assert (storage["base"]["path"], storage["base"]["state"]) == (LINKS["storage_mount"], "ok")
    assert len(storage["paths"]) >= 3
    assert triage.result["verdict"] == "nothing_found", triage.result


def test_a_link_to_a_mount_that_hangs_is_found_hung(host, broken, tmp_path):
    broken("hot_path_hung")
    with done_to(host, "sudo ln -s /srv/healtharchive/jobs /mnt/archive_root", "sudo rm /mnt/archive_root"):
        triage = host.triage(tmp_path, "-e", "healtharchive_archive_root=/mnt/archive_root")
    assert triage.first["rule"] == "hot_path_hung"
