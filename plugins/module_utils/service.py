# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's own commands and scripts: the argv of each. Private to this collection.

Only commands that are here can be run (contract 2.3 and 3: some act unless told not to, some write although they only seem to
read). Each stands here in the form that changes nothing, but for those under "What acts".
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Sequence

from .settings import Settings

# Statuses whose jobs still want something (contract 2.2); `indexed` is the end and is counted only.
OPEN_STATUSES = ("queued", "running", "retryable", "completed", "failed", "indexing", "index_failed")

# What all commands that know the database import, and what takes most of their time (contract 1.3, 2.3).
COMMON_PACKAGES = ("sqlalchemy.orm", "sqlalchemy.dialects.postgresql.psycopg", "psycopg", "alembic.config")


def check_db(settings: Settings) -> List[str]:
    """``check-db``: its exit code is 0 for an empty SQLite file too (contract 1.3)."""
    return [settings.cli, "check-db"]


def list_jobs(settings: Settings, limit: int, statuses: Sequence[str] = OPEN_STATUSES) -> List[str]:
    """``list-jobs`` of the open statuses, or of some; an unknown one would answer `No jobs found.` (contract 2.4)."""
    return [settings.cli, "list-jobs", "--limit", str(limit), "--status", *statuses]


def reconcile_annual_tool_options(settings: Settings, year: int, sources: Sequence[str]) -> List[str]:
    """``reconcile-annual-tool-options`` without ``--apply``: a dry run, which writes nothing (contract 2.3)."""
    return [settings.cli, "reconcile-annual-tool-options", "--year", str(year), "--sources", *sources]


def alembic(settings: Settings, question: str) -> List[str]:
    """``alembic current`` or ``alembic heads``, through the interpreter so that a missing package says so."""
    if question not in ("current", "heads"):
        raise ValueError(question)
    return [settings.python, "-m", "alembic", question]


def verify_public_surface(settings: Settings, timeout_seconds: int) -> List[str]:
    """``verify_public_surface.py`` (contract 3.4), each request bounded."""
    argv = [settings.python, settings.script("verify_public_surface.py")]
    if settings.public_api_base:
        argv += ["--api-base", settings.public_api_base]
    if settings.public_frontend_base:
        argv += ["--frontend-base", settings.public_frontend_base]
    return [*argv, "--timeout-seconds", str(timeout_seconds), "--raw-timeout-seconds", str(timeout_seconds)]


def check_baseline_drift(settings: Settings, mode: str, as_json: bool = False) -> List[str]:
    """``check_baseline_drift.py`` without its report files, whose owner would be us (contract 3.3). ``as_json``: with the JSON
    below its report."""
    if mode not in ("local", "live"):
        raise ValueError(mode)
    argv = [settings.python, settings.script("check_baseline_drift.py"), "--mode", mode, "--no-write"]
    return [*argv, "--json"] if as_json else argv


class StaleSelection(NamedTuple):
    """Which running jobs ``recover-stale-jobs`` takes: it knows ages and a source, and no ids (contract 2.6)."""

    older_than_minutes: int
    no_progress_seconds: int
    include_missing_started_at: bool
    source: Optional[str] = None


def is_source(code: Optional[str]) -> bool:
    """Whether it can be given to a command as a source."""
    return code is not None and _SOURCE.fullmatch(code) is not None


_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def recover_stale_jobs(settings: Settings, selection: StaleSelection) -> List[str]:
    """``recover-stale-jobs`` as a dry run. It changes no row, but makes a lock file for each job that it considers where its
    environment says that locks lie (contract 1.6)."""
    argv = [settings.cli, "recover-stale-jobs", "--older-than-minutes", str(selection.older_than_minutes)]
    argv += ["--require-no-progress-seconds", str(selection.no_progress_seconds)]
    if selection.include_missing_started_at:
        argv.append("--include-missing-started-at")
    if selection.source is not None:
        if not is_source(selection.source):
            raise ValueError(selection.source)
        argv += ["--source", selection.source]
    return argv


def annual_tiering(settings: Settings, year: int, sources: Sequence[str]) -> List[str]:
    """``vps-annual-output-tiering.py`` without ``--apply``: it says which directories it would bind (contract 3.5).

    As root, with the environment of the env file: only root may mount. Without byte code, which would be root's.
    """
    if not all(is_source(source) for source in sources):
        raise ValueError(sources)
    script = settings.script("vps-annual-output-tiering.py")
    return [settings.python, "-B", script, "--year", str(year), "--sources", *sources]


def replay_reconcile(settings: Settings, jobs: Sequence[int], lock_file: str) -> List[str]:
    """``replay-reconcile`` as a dry run, which takes its lock too (surprise 22): it is given another one.

    As root (contract 1.10). It opens the crawler's state of a job without consolidated files, which writes it (surprise 17).
    """
    argv = [settings.cli, "replay-reconcile", "--job-id", *map(str, jobs), "--max-jobs", str(len(jobs))]
    return [*argv, "--lock-file", lock_file]


