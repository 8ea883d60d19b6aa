# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence documents for tests: a healthy host, and what each fault makes of it. The rules as the role ships them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import yaml
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.classification import classify_with
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import Evidence
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.rules import knowledge

ROLE = Path(__file__).resolve().parents[5] / "roles" / "triage"
RULES = yaml.safe_load((ROLE / "vars/rules.yml").read_text())["triage_rules"]
_FACTS = yaml.safe_load((ROLE / "vars/facts.yml").read_text())
REQUIRED_FACTS = _FACTS["triage_required_facts"]
BAD_EVIDENCE = _FACTS["triage_bad_evidence"]
KNOWN = knowledge(RULES, REQUIRED_FACTS, BAD_EVIDENCE)

API = "healtharchive-api.service"
WORKER = "healtharchive-worker.service"
SSHFS = "healtharchive-storagebox-sshfs.service"
TIERING = "healtharchive-warc-tiering.service"
HEAD = "a" * 40
NEWER = "b" * 40

Document = dict[str, Any]


def judge(evidence: Any) -> Document:
    """Classify with the rules of the role."""
    return classify_with(Evidence(evidence), KNOWN)


def rules_of(result: Document) -> list[str]:
    """The ids of the reported rules, in their order."""
    return [each["rule"] for each in result["classes"]]


def unit(state: str = "active", **changes: Any) -> Document:
    """One systemd unit."""
    running = state == "active"
    return {
        "load_state": "loaded",
        "active_state": state,
        "sub_state": "running" if running else "dead",
        "result": "success",
        "unit_file_state": "enabled",
        "restarts": 0,
        "main_pid": 100 if running else None,
        "started_at": "2026-11-23T12:00:00Z" if running else None,
        "condition_met": True,
        "restarting": False,
        **changes,
    }


def path(name: str, kind: str = "manifest", state: str = "ok", **changes: Any) -> Document:
    """One storage path."""
    return {
        "path": name,
        "kind": kind,
        "mounted": True,
        "fstype": "fuse.sshfs",
        "state": state,
        "errno": None,
        **changes,
    }


def job(number: int = 6, status: str = "queued", **changes: Any) -> Document:
    """One job."""
    return {
        "id": number,
        "source": "phac",
        "name": "phac-20260101",
        "status": status,
        "retry_count": 0,
        "created_at": "2026-11-23T10:00:00Z",
        "queued_at": "2026-11-23T10:00:00Z",
        "started_at": None,
        "finished_at": None,
        "crawler_status": None,
        "crawler_stage": None,
        "crawler_exit_code": None,
        "output_directory": None,
        "details": True,
        "status_known": True,
        "finished_age_seconds": None,
        "age_seconds": None,
        "lock": None,
        "log_age_seconds": None,
        "stale": None,
        "stalled": None,
        "campaign_year": None,
        "campaign": "none",
        "wrong_options": [],
        "listable": True,
        "directory_state": "missing",
        "writable": True,
        "tier": "none",
        "crawled": None,
        "crawl_total": None,
        "crawl_failed": None,
        "progress_age_seconds": None,
        "navigation_timeouts": None,
        "http2_errors": None,
        "poisoned_resume": None,
        "rejected_options": None,
        **changes,
    }


def running_job(number: int = 6, *, stale: bool | None, **changes: Any) -> Document:
    """A job marked running."""
    return job(
        number,
        "running",
        **{
            "started_at": "2026-11-23T12:50:00Z",
            "output_directory": "/srv/healtharchive/jobs/phac/x",
            "age_seconds": 18000.0,
            "lock": "free" if stale else "held",
            "log_age_seconds": 17000.0 if stale else 10.0,
            "stale": stale,
            "stalled": False,
            "directory_state": "ok",
            **changes,
        },
    )


def signature(code: str, age: float = 60.0, subject: str | None = None) -> Document:
    """One journal signature; the evidence is of 17:50."""
    minute, second = divmod(int(17 * 3600 + 50 * 60 - age), 60)
    seen = "2026-11-23T%02d:%02d:%02dZ" % (*divmod(minute, 60), second)
    return {"code": code, "count": 3, "last_seen_at": seen, "age_seconds": age, "subject": subject, "sample": "sample"}


