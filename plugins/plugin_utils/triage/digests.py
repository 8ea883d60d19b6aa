# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each probe saw, in one line, and whether that is what a healthy host shows. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, List, Optional, Tuple

from ...module_utils.shapes import NOT_KNOWN, counted, mapping, number, records, shown, whole, words

# In the order of reports.
TITLES: Dict[str, str] = {
    "storage": "Storage",
    "environment": "Environment file",
    "database": "Database",
    "deployment": "Deployment",
    "units": "Units",
    "api": "API on the loopback",
    "replay": "Replay on the loopback",
    "public_surface": "Public check",
    "jobs": "Jobs",
    "journal": "Journals",
    "baseline_drift": "Baseline check",
    "watchdogs": "Watchdogs",
    "record": "Record of incidents",
    "outside_view": "Seen from the controller",
}

GOOD, BAD, UNSURE, PLAIN = "good", "bad", "unknown", "plain"
Digest = Tuple[str, str]


def digest(probe: str, data: Any) -> Digest:
    """``(mood, text)`` of a probe's data; ``plain`` and nothing for a probe that this version does not know."""
    return _DIGESTS[probe](mapping(data)) if probe in _DIGESTS else (PLAIN, "")


def _mood(*healthy: Optional[bool]) -> str:
    """Bad as soon as something is, else unknown as soon as something is."""
    return BAD if False in healthy else UNSURE if None in healthy else GOOD


def _truth(value: Any) -> Optional[bool]:
    return value if isinstance(value, bool) else None


def _join(*parts: Optional[str]) -> str:
    return ", ".join(part for part in parts if part)


def _said(answer: Optional[bool], yes: str, no: str, unknown: str) -> str:
    return unknown if answer is None else yes if answer else no


def _counted(number_of: Optional[int], one: str, many: str) -> str:
    if number_of is None:
        return "number of %s %s" % (many, NOT_KNOWN)
    return counted(number_of, one, many)


def _environment(data: Mapping[str, Any]) -> Digest:
    exists, readable = _truth(data.get("exists")), _truth(data.get("readable_by_service_user"))
    if exists is False:
        return BAD, "does not exist"
    backend = shown(data.get("database_backend"), 20)
    findings = len(records(data.get("findings")))
    text = _join(
        "%s:%s %s" % tuple(shown(data.get(key), 40) for key in ("owner", "group", "mode")),
        _said(readable, "readable", "not readable", "readability %s" % NOT_KNOWN) + " by the service user",
        "database: %s" % backend,
        _counted(findings, "ambiguous line", "ambiguous lines") if findings else None,
    )
    return _mood(exists, readable, None if backend == NOT_KNOWN else backend == "postgresql", findings == 0), text


def _database(data: Mapping[str, Any]) -> Digest:
    reachable = _truth(data.get("reachable"))
    at_head = _truth(mapping(data.get("schema")).get("at_head"))
    failure = None if reachable or data.get("failure") is None else words(data["failure"])
    text = _join(
        _said(reachable, "reachable", "not reachable", "reachability %s" % NOT_KNOWN),
        failure,
        _said(at_head, "schema at head", "schema not at head", "schema %s" % NOT_KNOWN),
    )
    return _mood(reachable, at_head), text


def _api(data: Mapping[str, Any]) -> Digest:
    responds = _truth(data.get("responds"))
    if responds is not True:
        return _mood(responds), _said(responds, "", "no answer (%s)" % words(data.get("failure")), NOT_KNOWN)
    seconds = number(data.get("seconds"))
    check = data.get("database_check")
    text = _join(
        "HTTP %s" % shown(data.get("status"), 10),
        "its database: %s" % shown(check, 20),
        None if seconds is None else "in %.2f s" % seconds,
    )
    return _mood(None if check is None else check == "ok"), text


def _replay(data: Mapping[str, Any]) -> Digest:
    responds = _truth(data.get("responds"))
    if responds is not True:
        # A host may have no replay: what that means, the rules say.
        return PLAIN, _said(responds, "", "no answer (%s)" % words(data.get("failure")), NOT_KNOWN)
    status = whole(data.get("status"))
    states: Dict[str, int] = {}
    for target in records(data.get("targets")):
        state = words(target.get("state"))
        states[state] = states.get(state, 0) + 1
    text = _join(
        "HTTP %s" % shown(status, 10),
        *("%s %s" % (_counted(count, "archived page", "archived pages"), state) for state, count in states.items()),
    )
    served = None if NOT_KNOWN in states else not set(states) - {"served"}
    return _mood(None if status is None else status < 400, served), text


def _public_surface(data: Mapping[str, Any]) -> Digest:
    passed = _truth(data.get("passed"))
    failures = len(records(data.get("failures")))
    text = _join(
        _said(passed, "passed", "failed", "no clear end"),
        "%s well" % _counted(whole(data.get("ok")), "check", "checks"),
        "%d not" % failures if failures else None,
    )
    return _mood(passed), text


def _units(data: Mapping[str, Any]) -> Digest:
    states: Dict[str, List[str]] = {}
    restarting = []
    for name, unit in mapping(data.get("units")).items():
        state = mapping(unit)
        label = shown(state.get("active_state"), 20)
        if state.get("load_state") != "not-found":
            states.setdefault(label, []).append(shown(name, 60).replace(".service", ""))
            if state.get("restarting") is True and label == "active":
                restarting.append(shown(name, 60).replace(".service", ""))
    down = {label: names for label, names in states.items() if label != "active"}
    text = _join(
        "%d active" % len(states.get("active", [])),
        *("%s: %s" % (label, " ".join(names[:6])) for label, names in down.items()),
        "restarting: %s" % " ".join(restarting[:6]) if restarting else None,
    )
    return _mood(None if NOT_KNOWN in down or not states else not down and not restarting), text


