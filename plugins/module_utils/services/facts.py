# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence, put into the few words that a decision needs: a pure function. What was not seen is ``unknown`` or None.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..parse import times
from .seen import API, DOCKER, POSTGRESQL, WORKER, End, Look

# The worker starts no crawl from here on (contract 1.9); the service's own alert calls this much critical (contract 4.15).
FULL_PERCENT = 85.0
CRITICAL_PERCENT = 92.0
# A journal line speaks of a unit that restarts again and again, or of one that works badly, when it is this young.
_PRESENT_SECONDS = 120
# ... and of one that has ended, when it is not older than this many seconds before its end.
_BEFORE_END_SECONDS = 60
_A_RUN_BEFORE_SECONDS = 15
_OF_STORAGE = ("stale", "hung", "missing", "not_mounted", "other_mount", "not_writable", "error")
_OF_SCHEMA = ("undefined_column", "undefined_table")
_OF_MODULES = ("missing_module", "import_error")
_OF_DATABASE = ("database_authentication", "database_unreachable")
_DEPLOY = {"held": "running", "free": "none", "absent": "none", "cleared": "none"}
_DATABASE_WORDS = {
    "connection_refused": "refused",
    "authentication_failed": "credentials",
    "missing_module": "missing_module",
    "undefined_column": "schema",
    "no_such_table": "schema",
}


class Unit(NamedTuple):
    """``state``: ``up``, ``down`` (inactive or failed), ``looping`` (restarted by systemd again and again), ``changing`` (on its
    way to another state), ``missing``, ``masked``, ``unknown``. ``enabled``: False when no boot starts it. ``skipped``: systemd
    skipped its last start, for a condition that is not met. ``codes``: of the journal, what speaks of its state now."""

    state: str
    word: str = ""
    result: str = ""
    enabled: bool = True
    skipped: bool = False
    started_at: Optional[str] = None
    end: End = End("unknown")
    codes: Mapping[str, str] = {}


class RunningJob(NamedTuple):
    """A job that is marked running. ``stale``: nothing crawls it any more; None where that is not known."""

    id: int
    words: str
    stale: Optional[bool]


class Facts(NamedTuple):
    """``database``: ``ok``, ``refused`` (nothing listens), ``credentials``, ``missing_module``, ``schema``, ``unusable``,
    ``no_program`` (the service's command does not start) or ``unknown``. ``api_answer``: ``ok``, ``database_error``, ``other``,
    ``silent`` or ``unknown``.
    ``dead_clusters``: PostgreSQL's servers that do not run, though its unit is up. ``absent``: what the code asks the schema for
    and does not find. ``fresh_environment``: the environment file was changed after that unit had started. ``pause`` as in
    :class:`.seen.Look`."""

    api: Unit
    worker: Unit
    postgresql: Unit
    docker: Unit
    deploy: str  # running, none, unknown
    environment: str  # ok, missing, unreadable, no_database, unknown
    database: str
    database_detail: str
    api_answer: str
    missing_dependencies: Optional[Tuple[str, ...]]
    schema_at_head: Optional[bool]
    absent: Tuple[str, ...]
    storage_trouble: Optional[Tuple[str, ...]]
    full_disks: Optional[Tuple[str, ...]]
    root_critical: bool
    rejected_options: Tuple[str, ...]
    running_jobs: Optional[Tuple[RunningJob, ...]]
    dead_clusters: Mapping[str, str]
    pause: Optional[str]
    fresh_environment: Mapping[str, bool]
    head: Optional[str]
    repair_commit: Optional[str]
    undeployed: Optional[int]
    unseen: Tuple[str, ...]  # probes without data, and why