def outside(url: str, problem: str | None = None, stage: str = "answer", **changes: Any) -> Document:
    """One public address as the controller saw it."""
    return {
        "url": url,
        "stage": stage,
        "failure": problem,
        "detail": None,
        "addresses": ["192.0.2.1"],
        "certificate": {"valid": True, "failure": None, "detail": None, "days_left": 60.5},
        "status": 200 if problem is None else None,
        "seconds": 0.1,
        "sound": problem is None,
        **changes,
    }


def watchdog(name: str, **changes: Any) -> Document:
    """One watchdog that has nothing to do."""
    target: Document = {"name": name, "enabled": True, "targets": [], "last_action_at": None, "idle": False}
    return {**target, **changes}


def replay_target(number: int, tier: str, state: str = "served", status: int | None = 200) -> Document:
    """What replay gave for an archived page."""
    path = "/job-%d/20260101000000mp_/https://archive.example.org/" % number
    return {"job_id": number, "tier": tier, "path": path, "state": state, "status": status, "seconds": 0.01}


def failure(check: str, status: int | None = 500) -> Document:
    """One failed public check."""
    return {"check": check, "status": status, "detail": "url=http://archive.example.org/x"}


def healthy_evidence() -> Document:
    """What a host shows on which nothing is wrong."""
    probes: Document = {
        "environment": {
            "path": "/etc/healtharchive/backend.env",
            "exists": True,
            "owner": "root",
            "group": "healtharchive",
            "mode": "0640",
            "readable_by_service_user": True,
            "environment_name": "production",
            "database_backend": "postgresql",
            "findings": [],
            "job_lock_directories": {"services": "/srv/locks", "shell": "/srv/locks"},
        },
        "database": {
            "reachable": True,
            "backend": "postgresql",
            "failure": None,
            "detail": None,
            "schema": {"current": ["0014"], "heads": ["0014"], "at_head": True},
        },
        "api": {"responds": True, "failure": None, "status": 200, "database_check": "ok", "seconds": 0.01},
        "public_surface": {
            "passed": True,
            "finished": True,
            "ok": 39,
            "failures": [],
            "api_base": None,
            "frontend_base": None,
        },
        "units": {
            "units": {
                API: unit(),
                WORKER: unit(),
                SSHFS: unit(),
                TIERING: unit(sub_state="exited"),
                "healtharchive-replay.service": unit(),
                "postgresql.service": unit(sub_state="exited"),
                "caddy.service": unit(),
                "docker.service": unit(),
            }
        },
        "journal": {
            "units": {
                name: {"lines": 20, "newest_at": "2026-11-23T17:49:00Z", "signatures": [], "tail": []}
                for name in (API, WORKER)
            }
        },
        "jobs": {
            "source": "admin_api",
            "cannot_know": [],
            "counts": {"indexed": 5},
            "jobs": [],
            "truncated": False,
            "annual_options": [],
        },
        "baseline_drift": {"drifted": False, "mode": "local", "failures": [], "warnings": []},
        "storage": {
            "base": path("/srv/healtharchive/storagebox", "base"),
            "paths": [
                path("/srv/healtharchive/jobs/imports/hc-2019"),
                path("/srv/healtharchive/jobs/hc/annual", "mount"),
            ],
            "disk": [{"path": "/", "size_bytes": 100, "available_bytes": 60, "used_percent": 40.0}],
            "manifest": {"exists": True, "entries": 1},
        },
        "watchdogs": {"watchdogs": [watchdog("crawl-auto-recover"), watchdog("storage-hotpath-auto-recover")]},
        "replay": {
            "responds": True,
            "failure": None,
            "status": 200,
            "seconds": 0.01,
            "collections": 2,
            "targets": [replay_target(5, "local"), replay_target(3, "mounted")],
        },
        "record": {
            "path": "/srv/healtharchive/ops/remediation/audit.jsonl",
            "size_bytes": 5000,
            "checked_bytes": 5000,
            "whole": True,
            "first_broken_line": None,
            "torn_end": False,
            "unfinished_actions": [],
            "unfinished_count": 0,
            "open_incidents": ["2026-11-23-api-down"],
        },
        "outside_view": {
            "sound": True,
            "api": outside("https://api.archive.example.org/api/health"),
            "frontend": outside("https://archive.example.org/en/archive"),
        },
        "deployment": {
            "head": HEAD,
            "subject": "Newest",
            "branch": "main",
            "dirty": False,
            "dirty_files": [],
            "origin_main": HEAD,
            "origin_main_from": "remote",
            "head_is_origin_main": True,
            "head_on_origin_main": True,
            "undeployed": {"count": 0, "commits": []},
            "environment": {"dependencies_met": True, "missing": [], "changed_at": "2026-11-23T11:00:00Z"},
            "checkout_changed_at": "2026-11-23T11:00:00Z",
            "processes": {name: {"started_at": "2026-11-23T12:00:00Z", "current": True} for name in (API, WORKER)},
            "deploy_lock": {"path": "/tmp/healtharchive-deploy.lock", "state": "free"},
        },
    }
    return {
        "schema_version": 1,
        "collected_at": "2026-11-23T17:50:00Z",
        "duration_seconds": 2.5,
        "deadline_seconds": 60,
        "host": {"hostname": "archive", "boot_id": "b", "uptime_seconds": 1000.0},
        "settings": {
            "checkout": "/opt/healtharchive",
            "cli": "/opt/healtharchive/.venv/bin/healtharchive",
            "env_file": "/etc/healtharchive/backend.env",
            "service_user": "haadmin",
            "archive_root": "/srv/healtharchive/jobs",
            "storage_mount": "/srv/healtharchive/storagebox",
            "tiering_manifest": "/etc/healtharchive/warc-tiering.binds",
            "ops_directory": "/srv/healtharchive/ops",
            "api_url": "http://127.0.0.1:8001",
            "replay_url": "http://127.0.0.1:8090",
            "deploy_lock_file": "/tmp/healtharchive-deploy.lock",
            "job_lock_directory": "/tmp/healtharchive-job-locks",
            "public_api_base": None,
            "public_frontend_base": None,
        },
        "probes": {
            name: {"status": "ok", "seconds": 0.1, "problems": [], "data": data} for name, data in probes.items()
        },
    }