# What acts.


def replay_reconcile_applied(settings: Settings, job_id: int) -> List[str]:
    """The same for one job with ``--apply``: its links and its index are written. Exit code 0 when that failed, too."""
    return [settings.cli, "replay-reconcile", "--job-id", str(job_id), "--max-jobs", "1", "--apply"]


def bootstrap_ops_directories(settings: Settings) -> List[str]:
    """``vps-bootstrap-ops-dirs.sh``, which makes the ops directories at once and has no dry run (contract 3.5). By bash, for
    scripts are not always executable (surprise 40)."""
    return ["/bin/bash", settings.script("vps-bootstrap-ops-dirs.sh")]


def install_systemd_units(settings: Settings) -> List[str]:
    """``vps-install-systemd-units.sh --apply``: copies every template of a unit, enables and restarts nothing (contract 3.5)."""
    return ["/bin/bash", settings.script("vps-install-systemd-units.sh"), "--apply"]


def bind_mounts(settings: Settings) -> List[str]:
    """``vps-warc-tiering-bind-mounts.sh --apply``: binds what the manifest names and is not mounted. Never with its flag for
    stale mounts, which repairs none (surprise 37). By bash, for scripts are not always executable (surprise 40)."""
    argv = ["/bin/bash", settings.script("vps-warc-tiering-bind-mounts.sh"), "--apply"]
    return [*argv, "--manifest", settings.tiering_manifest, "--storagebox-mount", settings.storage_mount]


def annual_tiering_applied(settings: Settings, year: int, sources: Sequence[str]) -> List[str]:
    """The same with ``--apply`` and without either of its flags that unmount (surprise 36)."""
    return [*annual_tiering(settings, year, sources), "--apply"]


def reconcile_annual_tool_options_applied(settings: Settings, year: int, source: str) -> List[str]:
    """The same with ``--apply``, for one source: of a year it takes one job of each. Its exit code is 0 also when it could not
    change the job (contract 2.3)."""
    if not is_source(source):
        raise ValueError(source)
    return [*reconcile_annual_tool_options(settings, year, [source]), "--apply"]


def retry_job(settings: Settings, job_id: int) -> List[str]:
    """``retry-job``, which has no dry run: a ``failed`` job becomes ``retryable``, an ``index_failed`` one ``completed``.

    Its exit code is 0 when it changed nothing, too (contract 2.7).
    """
    return [settings.cli, "retry-job", "--id", str(job_id)]


def reset_retry_count(settings: Settings, job_id: int) -> List[str]:
    """``reset-retry-count --apply`` to 0: a job whose count is 0 already is "not found", with exit code 1 (contract 2.7)."""
    return [settings.cli, "reset-retry-count", "--id", str(job_id), "--apply"]


def recover_stale_jobs_applied(settings: Settings, selection: StaleSelection) -> List[str]:
    """``recover-stale-jobs --apply``: all that it selects become ``retryable``."""
    return [*recover_stale_jobs(settings, selection), "--apply"]


def verify_warcs(settings: Settings, job_id: int, level: int) -> List[str]:
    """``verify-warcs``: 1 reads every WARC file to its end, 2 every record. It changes no row, and writes a report into the job's
    directory; without a ``warcs/`` in it also the crawl's state (contract 2.3, 2.5). Never with ``--apply-quarantine``."""
    if level not in (1, 2):
        raise ValueError(level)
    return [settings.cli, "verify-warcs", "--id", str(job_id), "--level", str(level)]


def index_job(settings: Settings, job_id: int) -> List[str]:
    """``index-job``, which has no dry run. Its own look at the WARC files finds no truncated one, and the snapshots of a job that
    is indexed already are deleted and made anew, with other ids (contract 2.3, surprise 15)."""
    return [settings.cli, "index-job", "--id", str(job_id)]


def deploy(settings: Settings, ref: str, flags: Sequence[str]) -> List[str]:
    """``vps-deploy.sh --apply`` of one commit (contract 3.1), with everything that was looked at before named to it.

    By bash, for scripts are not always executable (surprise 40). Whoever takes more than these flags must look at what they do.
    """
    unknown = set(flags) - DEPLOY_FLAGS
    if unknown:
        raise ValueError("not known here: %s" % sorted(unknown))
    argv = ["/bin/bash", settings.script("vps-deploy.sh"), "--apply", "--baseline-mode", "live", "--ref", ref]
    argv += ["--repo-dir", settings.checkout, "--env-file", settings.env_file]
    argv += ["--lock-file", settings.deploy_lock_file, "--health-url", settings.api_url + "/api/health"]
    if settings.public_api_base:
        argv += ["--public-api-base", settings.public_api_base]
    if settings.public_frontend_base:
        argv += ["--public-frontend-base", settings.public_frontend_base]
    return [*argv, *flags]


DEPLOY_FLAGS = {
    *("--skip-worker-restart", "--skip-migrations", "--skip-public-surface-verify"),
    *("--install-systemd-units", "--apply-alerting", "--restart-replay"),
}
