# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault breaks the guest in a way that is seen from outside, and `mend` makes it well again."""

from __future__ import annotations

import pytest
from driver import Sandbox, healthy
from lib import faults

SQL = "sudo -u postgres psql -XAt healtharchive -c"
CODE = "curl -s -o /dev/null -m 5 -w '%{http_code}\\n'"
STALE = (
    f"{SQL} \"SELECT count(*) FROM archive_jobs WHERE status = 'running' AND created_at < now() - interval '4 hours'\""
)
OPEN = f"{SQL} \"SELECT name, status FROM archive_jobs WHERE status <> 'indexed' ORDER BY name\" | tr '|' ' '"
CRAWLERS = "pgrep -fc '[a]rchive-tool --name'"
HELD = "for lock in $(sudo find /srv/healtharchive/ops/locks/jobs -type f); do flock -n $lock true || echo held; done"
LIST = (
    "bash -c 'set -a; . /etc/healtharchive/backend.env; "
    'exec /opt/healtharchive/.venv/bin/healtharchive list-jobs "$@"' + "' - 2>/dev/null"
)
HOT = "/srv/healtharchive/jobs/imports/hc-2019"

# fault -> (what an operator types, what a healthy guest answers, what a broken one answers)
SEEN = {
    "stale_running_row": (
        f"{SQL} \"SELECT count(*) FROM archive_jobs WHERE status = 'running' AND started_at < now() - interval '4 hours'\"; "
        "systemctl is-active healtharchive-worker; pgrep -fc '[r]un-db-job|[a]rchive-tool'; "
        "for lock in $(sudo find /srv/healtharchive/ops/locks/jobs -type f); do flock -n $lock true || echo held; done",
        "0\nactive\n0",
        "1\ninactive\n0",
    ),
    "api_missing_dependency": (
        f"{CODE} localhost/api/health; "
        "/opt/healtharchive/.venv/bin/python3 -c 'import slowapi; print(\"there\")' 2>&1 | tail -n 1",
        "200\nthere",
        "502\nModuleNotFoundError: No module named 'slowapi'",
    ),
    "api_stopped": (
        f"systemctl is-active healtharchive-api; systemctl is-enabled healtharchive-api; {CODE} localhost/api/health; "
        f"{CODE} 127.0.0.1:8001/api/health",
        "active\nenabled\n200\n200",
        "inactive\nenabled\n502\n000",
    ),
    "missing_column": (
        f"{CODE} localhost/api/health; {CODE} 'localhost/api/search?q=page'; {CODE} localhost/api/changes; "
        f"{SQL} 'SELECT version_num FROM alembic_version'; "
        f'{SQL} "SELECT count(*) FROM information_schema.columns '
        "WHERE table_name = 'snapshots' AND column_name = 'deduplicated'\"",
        "200\n200\n200\n0014_snapshot_deduplication\n1",
        "200\n500\n500\n0014_snapshot_deduplication\n0",
    ),
    "postgresql_down": (
        f"pg_isready -q -h 127.0.0.1; echo $?; systemctl is-active healtharchive-worker; {CODE} localhost/api/health",
        "0\nactive\n200",
        "2\ninactive\n500",
    ),
    "env_file_unreadable": (
        "test -r /etc/healtharchive/backend.env; echo $?; stat -c '%U:%G %a' /etc/healtharchive/backend.env",
        "0\nroot:healtharchive 640",
        "1\nroot:root 600",
    ),
    "hot_path_stale": (
        f"for path in /srv/healtharchive/storagebox {HOT} /srv/healtharchive/jobs/hc/*; do "
        "python3 -c 'import os, sys; os.stat(sys.argv[1])' $path 2>&1 | grep -o 'Errno [0-9]*' || echo ok; done",
        "ok\nok\nok",
        "ok\nErrno 107\nErrno 107",
    ),
    "hot_path_hung": (
        f"{{ timeout -s KILL 2 ls {HOT}; }} >/dev/null 2>&1; echo $?; "
        "ps -o state= -p $(systemctl show -P MainPID healtharchive-storagebox-sshfs)",
        "0\nS",
        "137\nT",
    ),
    "baseline_drift": (
        "stat -c %a /srv/healtharchive/backups; grep -c old.example /etc/healtharchive/backend.env",
        "2770\n0",
        "755\n1",
    ),
    "worker_inactive": (
        f"systemctl is-active healtharchive-worker; {SQL} \"SELECT count(*) FROM archive_jobs WHERE status = 'queued'\"",
        "active\n0",
        "inactive\n1",
    ),
    "several_stale_rows": (
        f"{STALE}; systemctl is-active healtharchive-worker; {CRAWLERS}",
        "0\nactive\n0",
        "3\ninactive\n0",
    ),
    "stalled_crawl": (
        f"{CRAWLERS}; {HELD}; cd /srv/healtharchive/jobs/phac/stalled 2>/dev/null && "
        "{ grep -q -m 5 'Navigation timeout' ./*.combined.log && grep -ho '\"crawled\":[0-9]*' ./*.combined.log | tail -n 1; }",
        "0",
        '1\nheld\n"crawled":2',
    ),
    "stale_beside_healthy": (
        f"{STALE}; systemctl is-active healtharchive-worker; {CRAWLERS}; {HELD}",
        "0\nactive\n0",
        "1\nactive\n1\nheld",
    ),
    "two_lock_directories": (
        "sudo cat /proc/$(systemctl show -P MainPID healtharchive-worker)/environ | tr '\\0' '\\n' | grep LOCK_DIR; "
        "bash -c '. /etc/healtharchive/backend.env; echo $HEALTHARCHIVE_JOB_LOCK_DIR'",
        "HEALTHARCHIVE_JOB_LOCK_DIR=/srv/healtharchive/ops/locks/jobs\n/srv/healtharchive/ops/locks/jobs",
        "/srv/healtharchive/ops/locks/jobs",
    ),
    "output_dir_not_writable": (
        f"{OPEN}; touch /srv/healtharchive/jobs/cihr/20260105T000000Z__cihr-of-root/probe 2>&1 | grep -o 'Permission denied'",
        "",
        "cihr-of-root failed\nPermission denied",
    ),
    "output_dir_on_root_disk": (
        f"{OPEN}; for path in /srv/healtharchive/jobs/hc/2024*; do [ -d $path ] && findmnt -no TARGET -T $path; done",
        "",
        "hc-20240101 queued\n/",
    ),
    "annual_options_drifted": (
        f"{OPEN}; {SQL} \"SELECT config -> 'tool_options' ->> 'initial_workers', config ->> 'campaign_kind' FROM archive_jobs "
        "WHERE name = 'phac-20250101'\"",
        "",
        "hc-busy running\nphac-20250101 queued\n1|annual",
    ),
    "campaign_metadata_lost": (
        f"{OPEN}; {SQL} \"SELECT config -> 'tool_options' ->> 'initial_workers', config ->> 'campaign_kind' FROM archive_jobs "
        "WHERE name = 'cihr-20250101'\"",
        "",
        "cihr-20250101 queued\nhc-busy running\n1|",
    ),
    "bad_crawler_option": (
        f"{OPEN}; {SQL} \"SELECT crawler_status FROM archive_jobs WHERE status = 'failed'\"",
        "",
        "cihr-bad-option failed\ninfra_error_config",
    ),
    "poisoned_resume": (
        f"{OPEN}; stat -c %s /srv/healtharchive/jobs/hc/poisoned/.zimit_resume.yaml 2>/dev/null",
        "",
        "hc-poisoned failed\n0",
    ),
    "completed_never_indexed": (
        f"{OPEN}; {SQL} \"SELECT count(*) FROM snapshots JOIN archive_jobs j ON j.id = job_id "
        "WHERE j.name = 'hc-never-indexed'\"; systemctl is-active healtharchive-worker",
        "0\nactive",
        "hc-never-indexed completed\n0\nactive",
    ),
    "warc_truncated": (
        f"{OPEN}; gzip --test /srv/healtharchive/jobs/phac/truncated/.tmp*/collections/crawl-*/archive/*.warc.gz 2>&1 "
        "| grep -o 'unexpected end of file'; systemctl is-active healtharchive-worker",
        "active",
        "phac-truncated index_failed\nunexpected end of file\nactive",
    ),
    "unlistable_row": (f"{LIST} >/dev/null; echo $?", "0", "1"),
    "sourceless_job": (
        f"{OPEN}; {LIST} --status queued",
        "No jobs found.",
        "hc-busy running\nno-source queued\nNo jobs found.",
    ),
    "public_proxy_broken": (
        f"systemctl is-active caddy; {CODE} localhost/api/health; {CODE} 127.0.0.1:8001/api/health",
        "active\n200\n200",
        "failed\n000\n200",
    ),
    "idle_watchdog": (
        f"{SQL} \"SELECT name FROM archive_jobs WHERE status = 'running'\"; systemctl is-active healtharchive-worker; "
        "sudo test -e /etc/healtharchive/crawl-auto-recover-enabled && echo enabled",
        "active",
        "hc-neglected\nactive\nenabled",
    ),
    "pending_migration": (
        f"{CODE} localhost/api/health; {CODE} 'localhost/api/search?q=page'; "
        f"{SQL} 'SELECT version_num FROM alembic_version'",
        "200\n200\n0014_snapshot_deduplication",
        "200\n500\n0013_job_storage",
    ),
    "wrong_database_password": (
        f"{CODE} localhost/api/health; sudo grep -c :mistyped@ /etc/healtharchive/backend.env; "
        "pg_isready -q -h 127.0.0.1; echo $?",
        "200\n0\n0",
        "500\n1\n0",
    ),
    "tiering_unit_failed": (
        f"systemctl is-active healtharchive-warc-tiering; findmnt -n -o FSTYPE {HOT}; "
        "wc -l </etc/healtharchive/warc-tiering.binds",
        "active\nfuse.sshfs\n3",
        "failed\nfuse.sshfs\n3",
    ),
    "unit_disabled": (
        "systemctl is-active healtharchive-worker; systemctl is-enabled healtharchive-worker",
        "active\nenabled",
        "active\ndisabled",
    ),
    "disk_nearly_full": (
        "findmnt -n -o FSTYPE /srv/healtharchive/jobs; "
        "test $(df --output=pcent /srv/healtharchive/jobs | tail -n 1 | tr -dc 0-9) -ge 85 && echo full; "
        f"findmnt -n -o FSTYPE {HOT}; systemctl is-active healtharchive-worker",
        "fuse.sshfs\nactive",
        "tmpfs\nfull\nfuse.sshfs\nactive",
    ),
    "large_journal": (
        "sudo sh -c 'test $(du -sm /var/log/journal | cut -f1) -ge 1024 && echo large'; "
        "sudo journalctl -q -u healtharchive-api -n 200 -o cat | grep -c -m 3 RecursionError; "
        "systemctl is-active healtharchive-api",
        "0\nactive",
        "large\n3\nactive",
    ),
    "unpushed_commit": (
        "cd /opt/healtharchive; git rev-list --count origin/main..HEAD; git status --porcelain | wc -l",
        "0\n0",
        "1\n0",
    ),
    "dirty_checkout": (
        "git -C /opt/healtharchive status --porcelain",
        "",
        "M scripts/vps-crawl-status.sh\n?? scripts/vps-crawl-status.sh.bak",
    ),
    "deploy_running": (
        "flock --nonblock --shared /tmp/healtharchive-deploy.lock true 2>/dev/null && echo free || "
        "ps -eo stat=,args= | grep '[v]ps-deploy' | cut -c1 | sort -u",
        "free",
        "T",
    ),
    "replay_target_failing": (
        f"{CODE} 127.0.0.1:8090/; "
        "for job in 1 4; do cd /srv/healtharchive/replay/collections/job-$job/indexes; "
        'url=$(sed -n \'1s/.*"url": "\\([^"]*\\)".*/\\1/p\' index.cdxj); '
        f"{CODE} 127.0.0.1:8090/job-$job/$url; done; ls {HOT}/*.combined.log >/dev/null && echo host well",
        "200\n200\n200\nhost well",
        "200\n503\n200\nhost well",
    ),
    "undeployed_commits": (
        "cd /opt/healtharchive; git -C /srv/git/healtharchive.git rev-list --count $(git rev-parse HEAD)..main; "
        "git rev-list --count HEAD..origin/main",
        "0\n0",
        "2\n0",
    ),
}


def test_every_fault_is_seen_here() -> None:
    assert {fault.name for fault in faults.faults()} == set(SEEN)


@pytest.mark.parametrize("name", sorted(SEEN))
def test_a_fault_breaks_and_mends(sandbox: Sandbox, guest: str, name: str) -> None:
    command, well, broken = SEEN[name]
    assert sandbox.ssh(guest, command) == well  # positive control
    sandbox("break", name, "--name", guest)
    seen, listed = sandbox.ssh(guest, command), sandbox("list")
    sandbox("mend", name, "--name", guest)  # before the verdict, so that the next test finds a well guest
    assert seen == broken
    assert name in listed
    assert sandbox.ssh(guest, command) == well
    checks = healthy(sandbox, guest)
    assert checks == [], "\n".join(checks)


def test_faults_says_what_each_one_is(sandbox: Sandbox) -> None:
    text = sandbox("faults")
    for fault in faults.faults():
        assert fault.name in text
        assert fault.cause in text
        assert fault.expected_class in text
        assert fault.expected_next in text