def data(evidence: Document, probe: str) -> Document:
    """The data of one probe, to be changed in place."""
    return evidence["probes"][probe]["data"]


def unfinished(evidence: Document, *actions: str, **changes: Any) -> None:
    """These actions were begun and have no end on record, the newest last."""
    data(evidence, "record").update(
        unfinished_count=len(actions),
        unfinished_actions=[
            {
                "incident": "2026-11-23-api-down",
                "action": action,
                "action_id": "%s-1" % action,
                "begun_at": "2026-11-23T17:45:00Z",
                "age_seconds": 300.0,
                "subjects": ["healtharchive-api.service"],
                **changes,
            }
            for action in actions
        ],
    )


def unseen(evidence: Document, probe: str, code: str = "timed_out", message: str = "no answer") -> None:
    """Nothing can be concluded from this probe."""
    evidence["probes"][probe].update(status="unknown", data=None, problems=[{"code": code, "message": message}])


def partial(evidence: Document, probe: str) -> None:
    """This probe did not see everything."""
    evidence["probes"][probe].update(status="partial", problems=[{"code": "timed_out", "message": "not all"}])


def public_failures(evidence: Document, *failures: Document) -> None:
    """The public check failed."""
    data(evidence, "public_surface").update(passed=False, failures=list(failures))


def journal(evidence: Document, name: str, *signatures: Document) -> None:
    """The journal of a unit holds signatures."""
    data(evidence, "journal")["units"][name]["signatures"] = list(signatures)


def drifted(evidence: Document, *keys: str) -> None:
    """The baseline check found failures."""
    data(evidence, "baseline_drift").update(
        drifted=True, failures=[{"key": key, "message": "expected 'x' got 'y'"} for key in keys]
    )


def stale_running_row(evidence: Document) -> None:
    data(evidence, "units")["units"][WORKER] = unit("inactive")
    data(evidence, "jobs")["jobs"].append(running_job(stale=True))


def api_missing_dependency(evidence: Document) -> None:
    data(evidence, "units")["units"][API] = unit(
        "activating", sub_state="auto-restart", restarts=9, restarting=True, main_pid=None
    )
    data(evidence, "api").update(responds=False, failure="connection_refused", status=None, database_check=None)
    journal(evidence, API, signature("missing_module", 4.0, "slowapi"), signature("traceback", 4.0))
    data(evidence, "deployment")["environment"].update(dependencies_met=False, missing=["slowapi>=0.1.9"])
    public_failures(evidence, failure("api health", 502), failure("api search", 502))
    drifted(evidence, "dependencies:slowapi")
    data(evidence, "jobs").update(source="cli", counts=None, cannot_know=["jobs without a source"])


def missing_column(evidence: Document) -> None:
    journal(evidence, API, signature("undefined_column", 30.0, "snapshots.deduplicated"), signature("traceback", 30.0))
    public_failures(evidence, failure("api search"), failure("api changes"), failure("api changes rss"))


