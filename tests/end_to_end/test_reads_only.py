# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads are reads: files and rows of the host are the same before and after."""

from __future__ import annotations

import pytest

# Names, owners, modes, modification times and contents. What the running service itself writes is left out by name.
FILES = (
    "sudo find /srv/healtharchive /etc/healtharchive /opt/healtharchive /tmp -xdev"
    r" \( -path /tmp/systemd-private-\* -o -path '/tmp/ansible*' \) -prune -o -printf '%p %u:%g %m %T@ %s\n' | sort;"
    " sudo find /srv/healtharchive /etc/healtharchive /opt/healtharchive -xdev -type f -exec sha256sum {} + | sort -k2"
)
ROWS = (
    "sudo -u postgres psql -d healtharchive -Atc"
    " \"select 'job', to_jsonb(archive_jobs) from archive_jobs"
    " union all select 'source', to_jsonb(sources) from sources order by 1, 2\""
)
AS_SERVICE = "sudo -u haadmin bash -c 'set -a; . /etc/healtharchive/backend.env; set +a; exec %s'"
CLI = "/opt/healtharchive/.venv/bin/healtharchive"


def state(host) -> str:
    return host.ssh(FILES).stdout + host.ssh(ROWS).stdout


def test_a_healthy_host_is_left_as_it_was(host, tmp_path):
    """Law 8."""
    before = state(host)
    assert len(before) > 10_000
    assert host.triage(tmp_path).rc == 0
    assert state(host) == before


# An open annual job makes triage run the dry run of reconcile-annual-tool-options; the others make it read logs and ask for
# the right to write.
@pytest.mark.parametrize(
    "fault",
    [
        "stale_running_row",
        "hot_path_stale",
        "undeployed_commits",
        "output_dir_on_root_disk",
        "output_dir_not_writable",
        "poisoned_resume",
    ],
)
def test_a_broken_host_is_left_as_it_was(host, broken, tmp_path, fault):
    broken(fault)
    before = state(host)
    assert host.triage(tmp_path).rc == 0
    assert state(host) == before


def test_the_comparison_sees_a_dry_run_that_writes(host, broken):
    """The positive control: a dry-run of recover-stale-jobs creates a lock file (surprise 19)."""
    broken("stale_running_row")
    host.ssh("sudo rm -f /tmp/healtharchive-job-locks/*.lock")
    before = state(host)
    host.ssh(AS_SERVICE % (CLI + " recover-stale-jobs --older-than-minutes 5"))
    assert state(host) != before


# Whoever writes while triage reads, a crawl or the worker, is stopped where it stands; locks stay held.
FREEZE = (
    "pkill -STOP --full 'archive-tool --name' && systemctl kill --kill-whom=main --signal=STOP healtharchive-worker"
)
THAW = "systemctl kill --kill-whom=main --signal=CONT healtharchive-worker; pkill -CONT --full 'archive-tool --name'"


def test_a_running_crawl_is_left_as_it_was(host, broken, tmp_path):
    """And the positive control: show-job rewrites the state file of a running job (surprise 17)."""
    broken("stalled_crawl")
    host.root(FREEZE)
    try:
        before = state(host)
        triage = host.triage(tmp_path)
        after = state(host)
        running = [job for job in triage.probe("jobs")["data"]["jobs"] if job["status"] == "running"]
        host.ssh(AS_SERVICE % (CLI + " show-job --id %d" % running[0]["id"]))
        shown = state(host)
    finally:
        host.root(THAW)
    assert triage.rc == 0
    assert [job["lock"] for job in running] == ["held"]
    assert after == before
    assert shown != before
