# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that texts and commands of a rule can name as ``{name}`` (docs/triage.md). Private to this collection.

Each is computed from the evidence; None where the evidence does not say it. What a command may name is checked here for
its form, for it is pasted into a shell: settings, job numbers, commits, paths and fixed options, never a text from a
log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, Dict, Iterator, List, Optional

from ..outside_view import answer
from .evidence import Evidence
from .templates import Value
from .unknown import Listing, kind, member

API = "healtharchive-api.service"
WORKER = "healtharchive-worker.service"

# The runbook's own measure (contract 4.1); a younger stale row needs a smaller one to be listed.
_OLDER_THAN_MINUTES = 180
# As long as a log must have been quiet for a row to count as stale: no crawl that still moves is ever listed.
_QUIET_SECONDS = 300
_SHOWN = 5

# Loads the production environment as the service user; ends at once when the file cannot be read (contract 1.3).
_LOAD_ENVIRONMENT = 'set -a; . "$0"; set +a; exec "$@"'

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/-]*)?")

Look = Callable[[Evidence], Value]


def look_up(evidence: Evidence) -> Callable[[str], Value]:
    """The values of one evidence document, by name."""
    return lambda name: TEXT_VALUES[name](evidence)


def _path(value: Any) -> Optional[str]:
    sound = isinstance(value, str) and value.startswith("/") and value.isprintable() and len(value) <= 1000
    return value if sound and not _surrogates(value) else None