def postgresql_down(evidence: Document) -> None:
    units = data(evidence, "units")["units"]
    units["postgresql.service"] = unit("inactive")
    units[WORKER] = unit("inactive")
    refused = "connection to server failed: Connection refused"
    data(evidence, "database").update(
        reachable=False,
        failure="connection_refused",
        detail=refused,
        schema={"current": None, "heads": None, "at_head": None},
    )
    data(evidence, "api").update(status=500, database_check="error")
    unseen(evidence, "jobs", "command_failed", "list-jobs ended with 1")
    journal(evidence, API, signature("database_unreachable", 20.0, "127.0.0.1"))
    public_failures(evidence, failure("api health"), failure("api search"), failure("api sources"))


def env_file_unreadable(evidence: Document) -> None:
    data(evidence, "environment").update(owner="root", group="root", mode="0600", readable_by_service_user=False)
    drifted(evidence, "env_read_error", "filesystem:/etc/healtharchive/backend.env:mode")


def hot_path_stale(evidence: Document) -> None:
    storage = data(evidence, "storage")
    storage["paths"] = [path(each["path"], each["kind"], "stale", errno=107) for each in storage["paths"]]
    data(evidence, "units")["units"][TIERING] = unit("failed", result="exit-code")


def hot_path_hung(evidence: Document) -> None:
    storage = data(evidence, "storage")
    storage["base"]["state"] = "hung"
    storage["paths"] = [path(each["path"], each["kind"], "hung") for each in storage["paths"]]


def baseline_drift(evidence: Document) -> None:
    drifted(evidence, "env:HEALTHARCHIVE_CORS_ORIGINS", "filesystem:/srv/healtharchive/backups:mode")


def worker_inactive(evidence: Document) -> None:
    data(evidence, "units")["units"][WORKER] = unit("inactive")
    data(evidence, "jobs")["jobs"].append(job())


def undeployed_commits(evidence: Document) -> None:
    data(evidence, "deployment").update(
        origin_main=NEWER,
        head_is_origin_main=False,
        undeployed={"count": 2, "commits": [{"sha": NEWER, "subject": "Newer"}, {"sha": "c" * 40, "subject": "New"}]},
    )


def add_jobs(evidence: Document, *jobs: Document) -> None:
    """Jobs that are not indexed."""
    data(evidence, "jobs")["jobs"].extend(jobs)


def several_stale_rows(evidence: Document) -> None:
    data(evidence, "units")["units"][WORKER] = unit("inactive")
    add_jobs(
        evidence,
        running_job(6, stale=True),
        running_job(7, stale=True, source="hc"),
        running_job(8, stale=True, source="cihr", started_at=None, age_seconds=None),
    )


def stalled_crawl(evidence: Document) -> None:
    add_jobs(
        evidence,
        running_job(
            stale=False, stalled=True, crawled=437, crawl_total=3209, progress_age_seconds=7200.0, navigation_timeouts=40,
            http2_errors=0,
        ),
    )  # fmt: skip


def stale_beside_healthy(evidence: Document) -> None:
    add_jobs(evidence, running_job(9, stale=False, source="hc", name="hc-healthy"), running_job(stale=True))


def two_lock_directories(evidence: Document) -> None:
    environment = data(evidence, "environment")
    environment["job_lock_directories"]["services"] = "/tmp/healtharchive-job-locks"
    environment["findings"] = [{"line": 5, "code": "export_line", "variable": "HEALTHARCHIVE_JOB_LOCK_DIR"}]


def output_dir_not_writable(evidence: Document) -> None:
    journal(evidence, WORKER, signature("output_dir_not_writable", 60.0, "/srv/healtharchive/jobs/phac/x"))
    add_jobs(
        evidence,
        job(
            status="failed", crawler_status="failed", output_directory="/srv/healtharchive/jobs/phac/x",
            directory_state="ok", writable=False,
        ),
    )  # fmt: skip


def annual_job(**changes: Any) -> Document:
    """A waiting job of an annual campaign."""
    return job(**{"campaign_year": 2026, "campaign": "present", "tier": "no_directory", **changes})


def output_dir_on_root_disk(evidence: Document) -> None:
    add_jobs(evidence, annual_job(directory_state="ok", tier="local"))