def from_evidence(probes: Mapping[str, Any], look: Look) -> Facts:
    """``probes``: of the evidence document (docs/evidence.md), those of :data:`PROBES` at least."""
    seen = {name: (probes.get(name) or {}).get("data") or {} for name in (*PROBES, "public_surface")}
    database, detail = _database(probes.get("database") or {})
    deployment = seen["deployment"]
    units = seen["units"].get("units") or {}
    found = {name: _unit(units.get(name), look.ends.get(name), _signatures(seen, name)) for name in _UNITS}
    missing = (deployment.get("environment") or {}).get("missing")
    met = (deployment.get("environment") or {}).get("dependencies_met")
    on_main = deployment.get("head_on_origin_main")
    disks = seen["storage"].get("disk")
    return Facts(
        api=found[API],
        worker=found[WORKER],
        postgresql=found[POSTGRESQL],
        docker=found[DOCKER],
        deploy=_DEPLOY.get((deployment.get("deploy_lock") or {}).get("state") or "", "unknown"),
        environment=_environment(seen["environment"]),
        database=database,
        database_detail=detail,
        api_answer=_api_answer(seen["api"]),
        missing_dependencies=None if met is None else tuple(missing or ()),
        schema_at_head=(seen["database"].get("schema") or {}).get("at_head"),
        absent=_absent(seen, database, found[API], look.routes_fail),
        storage_trouble=_storage(seen["storage"]),
        full_disks=None if not disks else tuple(_disk(each) for each in disks if each["used_percent"] >= FULL_PERCENT),
        root_critical=any(each["path"] == "/" and each["used_percent"] >= CRITICAL_PERCENT for each in disks or ()),
        rejected_options=tuple(
            "job %d: %s" % (job["id"], job["rejected_options"])
            for job in seen["jobs"].get("jobs") or ()
            if job.get("rejected_options") and job["status"] in ("failed", "retryable")
        ),
        running_jobs=_running(seen["jobs"].get("jobs")),
        dead_clusters=look.dead_clusters or {},
        pause=look.pause,
        fresh_environment={name: _is_after(look.env_file_changed_at, unit.started_at) for name, unit in found.items()},
        head=deployment.get("head"),
        repair_commit=deployment.get("head") if on_main is True else deployment.get("origin_main"),
        undeployed=(deployment.get("undeployed") or {}).get("count"),
        unseen=tuple(_unseen(name, probes.get(name)) for name in PROBES if not seen[name]) + tuple(look.problems),
    )


# What a decision is made from. The check of the public surface is read where there is one; see `ends` for what is asked instead.
PROBES = ("units", "journal", "database", "api", "deployment", "storage", "environment", "jobs")
_UNITS = (API, WORKER, POSTGRESQL, DOCKER)


def names_schema(probes: Mapping[str, Any]) -> bool:
    """Whether the API's journal names something that the database does not have."""
    data = (probes.get("journal") or {}).get("data") or {}
    return any(each["code"] in _OF_SCHEMA for each in _signatures({"journal": data}, API))


def _signatures(seen: Mapping[str, Any], unit: str) -> List[Dict[str, Any]]:
    found = (seen["journal"].get("units") or {}).get(unit) or {}
    return list(found.get("signatures") or ())


def _unit(shown: Optional[Mapping[str, Any]], end: Optional[End], signatures: List[Dict[str, Any]]) -> Unit:
    if shown is None:
        return Unit("unknown")
    state = _state(shown)
    end = end if end is not None and state in ("down", "looping") else End("unknown")
    return Unit(
        state=state,
        word=shown["active_state"],
        result=shown["result"],
        enabled=shown["unit_file_state"] not in ("disabled", "masked", "masked-runtime"),
        skipped=state == "down" and shown["condition_met"] is False,
        started_at=shown["started_at"],
        end=end,
        codes={
            each["code"]: each["subject"] or "" for each in signatures if _is_present(each, shown["started_at"], end)
        },
    )


def _state(shown: Mapping[str, Any]) -> str:
    if shown["load_state"] == "masked":
        return "masked"
    if shown["load_state"] != "loaded":
        return "missing"
    if shown["restarting"]:
        return "looping"
    return {"active": "up", "inactive": "down", "failed": "down"}.get(shown["active_state"], "changing")


def _is_present(signature: Mapping[str, Any], started_at: Optional[str], end: End) -> bool:
    """What a journal says was. It is so still where it was said just now, or at the end of a run that has ended."""
    if end.at is not None:
        of_this_run = signature["last_seen_at"] >= (end.since or "")
        return of_this_run and times.to_epoch(signature["last_seen_at"]) >= times.to_epoch(end.at) - _BEFORE_END_SECONDS
    age = signature["age_seconds"]
    if age is None or age > _PRESENT_SECONDS:
        return False
    if end.since is not None:
        # One that loops: the run of now may have said nothing yet.
        return times.to_epoch(signature["last_seen_at"]) >= times.to_epoch(end.since) - _A_RUN_BEFORE_SECONDS
    return started_at is None or signature["code"] in _OF_MODULES or signature["last_seen_at"] >= started_at


