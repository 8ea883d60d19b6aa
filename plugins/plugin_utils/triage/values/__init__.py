# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that texts and commands of a rule can name as ``{name}`` (docs/triage.md). Private to this collection.

Each is computed from the evidence; None where the evidence does not say it. What a command may name is checked here for
its form, for it is pasted into a shell: settings, job numbers, commits, paths and fixed options, never a text from a
log.
"""

from __future__ import annotations

from typing import Callable, Dict

from ..evidence import Evidence
from ..templates import Value
from . import commands, host, jobs
from .reading import Look, listed, scalar, setting, sound_path, strings, texts

API = "healtharchive-api.service"
WORKER = "healtharchive-worker.service"


def look_up(evidence: Evidence) -> Callable[[str], Value]:
    """The values of one evidence document, by name."""
    return lambda name: TEXT_VALUES[name](evidence)


# What a command may name. Values are quoted for the shell; a list is several words.
COMMAND_VALUES: Dict[str, Look] = {
    "archive_root": setting("archive_root", sound_path),
    "as_service_user": commands.as_service_user,
    "checkout": commands.checkout,
    "cli": commands.below_checkout(".venv/bin/healtharchive"),
    "deploy_lock_file": commands.deploy_lock_file,
    "drifted_campaign_options": commands.campaign_options(jobs.reconciled("options_drifted"), "year"),
    "dry_run_deploy_of_main": commands.deploy(commands.commit("origin_main")),
    "dry_run_deploy_to_repair": commands.deploy(commands.repair_commit),
    "env_file": commands.env_file,
    "hung_paths": host.paths_in("hung"),
    "local_campaign_options": commands.campaign_options(jobs.local, "campaign_year"),
    "lost_campaign_options": commands.campaign_options(
        jobs.picked(status=jobs.OPEN, campaign=["lost"]), "campaign_year"
    ),
    "ops_directory": setting("ops_directory", sound_path),
    "poisoned_directory": commands.directory(jobs.poisoned),
    "python": commands.below_checkout(".venv/bin/python3"),
    "recover_options": commands.recover_options,
    "rejected_directory": commands.directory(jobs.rejected),
    "service_user": commands.service_user,
    "stale_paths": host.paths_in("stale"),
    "stalled_directory": commands.directory(jobs.stalled),
    "storage_mount": setting("storage_mount", sound_path),
    "suspect_directories": host.suspect_directories,
    "surface_options": commands.surface_options("--api-base", "--frontend-base"),
    "tiering_manifest": setting("tiering_manifest", sound_path),
    "unwritable_directory": commands.directory(jobs.unwritable),
    "with_environment": commands.with_environment,
}

# What a text may name: those, and what the host said.
TEXT_VALUES: Dict[str, Look] = {
    **COMMAND_VALUES,
    "api_failure": scalar("api", "failure"),
    "api_restarts": host.restarts(API),
    "api_state": scalar("units", "units", API, "active_state"),
    "bad_units": host.bad_units,
    "base_state": scalar("storage", "base", "state"),
    "database_backend": scalar("environment", "database_backend"),
    "database_detail": scalar("database", "detail"),
    "database_failure": scalar("database", "failure"),
    "disabled_units": host.disabled_units,
    "dirty_files": strings("deployment", "dirty_files"),
    "drifted_options": jobs.drifted_options,
    "drift_failures": texts(listed("baseline_drift", "failures"), "key", "message", separator=": "),
    "env_file_group": scalar("environment", "group"),
    "env_file_mode": scalar("environment", "mode"),
    "env_file_owner": scalar("environment", "owner"),
    "env_findings": texts(listed("environment", "findings"), "line", "code", "variable"),
    "failed_jobs": jobs.job_names(status=["failed"]),
    "fullest_disk": host.fullest_disk,
    "head": commands.commit("head"),
    "healthy_jobs": jobs.named(jobs.healthy),
    "idle_watchdogs": texts(
        lambda evidence: (w for w in listed("watchdogs", "watchdogs")(evidence) if w.get("idle") is True), "name"
    ),
    "index_failed_jobs": jobs.job_names(status=["index_failed"]),
    "local_jobs": jobs.named(jobs.local),
    "lock_directory_of_services": scalar("environment", "job_lock_directories", "services"),
    "lock_directory_of_shell": scalar("environment", "job_lock_directories", "shell"),
    "lost_campaign_jobs": jobs.job_names(status=jobs.OPEN, campaign=["lost"]),
    "missing_dependencies": strings("deployment", "environment", "missing"),
    "missing_in_schema": host.subjects(API, "undefined_column", "undefined_table"),
    "missing_modules": host.subjects(API, "missing_module", "import_error"),
    "origin_main": commands.commit("origin_main"),
    "poisoned_jobs": jobs.named(jobs.poisoned),
    "neglected_targets": host.neglected,
    "outside_answers": host.outside("api", "frontend"),
    "postgresql_state": scalar("units", "units", "postgresql.service", "active_state"),
    "public_failures": texts(listed("public_surface", "failures"), "check", "status"),
    "rejected_jobs": jobs.named(jobs.rejected),
    "rejected_options": texts(jobs.rejected, "rejected_options"),
    "replay_failures": texts(host.unserved, "what", "answer"),
    "running_jobs": jobs.job_names(status=["running"]),
    "schema_current": strings("database", "schema", "current"),
    "schema_heads": strings("database", "schema", "heads"),
    "sourceless_jobs": jobs.job_names(source=["none"]),
    "stale_jobs": jobs.job_names(status=["running"], stale=[True]),
    "stale_paths_outside_manifest": texts(
        lambda evidence: (p for p in host.paths(evidence) if p.get("state") == "stale" and p.get("kind") == "mount"),
        "path",
    ),
    "stalled_jobs": jobs.named(jobs.stalled),
    "stalled_progress": jobs.progress,
    "troubled_paths": texts(
        lambda evidence: (p for p in host.paths(evidence) if p.get("state") != "ok"), "path", "state", "errno"
    ),
    "undeployed_count": scalar("deployment", "undeployed", "count"),
    "undeployed_subjects": texts(listed("deployment", "undeployed", "commits"), "subject"),
    "unindexed_jobs": jobs.job_names(status=["completed"]),
    "unknown_status_jobs": jobs.job_names(status_known=[False]),
    "unknown_statuses": texts(jobs.picked(status_known=[False]), "status"),
    "unlistable_jobs": jobs.named(jobs.unlistable),
    "unmounted_paths": host.paths_in("not_mounted", "missing"),
    "unwritable_jobs": jobs.named(jobs.unwritable),
    "waiting_jobs": jobs.job_names(status=["queued", "retryable"]),
    "worker_result": scalar("units", "units", WORKER, "result"),
    "worker_state": scalar("units", "units", WORKER, "active_state"),
    "wrong_options": texts(
        lambda evidence: (
            {"text": word}
            for job in jobs.unlistable(evidence)
            for word in (job.get("wrong_options") if isinstance(job.get("wrong_options"), list) else [])
        ),
        "text",
    ),
}