def _journal(data: Mapping[str, Any]) -> Digest:
    codes: Dict[str, List[str]] = {}
    units = mapping(data.get("units"))
    for name, journal in units.items():
        for signature in records(mapping(journal).get("signatures")):
            codes.setdefault(shown(name, 60).replace(".service", ""), []).append(words(signature.get("code")))
    if not units:
        return UNSURE, NOT_KNOWN
    if not codes and any(mapping(journal).get("whole") is False for journal in units.values()):
        return UNSURE, "no known fault in the lines that could be read"
    if not codes:
        return GOOD, "no known fault in the last lines"
    # What was: it stays in the journal after a repair.
    return PLAIN, "; ".join("%s: %s" % (name, ", ".join(found[:8])) for name, found in codes.items())


def _jobs(data: Mapping[str, Any]) -> Digest:
    jobs = records(data.get("jobs"))
    counts = data.get("counts")
    if isinstance(counts, Mapping):
        said = ["%s %s" % (shown(count, 20), shown(status, 40)) for status, count in list(counts.items())[:10]]
    else:
        found: Dict[str, int] = {}
        for job in jobs:
            status = shown(job.get("status"), 40)
            found[status] = found.get(status, 0) + 1
        said = ["%d %s" % (count, status) for status, count in list(found.items())[:10]]
    stale = sum(job.get("stale") is True for job in jobs)
    failed = any(job.get("status") in ("failed", "index_failed") for job in jobs)
    source = "admin API" if data.get("source") == "admin_api" else "CLI, which does not show all of them"
    text = _join(*(said or ["none that is not indexed"]), "%d stale" % stale if stale else None)
    return _mood(not stale and not failed, data.get("source") == "admin_api" or None), "%s (%s)" % (text, source)


def _baseline_drift(data: Mapping[str, Any]) -> Digest:
    drifted = _truth(data.get("drifted"))
    failures, warnings = len(records(data.get("failures"))), len(records(data.get("warnings")))
    text = _join(_counted(failures, "failure", "failures"), _counted(warnings, "warning", "warnings"))
    return _mood(None if drifted is None else not drifted), "%s (%s mode)" % (text, shown(data.get("mode"), 20))


def _storage(data: Mapping[str, Any]) -> Digest:
    paths = records(data.get("paths"))
    base = mapping(data.get("base")).get("state")
    troubles: Dict[str, int] = {}
    for path in paths:
        state = words(path.get("state"))
        if state != "ok":
            troubles[state] = troubles.get(state, 0) + 1
    used = [number(disk.get("used_percent")) for disk in records(data.get("disk"))]
    fullest = max((each for each in used if each is not None), default=None)
    text = _join(
        "storage box: %s" % words(base),
        *("%s %s" % (_counted(count, "path", "paths"), state) for state, count in troubles.items()),
        None if troubles else "%s ok" % _counted(len(paths), "path", "paths"),
        None if fullest is None else "disk %.0f %% used" % fullest,
    )
    healthy = _mood(
        base == "ok" if isinstance(base, str) else None,
        None if set(troubles) == {NOT_KNOWN} else not troubles,
        None if fullest is None else fullest < 85,
    )
    return healthy, text


def _deployment(data: Mapping[str, Any]) -> Digest:
    head = data.get("head")
    newest, dirty = _truth(data.get("head_is_origin_main")), _truth(data.get("dirty"))
    met = _truth(mapping(data.get("environment")).get("dependencies_met"))
    current = [_truth(mapping(process).get("current")) for process in mapping(data.get("processes")).values()]
    text = _join(
        "HEAD %s" % (shown(head, 12) if isinstance(head, str) else NOT_KNOWN),
        _said(newest, "newest of origin/main", "not the newest of origin/main", "origin/main %s" % NOT_KNOWN),
        _said(dirty, "local changes", "", "local changes %s" % NOT_KNOWN),
        _said(met, "", "packages missing", "packages %s" % NOT_KNOWN),
        "an old process runs" if False in current else None,
        {"held": "a deploy is running", "cleared": "a clearance is held"}.get(
            str(mapping(data.get("deploy_lock")).get("state"))
        ),
    )
    return _mood(newest, None if dirty is None else not dirty, met, False not in current), text


def _record(data: Mapping[str, Any]) -> Digest:
    intact = _truth(data.get("whole"))
    unfinished = whole(data.get("unfinished_count"))
    incidents = data.get("open_incidents")
    open_now = [shown(each, 80) for each in incidents] if isinstance(incidents, (list, tuple)) else []
    nothing = whole(data.get("size_bytes")) == 0
    text = _join(
        "nothing recorded yet" if nothing else _said(intact, "not changed", "CHANGED after it was written", NOT_KNOWN),
        None if unfinished == 0 else _counted(unfinished, "unfinished action", "unfinished actions"),
        "open: %s" % ", ".join(open_now[:3]) if open_now else None,
    )
    return _mood(True if nothing else intact, None if unfinished is None else unfinished == 0), text


_DIGESTS: Dict[str, Callable[[Mapping[str, Any]], Digest]] = {
    "storage": _storage,
    "environment": _environment,
    "database": _database,
    "deployment": _deployment,
    "units": _units,
    "api": _api,
    "replay": _replay,
    "public_surface": _public_surface,
    "jobs": _jobs,
    "journal": _journal,
    "baseline_drift": _baseline_drift,
    "record": _record,
}