def _environment(data: Mapping[str, Any]) -> str:
    if data.get("exists") is False:
        return "missing"
    if data.get("readable_by_service_user") is False:
        return "unreadable"
    if data.get("database_backend") in ("missing", "empty", "sqlite", "other"):
        return "no_database"
    known = data.get("readable_by_service_user") is True and data.get("database_backend") == "postgresql"
    return "ok" if known else "unknown"


def _database(record: Mapping[str, Any]) -> Tuple[str, str]:
    data = record.get("data")
    if data is None:
        codes = {problem["code"] for problem in record.get("problems") or ()}
        return ("no_program" if codes & {"not_found", "permission_denied"} else "unknown"), ""
    if data["reachable"] is True:
        return "ok", ""
    return _DATABASE_WORDS.get(data["failure"], "unusable"), data.get("detail") or ""


def _api_answer(data: Mapping[str, Any]) -> str:
    if not data:
        return "unknown"
    if not data["responds"]:
        return "silent"
    if data["database_check"] == "error":
        return "database_error"
    return "ok" if data["database_check"] == "ok" and data["status"] == 200 else "other"


def _absent(seen: Mapping[str, Any], database: str, api: Unit, routes_fail: Optional[bool]) -> Tuple[str, ...]:
    """What the schema lacks, only with a symptom of now: a page that fails, or the service's own command. Without the database
    all pages fail."""
    if database == "schema":
        return (seen["database"].get("detail") or "",)
    if database != "ok" or api.state != "up":
        return ()
    since = api.started_at or ""
    named = [each for each in _signatures(seen, API) if each["code"] in _OF_SCHEMA and each["last_seen_at"] >= since]
    if routes_fail is None:
        routes_fail = _public_check_fails(seen["public_surface"])
    if routes_fail is None:
        # Nobody could ask: what the journal says of just now is what there is.
        named = [each for each in named if each["age_seconds"] is not None and each["age_seconds"] <= _PRESENT_SECONDS]
    elif not routes_fail:
        named = []
    return tuple(each["subject"] or each["code"] for each in named)


def _public_check_fails(data: Mapping[str, Any]) -> Optional[bool]:
    """The check of the public surface, if it was made: it knows nothing of the API where the proxy is at fault."""
    if any(each.get("status") == 500 for each in data.get("failures") or ()):
        return True
    return False if data.get("passed") is True else None


def _storage(data: Mapping[str, Any]) -> Optional[Tuple[str, ...]]:
    if not data or any(each["state"] is None for each in data["paths"]):
        return None
    found = ["%s is %s" % (each["path"], each["state"]) for each in data["paths"] if each["state"] in _OF_STORAGE]
    base = data["base"]
    # A host without a storage box has nothing there, and no manifest.
    if base["state"] in _OF_STORAGE and (data["manifest"]["exists"] is not False or base["mounted"]):
        found.insert(0, "%s is %s" % (base["path"], base["state"]))
    return tuple(found)


def _disk(each: Mapping[str, Any]) -> str:
    return "%s %.1f %% used" % (each["path"], each["used_percent"])


def _running(jobs: Optional[List[Dict[str, Any]]]) -> Optional[Tuple[RunningJob, ...]]:
    if jobs is None:
        return None
    return tuple(
        RunningJob(
            job["id"],
            "job %d (%s, %s of %s pages, lock %s, retry %s)"
            % (
                job["id"],
                job["source"],
                *("?" if job.get(name) is None else job[name] for name in ("crawled", "crawl_total")),
                job.get("lock") or "not known",
                "?" if job["retry_count"] is None else job["retry_count"],
            ),
            job.get("stale"),
        )
        for job in jobs
        if job["status"] == "running"
    )


def _is_after(changed_at: Optional[str], started_at: Optional[str]) -> bool:
    return changed_at is not None and started_at is not None and changed_at > started_at


def _unseen(name: str, record: Optional[Mapping[str, Any]]) -> str:
    problems = (record or {}).get("problems") or ()
    return "%s (%s)" % (name, problems[0]["message"]) if problems else name


__all__ = ("CRITICAL_PERCENT", "FULL_PERCENT", "PROBES", "Facts", "RunningJob", "Unit", "from_evidence", "names_schema")