def annual_options_drifted(evidence: Document) -> None:
    add_jobs(evidence, annual_job())
    record = {"job_id": 6, "source": "phac", "year": 2026, "options_drifted": True, "metadata_lost": False}
    data(evidence, "jobs")["annual_options"].append({**record, "changes": ["tool_options.initial_workers: 1 -> 2"]})


def campaign_metadata_lost(evidence: Document) -> None:
    add_jobs(evidence, annual_job(campaign="lost"))
    record = {"job_id": 6, "source": "phac", "year": 2026, "options_drifted": False, "metadata_lost": True}
    data(evidence, "jobs")["annual_options"].append({**record, "changes": ["campaign_kind: None -> annual"]})


def bad_crawler_option(evidence: Document) -> None:
    add_jobs(
        evidence,
        job(
            status="failed", crawler_status="infra_error_config", output_directory="/srv/healtharchive/jobs/phac/x",
            rejected_options="--extraChromeArgs --disable-http2",
        ),
    )  # fmt: skip


def poisoned_resume(evidence: Document) -> None:
    add_jobs(
        evidence,
        job(
            status="failed", crawler_status="failed", output_directory="/srv/healtharchive/jobs/phac/x", crawled=0,
            crawl_total=2, crawl_failed=2, poisoned_resume=True,
        ),
    )  # fmt: skip


def unlistable_row(evidence: Document) -> None:
    add_jobs(evidence, job(wrong_options=["initial_workers=abc"], listable=False))


def sourceless_job(evidence: Document) -> None:
    add_jobs(evidence, job(source=None, name="no-source"))


def public_proxy_broken(evidence: Document) -> None:
    data(evidence, "units")["units"]["caddy.service"] = unit("failed", result="exit-code")
    public_failures(
        evidence, failure("api health", None), failure("api stats", None), failure("frontend archive-en", None)
    )
    seen = data(evidence, "outside_view")
    refused = {name: outside(seen[name]["url"], "connection_refused", "connection") for name in ("api", "frontend")}
    seen.update(sound=False, **refused)


def idle_watchdog(evidence: Document) -> None:
    data(evidence, "jobs")["jobs"].append(running_job(stale=False))
    data(evidence, "watchdogs")["watchdogs"][0].update(
        idle=True, targets=[{"subject": "job 6", "seen_for_seconds": 10800.0}]
    )


def pending_migration(evidence: Document) -> None:
    missing_column(evidence)
    data(evidence, "database")["schema"].update(current=["0013"], at_head=False)


def wrong_database_password(evidence: Document) -> None:
    data(evidence, "database").update(
        reachable=False,
        failure="authentication_failed",
        detail="password authentication failed for user healtharchive",
        schema={"current": None, "heads": None, "at_head": None},
    )
    data(evidence, "api").update(status=500, database_check="error")
    unseen(evidence, "jobs", "command_failed", "list-jobs ended with 1")
    journal(evidence, API, signature("database_authentication", 20.0, "healtharchive"))
    public_failures(evidence, failure("api health"), failure("api search"), failure("api sources"))


def tiering_unit_failed(evidence: Document) -> None:
    data(evidence, "units")["units"][TIERING] = unit("failed", result="exit-code")


def unit_disabled(evidence: Document) -> None:
    data(evidence, "units")["units"][WORKER] = unit(unit_file_state="disabled")
    drifted(evidence, "systemd:healtharchive-worker.service:enabled")


def disk_nearly_full(evidence: Document) -> None:
    data(evidence, "storage")["disk"].append(
        {"path": "/srv/healtharchive/jobs", "size_bytes": 100, "available_bytes": 12, "used_percent": 88.0}
    )


def unpushed_commit(evidence: Document) -> None:
    data(evidence, "deployment").update(head=NEWER, head_is_origin_main=False, head_on_origin_main=False)
    data(evidence, "deployment")["processes"][API]["current"] = False


def dirty_checkout(evidence: Document) -> None:
    data(evidence, "deployment").update(dirty=True, dirty_files=["README.md"])


def deploy_running(evidence: Document) -> None:
    data(evidence, "deployment")["deploy_lock"]["state"] = "held"


def replay_target_failing(evidence: Document) -> None:
    data(evidence, "replay")["targets"][1] = replay_target(3, "mounted", "failing", 503)


def no_replay(evidence: Document) -> None:
    """A site without replay, which is no fault."""
    data(evidence, "units")["units"]["healtharchive-replay.service"] = unit(
        "inactive", load_state="not-found", unit_file_state=""
    )
    data(evidence, "replay").update(
        responds=False, failure="connection_refused", status=None, collections=0, targets=[]
    )


