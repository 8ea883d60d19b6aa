# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's own commands and scripts: the argv of each. Private to this collection.

Only commands that are here can be run. First those in a form that changes nothing, then, by themselves, those that act
(contract 2.3 and 3: some act unless told not to, some write although they only seem to read). What acts is run by
:meth:`change.Action.act` alone.
"""

from __future__ import annotations

from typing import List, Sequence

from .settings import Settings

# Statuses whose jobs still want something (contract 2.2); `indexed` is the end and is counted only.
OPEN_STATUSES = ("queued", "running", "retryable", "completed", "failed", "indexing", "index_failed")

# What all commands that know the database import, and what takes most of their time (contract 1.3, 2.3).
COMMON_PACKAGES = ("sqlalchemy.orm", "sqlalchemy.dialects.postgresql.psycopg", "psycopg", "alembic.config")


def check_db(settings: Settings) -> List[str]:
    """``check-db``: its exit code is 0 for an empty SQLite file too (contract 1.3)."""
    return [settings.cli, "check-db"]


def list_jobs(settings: Settings, limit: int) -> List[str]:
    """``list-jobs`` of the open statuses; an unknown status would answer `No jobs found.` (contract 2.4)."""
    return [settings.cli, "list-jobs", "--limit", str(limit), "--status", *OPEN_STATUSES]


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


def check_baseline_drift(settings: Settings, mode: str) -> List[str]:
    """``check_baseline_drift.py`` without its report files, whose owner would be us (contract 3.3)."""
    if mode not in ("local", "live"):
        raise ValueError(mode)
    return [settings.python, settings.script("check_baseline_drift.py"), "--mode", mode, "--no-write"]


# What acts.


def retry_job(settings: Settings, job_id: int) -> List[str]:
    """``retry-job``, which has no dry run: a ``failed`` job becomes ``retryable``, an ``index_failed`` one ``completed``.

    Its exit code is 0 when it changed nothing, too (contract 2.7).
    """
    return [settings.cli, "retry-job", "--id", str(job_id)]


def reset_retry_count(settings: Settings, job_id: int) -> List[str]:
    """``reset-retry-count --apply`` to 0: a job whose count is 0 already is "not found", with exit code 1 (contract 2.7)."""
    return [settings.cli, "reset-retry-count", "--id", str(job_id), "--apply"]