def _surrogates(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _setting(name: str, check: Callable[[Any], Optional[str]]) -> Look:
    return lambda evidence: check(evidence.setting(name))


def _matching(pattern: "re.Pattern[str]") -> Callable[[Any], Optional[str]]:
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None


_checkout = _setting("checkout", _path)
_env_file = _setting("env_file", _path)
_service_user = _setting("service_user", _matching(_ACCOUNT))
_deploy_lock_file = _setting("deploy_lock_file", _path)


def _below_checkout(path: str) -> Look:
    def value(evidence: Evidence) -> Value:
        checkout = _checkout(evidence)
        return None if checkout is None else "%s/%s" % (checkout, path)

    return value


def _as_service_user(evidence: Evidence) -> Value:
    user = _service_user(evidence)
    return ["sudo", "-u", user] if isinstance(user, str) else None


def _with_environment(evidence: Evidence) -> Value:
    words, env_file = _as_service_user(evidence), _env_file(evidence)
    if not isinstance(words, list) or not isinstance(env_file, str):
        return None
    return [*words, "bash", "-ec", _LOAD_ENVIRONMENT, env_file]


def _deploy(commit: Callable[[Evidence], Optional[str]]) -> Look:
    """The pinned deploy of a commit, as a dry run: it does nothing without ``--apply`` (contract 3.1, 4.2)."""

    def words(evidence: Evidence) -> Value:
        as_user, script, sha = (
            _as_service_user(evidence),
            _below_checkout("scripts/vps-deploy.sh")(evidence),
            commit(evidence),
        )
        env_file, lock_file = _env_file(evidence), _deploy_lock_file(evidence)
        surface = _surface_options("--public-api-base", "--public-frontend-base")(evidence)
        parts = (script, env_file, lock_file, sha)
        if (
            not isinstance(as_user, list)
            or not isinstance(surface, list)
            or not all(isinstance(part, str) for part in parts)
        ):
            return None
        options = ["--baseline-mode", "live", "--ref", str(sha)]
        if env_file != "/etc/healtharchive/backend.env":
            options += ["--env-file", str(env_file)]
        if lock_file != "/tmp/healtharchive-deploy.lock":
            options += ["--lock-file", str(lock_file)]
        return [*as_user, str(script), *options, *surface]

    return words


def _surface_options(api: str, frontend: str) -> Look:
    """The site's own public addresses as options; none where the script's own are meant."""

    def words(evidence: Evidence) -> Value:
        options: List[str] = []
        for option, setting in ((api, "public_api_base"), (frontend, "public_frontend_base")):
            given = evidence.setting(setting)
            if kind(given) is None:
                continue
            url = _matching(_URL)(given)
            if url is None:
                return None
            options += [option, url]
        return options

    return words


def _commit(name: str) -> Callable[[Evidence], Optional[str]]:
    return lambda evidence: _matching(_COMMIT)(member(evidence.data("deployment"), name, True))


def _repair_commit(evidence: Evidence) -> Optional[str]:
    """What to deploy to complete a half-done deploy: the checked-out commit if it is on origin/main, else
    origin/main."""
    on_main = member(evidence.data("deployment"), "head_on_origin_main", True)
    return _commit("head")(evidence) if on_main is True else _commit("origin_main")(evidence)


def _items(listing: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(listing, Listing):
        yield from (item for item in listing.items if isinstance(item, Mapping))


def _list(probe: str, *names: str) -> Callable[[Evidence], Iterator[Mapping[str, Any]]]:
    def items(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
        return _items(_data(evidence, probe, *names))

    return items


def _data(evidence: Evidence, probe: str, *names: str) -> Any:
    value = evidence.data(probe)
    for name in names:
        value = member(value, name, True)
    return value


_jobs = _list("jobs", "jobs")
_paths = _list("storage", "paths")
_failures = _list("public_surface", "failures")


def _stale(evidence: Evidence) -> List[Mapping[str, Any]]:
    return [job for job in _jobs(evidence) if job.get("status") == "running" and job.get("stale") is True]


def _recover_options(evidence: Evidence) -> Value:
    """Options under which ``recover-stale-jobs`` lists the stale rows that were seen (contract 2.6)."""
    stale = _stale(evidence)
    if not stale:
        return None
    ages = [job["age_seconds"] for job in stale if kind(job.get("age_seconds")) == "number"]
    minutes = max(min([_OLDER_THAN_MINUTES, *(int(age // 60) for age in ages)]), 1)
    options = ["--older-than-minutes", str(minutes), "--require-no-progress-seconds", str(_QUIET_SECONDS)]
    if len(ages) < len(stale):
        options.append("--include-missing-started-at")
    # With one source, nothing of another one is looked at; jobs without a source are shown without the option only.
    sources = {job.get("source") for job in stale}
    source = _matching(_SOURCE)(sources.pop()) if len(sources) == 1 else None
    return options if source in (None, "none") else [*options, "--source", str(source)]


def _paths_in(*states: str) -> Look:
    def paths(evidence: Evidence) -> Value:
        found = [_path(item.get("path")) for item in _paths(evidence) if item.get("state") in states]
        # A path below another is unmounted before it.
        return sorted((path for path in found if path is not None), reverse=True) or None

    return paths


def _picked(**wanted: List[Any]) -> Callable[[Evidence], Iterator[Mapping[str, Any]]]:
    """The jobs of which each named member has one of the values."""

    def jobs(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
        yield from (job for job in _jobs(evidence) if all(job.get(key) in value for key, value in wanted.items()))

    return jobs


_OPEN = ["queued", "running", "retryable", "failed"]
_stalled_jobs = _picked(status=["running"], stalled=[True])
_poisoned_jobs = _picked(status=["failed", "retryable"], poisoned_resume=[True])
_unlistable_jobs = _picked(listable=[False])
_unwritable_jobs = _picked(status=_OPEN, writable=[False])
_local_jobs = _picked(status=["queued", "running", "retryable"], tier=["local"])


def _rejected_jobs(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    for job in _picked(status=["failed", "retryable"])(evidence):
        if job.get("crawler_status") == "infra_error_config" or kind(job.get("rejected_options")) == "text":
            yield job


def _healthy_jobs(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """Crawls that something runs, and of which nothing bad is known."""
    for job in _picked(status=["running"], stale=[False])(evidence):
        if job.get("stalled") is not True:
            yield job


def _directory(jobs: Callable[[Evidence], Iterator[Mapping[str, Any]]]) -> Look:
    """The output directory of the first of the jobs that has a sound one."""

    def directory(evidence: Evidence) -> Value:
        found = [_path(job.get("output_directory")) for job in jobs(evidence)]
        return next((path for path in found if path is not None), None)

    return directory


def _campaign_options(records: Callable[[Evidence], Iterator[Mapping[str, Any]]], year_key: str) -> Look:
    """``--year`` and ``--sources`` that name the annual jobs of the newest of their campaigns."""

    def options(evidence: Evidence) -> Value:
        found = [
            (record[year_key], record["source"])
            for record in records(evidence)
            if kind(record.get(year_key)) == "number" and _matching(_SOURCE)(record.get("source")) is not None
        ]
        if not found:
            return None
        year = max(year for year, _source in found)
        return ["--year", str(int(year)), "--sources", *sorted({source for at, source in found if at == year})]

    return options


def _reconciled(member_name: str) -> Callable[[Evidence], Iterator[Mapping[str, Any]]]:
    def records(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
        listing = _data(evidence, "jobs", "annual_options")
        yield from (record for record in _items(listing) if record.get(member_name) is True)

    return records


def _drifted_options(evidence: Evidence) -> Value:
    texts = []
    for record in _reconciled("options_drifted")(evidence):
        changes = record.get("changes")
        shown = [str(change) for change in changes] if isinstance(changes, (list, tuple)) else []
        texts.append("%s: %s" % (record.get("job_id"), "; ".join(shown)))
    return _shortened(texts)


def _progress(evidence: Evidence) -> Value:
    """How far the stalled crawls are, since when, and what their logs name."""
    texts = []
    for job in _stalled_jobs(evidence):
        words = ["%s:" % job.get("id")]
        if kind(job.get("crawled")) == "number":
            words.append("%s of %s pages" % (job["crawled"], job.get("crawl_total")))
        if kind(job.get("progress_age_seconds")) == "number":
            words.append("for %.1f h" % (job["progress_age_seconds"] / 3600))
        if kind(job.get("navigation_timeouts")) == "number":
            words.append(
                "(%s navigation timeouts, %s HTTP/2 errors)" % (job["navigation_timeouts"], job.get("http2_errors"))
            )
        texts.append(" ".join(words))
    return _shortened(texts)


def _job_names(**wanted: Any) -> Look:
    """Jobs as people know them: number, source and name."""

    def names(evidence: Evidence) -> Value:
        return _named(_picked(**wanted))(evidence)

    return names


def _named(jobs: Callable[[Evidence], Iterator[Mapping[str, Any]]]) -> Look:
    def names(evidence: Evidence) -> Value:
        found = ["%s (%s, %s)" % (job.get("id"), job.get("source"), job.get("name")) for job in jobs(evidence)]
        return _shortened(found)

    return names


def _shortened(words: List[str]) -> Value:
    return words if len(words) <= _SHOWN else [*words[:_SHOWN], "and %d more" % (len(words) - _SHOWN)]


def _texts(items: Callable[[Evidence], Iterator[Mapping[str, Any]]], *keys: str, separator: str = " ") -> Look:
    def texts(evidence: Evidence) -> Value:
        parts = [[str(item[key]) for key in keys if kind(item.get(key)) is not None] for item in items(evidence)]
        return _shortened([separator.join(part) for part in parts if part])

    return texts


def _scalar(probe: str, *names: str) -> Look:
    def scalar(evidence: Evidence) -> Value:
        value = _data(evidence, probe, *names)
        return value if kind(value) in ("text", "number") else None

    return scalar


def _strings(probe: str, *names: str) -> Look:
    def strings(evidence: Evidence) -> Value:
        listing = _data(evidence, probe, *names)
        return (
            _shortened([item for item in listing.items if isinstance(item, str)])
            if isinstance(listing, Listing)
            else None
        )

    return strings


def _subjects(unit: str, *codes: str) -> Look:
    def subjects(evidence: Evidence) -> Value:
        records = _items(member(member(_data(evidence, "journal", "units"), unit, True), "signatures", True))
        return _shortened(
            [
                record["subject"]
                for record in records
                if record.get("code") in codes and kind(record.get("subject")) == "text"
            ]
        )

    return subjects


def _bad_units(evidence: Evidence) -> Value:
    units = _data(evidence, "units", "units")
    if not isinstance(units, Mapping):
        return None
    states = [
        "%s %s" % (name, state.get("active_state"))
        for name, state in units.items()
        if isinstance(state, Mapping) and state.get("load_state") == "loaded" and state.get("active_state") != "active"
    ]
    return _shortened(states)


def _neglected(evidence: Evidence) -> Value:
    """What idle watchdogs see and leave alone, and for how many seconds."""
    found = []
    for watchdog in _list("watchdogs", "watchdogs")(evidence):
        targets = watchdog.get("targets")
        if watchdog.get("idle") is True and isinstance(targets, (list, tuple)):
            for target in targets:
                if isinstance(target, Mapping) and kind(target.get("seen_for_seconds")) == "number":
                    found.append("%s for %d s" % (target.get("subject"), target["seen_for_seconds"]))
    return _shortened(found)


def _disabled_units(evidence: Evidence) -> Value:
    units = _data(evidence, "units", "units")
    if not isinstance(units, Mapping):
        return None
    found = [
        "%s is %s" % (name, state["unit_file_state"])
        for name, state in units.items()
        if isinstance(state, Mapping) and state.get("unit_file_state") in ("disabled", "masked")
    ]
    return _shortened(found)


def _fullest(evidence: Evidence) -> Value:
    disks = [disk for disk in _list("storage", "disk")(evidence) if kind(disk.get("used_percent")) == "number"]
    if not disks:
        return None
    disk = max(disks, key=lambda each: each["used_percent"])
    return "%s %.0f %% used" % (disk.get("path"), disk["used_percent"])


def _unserved(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """What replay answers where it should serve its front page or an archived one."""
    status = _data(evidence, "replay", "status")
    if _data(evidence, "replay", "responds") is False:
        yield {"what": "its front page", "answer": "gives no answer"}
    elif kind(status) == "number" and status >= 400:
        yield {"what": "its front page", "answer": "answers %d" % status}
    for target in _list("replay", "targets")(evidence):
        state, status = target.get("state"), target.get("status")
        if state in ("not_found", "failing", "silent") and kind(target.get("job_id")) == "number":
            answered = state != "silent" and kind(status) == "number"
            yield {
                "what": "job %d" % target["job_id"],
                "answer": "answers %d" % status if answered else "gives no answer",
            }


def _outside(*addresses: str) -> Look:
    def outside(evidence: Evidence) -> Value:
        records = [evidence.recorded("outside_view", address) for address in addresses]
        found = [(record, answer(record)) for record in records]
        return ["%s %s" % (record["url"], words) for record, words in found if words and "url" in record] or None

    return outside


# What a command may name. Values are quoted for the shell; a list is several words.
COMMAND_VALUES: Dict[str, Look] = {
    "archive_root": _setting("archive_root", _path),
    "as_service_user": _as_service_user,
    "checkout": _checkout,
    "cli": _below_checkout(".venv/bin/healtharchive"),
    "deploy_lock_file": _deploy_lock_file,
    "drifted_campaign_options": _campaign_options(_reconciled("options_drifted"), "year"),
    "dry_run_deploy_of_main": _deploy(_commit("origin_main")),
    "dry_run_deploy_to_repair": _deploy(_repair_commit),
    "env_file": _env_file,
    "hung_paths": _paths_in("hung"),
    "local_campaign_options": _campaign_options(_local_jobs, "campaign_year"),
    "lost_campaign_options": _campaign_options(_picked(status=_OPEN, campaign=["lost"]), "campaign_year"),
    "poisoned_directory": _directory(_poisoned_jobs),
    "python": _below_checkout(".venv/bin/python3"),
    "recover_options": _recover_options,
    "rejected_directory": _directory(_rejected_jobs),
    "service_user": _service_user,
    "stale_paths": _paths_in("stale"),
    "stalled_directory": _directory(_stalled_jobs),
    "storage_mount": _setting("storage_mount", _path),
    "surface_options": _surface_options("--api-base", "--frontend-base"),
    "tiering_manifest": _setting("tiering_manifest", _path),
    "unwritable_directory": _directory(_unwritable_jobs),
    "with_environment": _with_environment,
}

# What a text may name: those, and what the host said.
TEXT_VALUES: Dict[str, Look] = {
    **COMMAND_VALUES,
    "api_failure": _scalar("api", "failure"),
    "api_restarts": _scalar("units", "units", API, "restarts"),
    "api_state": _scalar("units", "units", API, "active_state"),
    "bad_units": _bad_units,
    "base_state": _scalar("storage", "base", "state"),
    "database_backend": _scalar("environment", "database_backend"),
    "database_detail": _scalar("database", "detail"),
    "database_failure": _scalar("database", "failure"),
    "disabled_units": _disabled_units,
    "dirty_files": _strings("deployment", "dirty_files"),
    "drifted_options": _drifted_options,
    "drift_failures": _texts(_list("baseline_drift", "failures"), "key", "message", separator=": "),
    "env_file_group": _scalar("environment", "group"),
    "env_file_mode": _scalar("environment", "mode"),
    "env_file_owner": _scalar("environment", "owner"),
    "env_findings": _texts(_list("environment", "findings"), "line", "code", "variable"),
    "failed_jobs": _job_names(status=["failed"]),
    "fullest_disk": _fullest,
    "head": _commit("head"),
    "healthy_jobs": _named(_healthy_jobs),
    "idle_watchdogs": _texts(
        lambda evidence: (w for w in _list("watchdogs", "watchdogs")(evidence) if w.get("idle") is True), "name"
    ),
    "index_failed_jobs": _job_names(status=["index_failed"]),
    "local_jobs": _named(_local_jobs),
    "lock_directory_of_services": _scalar("environment", "job_lock_directories", "services"),
    "lock_directory_of_shell": _scalar("environment", "job_lock_directories", "shell"),
    "lost_campaign_jobs": _job_names(status=_OPEN, campaign=["lost"]),
    "missing_dependencies": _strings("deployment", "environment", "missing"),
    "missing_in_schema": _subjects(API, "undefined_column", "undefined_table"),
    "missing_modules": _subjects(API, "missing_module", "import_error"),
    "origin_main": _commit("origin_main"),
    "poisoned_jobs": _named(_poisoned_jobs),
    "neglected_targets": _neglected,
    "outside_answers": _outside("api", "frontend"),
    "postgresql_state": _scalar("units", "units", "postgresql.service", "active_state"),
    "public_failures": _texts(_failures, "check", "status"),
    "rejected_jobs": _named(_rejected_jobs),
    "rejected_options": _texts(_rejected_jobs, "rejected_options"),
    "replay_failures": _texts(_unserved, "what", "answer"),
    "running_jobs": _job_names(status=["running"]),
    "schema_current": _strings("database", "schema", "current"),
    "schema_heads": _strings("database", "schema", "heads"),
    "sourceless_jobs": _job_names(source=["none"]),
    "stale_jobs": _job_names(status=["running"], stale=[True]),
    "stale_paths_outside_manifest": _texts(
        lambda evidence: (p for p in _paths(evidence) if p.get("state") == "stale" and p.get("kind") == "mount"), "path"
    ),
    "stalled_jobs": _named(_stalled_jobs),
    "stalled_progress": _progress,
    "troubled_paths": _texts(
        lambda evidence: (p for p in _paths(evidence) if p.get("state") != "ok"), "path", "state", "errno"
    ),
    "undeployed_count": _scalar("deployment", "undeployed", "count"),
    "undeployed_subjects": _texts(_list("deployment", "undeployed", "commits"), "subject"),
    "unlistable_jobs": _named(_unlistable_jobs),
    "unmounted_paths": _paths_in("not_mounted", "missing"),
    "unwritable_jobs": _named(_unwritable_jobs),
    "waiting_jobs": _job_names(status=["queued", "retryable"]),
    "worker_result": _scalar("units", "units", WORKER, "result"),
    "worker_state": _scalar("units", "units", WORKER, "active_state"),
    "wrong_options": _texts(
        lambda evidence: (
            {"text": word}
            for job in _unlistable_jobs(evidence)
            for word in (job.get("wrong_options") if isinstance(job.get("wrong_options"), list) else [])
        ),
        "text",
    ),
}