Fault = Callable[[Document], None]

# Fault -> the class that must come first, the rule, and what the next command must hold.
FAULTS: dict[str, tuple[Fault, str, str, str]] = {
    fault.__name__: (fault, fault_class, rule, command)
    for fault, fault_class, rule, command in (
        (
            stale_running_row,
            "stale_state",
            "stale_running_row",
            "healtharchive recover-stale-jobs --older-than-minutes 180",
        ),
        (
            api_missing_dependency,
            "deployment",
            "dependency_missing",
            "vps-deploy.sh --baseline-mode live --ref " + HEAD,
        ),
        (missing_column, "deployment", "missing_column", "journalctl -u healtharchive-api.service"),
        (postgresql_down, "service", "postgresql_down", "journalctl --unit 'postgresql*'"),
        (
            env_file_unreadable,
            "config_drift",
            "env_file_unreadable",
            "chown -c root:healtharchive /etc/healtharchive/backend.env",
        ),
        (hot_path_stale, "storage", "hot_path_stale", "umount --lazy -- /srv/healtharchive/jobs/"),
        (replay_target_failing, "storage", "replay_mount_dead", "systemctl status healtharchive-replay.service"),
        (hot_path_hung, "storage", "hot_path_hung", "systemctl status healtharchive-storagebox-sshfs.service"),
        (baseline_drift, "config_drift", "baseline_drift", "check_baseline_drift.py --mode local --no-write"),
        (worker_inactive, "service", "worker_inactive", "systemctl status healtharchive-worker.service"),
        (several_stale_rows, "stale_state", "stale_running_row", "--include-missing-started-at"),
        (stalled_crawl, "crawler_compatibility", "crawl_stalled", "tail -n 50' /srv/healtharchive/jobs/phac/x"),
        (stale_beside_healthy, "stale_state", "stale_running_row", "--require-no-progress-seconds 300 --source phac"),
        (two_lock_directories, "config_drift", "lock_directories_differ", "grep -n HEALTHARCHIVE_JOB_LOCK_DIR"),
        (
            output_dir_not_writable,
            "storage",
            "job_directory_not_writable",
            "findmnt --target /srv/healtharchive/jobs/phac/x --output",
        ),
        (
            output_dir_on_root_disk,
            "storage",
            "annual_directory_on_local_disk",
            "vps-annual-output-tiering.py --year 2026 --sources phac",
        ),
        (
            annual_options_drifted,
            "config_drift",
            "annual_options_drifted",
            "reconcile-annual-tool-options --year 2026 --sources phac",
        ),
        (
            campaign_metadata_lost,
            "config_drift",
            "campaign_metadata_lost",
            "reconcile-annual-tool-options --year 2026 --sources phac",
        ),
        (bad_crawler_option, "config_drift", "crawler_option_rejected", "tail -n 20' /srv/healtharchive/jobs/phac/x"),
        (poisoned_resume, "stale_state", "poisoned_resume", "tail -n 20' /srv/healtharchive/jobs/phac/x"),
        (unlistable_row, "config_drift", "unlistable_row", "config -> 'tool_options'"),
        (sourceless_job, "config_drift", "sourceless_job", "source_id IS NULL"),
        (public_proxy_broken, "service", "public_api_unreachable", "systemctl status caddy.service"),
        (idle_watchdog, "automation", "watchdog_idle", "journalctl -u healtharchive-crawl-auto-recover.service"),
        (pending_migration, "deployment", "migration_pending", "vps-deploy.sh --baseline-mode live --ref " + HEAD),
        (wrong_database_password, "service", "database_credentials", "healtharchive check-db"),
        (
            tiering_unit_failed,
            "storage",
            "storage_unit_failed",
            "systemctl status healtharchive-storagebox-sshfs.service",
        ),
        (unit_disabled, "config_drift", "unit_disabled", "systemctl list-unit-files"),
        (disk_nearly_full, "capacity", "disk_full", "du --one-file-system"),
        (unpushed_commit, "deployment", "head_not_on_main", "git -C /opt/healtharchive log"),
        (dirty_checkout, "deployment", "checkout_dirty", "git -C /opt/healtharchive status --short"),
        (deploy_running, "deployment", "deploy_running", "-lname /tmp/healtharchive-deploy.lock"),
        (undeployed_commits, "deployment", "undeployed_commits", "vps-deploy.sh --baseline-mode live --ref " + NEWER),
    )
}
