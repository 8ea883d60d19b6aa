# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reports of a triage show, whatever their form: a pure function of evidence and result.

Every text is one printable line of bounded length, every list is bounded and says what it leaves out. Evidence can come
from a file that anybody wrote: a value of an unexpected kind is not known, never an error. Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ...module_utils.parse.text import one_line
from ...module_utils.shapes import NOT_KNOWN, duration, mapping, number, records, shown, whole, words
from .digests import TITLES, digest
from .evidence import Evidence
from .times import moment
from .unfinished import statements

_HOST_LIMIT = 80
_COMMAND_LIMIT = 4000
_TAIL_LIMIT = 400
_MOST_ROWS = 50
_MOST_EVENTS = 40
_MOST_STATEMENTS = 30


class Table(NamedTuple):
    """``rows`` are ``(mood, cells)``; the mood is ``good``, ``bad``, ``unknown`` or ``plain``.

    It is the mood of the cell in the column ``mark``.
    """

    columns: Tuple[str, ...]
    rows: List[Tuple[str, List[str]]]
    left_out: int
    mark: int


def host_name(inventory_name: str, evidence: Mapping[str, Any], evidence_file: Optional[str]) -> str:
    """Of which host the evidence is: one read from a file need not be of the host that it is classified for."""
    hostname = mapping(evidence.get("host")).get("hostname")
    if evidence_file and isinstance(hostname, str) and hostname.strip():
        return one_line(hostname, _HOST_LIMIT)
    return one_line(inventory_name, _HOST_LIMIT)


def view(
    host: str, evidence: Mapping[str, Any], result: Mapping[str, Any], evidence_file: Optional[str] = None
) -> Dict[str, Any]:
    """Everything that a report says, ready to be written; see the templates for the names."""
    document = Evidence(evidence)
    classes = [_fault(each) for each in records(result.get("classes"))[:_MOST_ROWS]]
    _number_causes(classes)
    state = {"found": "found", "nothing_found": "healthy"}.get(str(result.get("verdict")), "unknown")
    return {
        "host": one_line(host, _HOST_LIMIT),
        "state": state,
        "headline": _headline(state, classes),
        "unfinished": statements(evidence),
        "first": classes[0] if classes else None,
        "others": classes[1:],
        "first_layer_warning": shown(result.get("first_layer_warning"), 300) if classes else None,
        "next": next_step(classes, result),
        "bad_evidence": [shown(item.get("message"), 1000) for item in records(result.get("bad_evidence"))],
        "not_established": [
            {"seen": fact.get("seen") is True, "text": shown(fact.get("text"), 400)}
            for fact in records(result.get("not_established"))[:_MOST_ROWS]
        ],
        "not_seen": _not_seen(result),
        "undeployed": _undeployed(result),
        "collected_at": shown(evidence.get("collected_at"), 40),
        "about": _about(evidence, evidence_file),
        "recorded": shown(evidence_file, 300) if evidence_file else None,
        "probes": _probes(document),
        "units": _units(document),
        "storage": _storage(document),
        "disks": _disks(document),
        "jobs": _jobs(document),
        "checks": _checks(document),
        "drift": _drift(document),
        "timeline": _timeline(document),
        "journals": _journals(document),
    }


def _headline(state: str, classes: Sequence[Mapping[str, Any]]) -> str:
    if classes:
        return "%s: %s, %s" % (classes[0]["title"], classes[0]["confidence"], classes[0]["severity"])
    return "Nothing found" if state == "healthy" else "Unknown: not enough was seen"


def _fault(each: Mapping[str, Any]) -> Dict[str, Any]:
    step = mapping(each.get("next_step"))
    command = step.get("command")
    return {
        "title": words(each.get("class")).capitalize(),
        "class": shown(each.get("class"), 40),
        "rule": shown(each.get("rule"), 80),
        "confidence": shown(each.get("confidence"), 20),
        "severity": shown(each.get("severity"), 20),
        "severity_reason": shown(each.get("severity_reason"), 200),
        "summary": shown(each.get("summary"), 1000),
        "evidence_for": _statements(each.get("evidence_for")),
        "evidence_against": _statements(each.get("evidence_against")),
        "evidence_missing": _statements(each.get("evidence_missing")),
        "caused_by": [str(cause) for cause in each.get("caused_by") or []],
        "why": shown(step.get("why"), 1000),
        "command": one_line(command, _COMMAND_LIMIT) if isinstance(command, str) else None,
    }


def _number_causes(classes: List[Dict[str, Any]]) -> None:
    numbers = {each["rule"]: position for position, each in enumerate(classes, start=1)}
    for position, each in enumerate(classes, start=1):
        each["number"] = position
        each["follows"] = ", ".join(str(numbers[cause]) for cause in each["caused_by"] if cause in numbers)


def _statements(texts: Any) -> List[str]:
    found = [shown(text, 400) for text in texts] if isinstance(texts, (list, tuple)) else []
    kept = found[:_MOST_STATEMENTS]
    return kept if len(found) == len(kept) else [*kept, "and %d more" % (len(found) - len(kept))]


def next_step(classes: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> Dict[str, Optional[str]]:
    """What to do next: ``why``, and a ``command`` to type on the host, each None where there is nothing to do."""
    if classes:
        return {"why": classes[0]["why"], "command": classes[0]["command"]}
    if result.get("verdict") == "nothing_found":
        return {"why": None, "command": None}
    for fact in records(result.get("not_established")):
        command = fact.get("command")
        if isinstance(command, str) and command:
            return {
                "why": "Look at the first missing fact yourself, then run triage again.",
                "command": one_line(command, _COMMAND_LIMIT),
            }
    return {"why": "Run triage again.", "command": None}


def _not_seen(result: Mapping[str, Any]) -> List[Dict[str, str]]:
    """One for each reason, with the probes that have it."""
    reasons: Dict[Tuple[str, str], List[str]] = {}
    for item in records(result.get("not_seen"))[: 2 * _MOST_ROWS]:
        reason = (shown(item.get("code"), 40), shown(item.get("message"), 1000))
        reasons.setdefault(reason, []).append(words(item.get("probe")))
    return [
        {"probes": ", ".join(dict.fromkeys(probes)), "code": words(code), "message": message}
        for (code, message), probes in reasons.items()
    ]


def _undeployed(result: Mapping[str, Any]) -> Dict[str, Any]:
    undeployed = mapping(result.get("undeployed"))
    commits = [
        {"sha": shown(commit.get("sha"), 40)[:12], "subject": shown(commit.get("subject"), 240)}
        for commit in records(undeployed.get("commits"))[:_MOST_ROWS]
    ]
    count = whole(undeployed.get("count"))
    return {"count": count, "commits": commits, "left_out": max((count or 0) - len(commits), 0)}


def _about(evidence: Mapping[str, Any], evidence_file: Optional[str]) -> List[Tuple[str, str]]:
    host = mapping(evidence.get("host"))
    took, limit = number(evidence.get("duration_seconds")), number(evidence.get("deadline_seconds"))
    about = [
        ("Evidence of", shown(evidence.get("collected_at"), 40)),
        (
            "Took",
            "%s of at most %s"
            % (NOT_KNOWN if took is None else "%.1f s" % took, NOT_KNOWN if limit is None else "%.0f s" % limit),
        ),
        ("Host says it is", shown(host.get("hostname"), 80)),
        ("Up for", duration(host.get("uptime_seconds"))),
    ]
    if evidence_file:
        about.append(("Classified again from", shown(evidence_file, 300)))
    return about


_MOODS = {"good": "ok", "bad": "trouble", "unknown": "not clear", "plain": "seen"}
_PARTLY = {**dict.fromkeys(_MOODS, "partly seen"), "bad": "trouble, partly seen"}


def _probes(evidence: Evidence) -> List[Dict[str, Any]]:
    """The probes of the document, in the order of TITLES; what this version does not know comes last."""
    present = [name for name in mapping(evidence.document.get("probes")) if isinstance(name, str)]
    found = []
    for name in [*TITLES, *sorted(set(present) - set(TITLES))][:_MOST_ROWS]:
        record = mapping(mapping(evidence.document.get("probes")).get(name))
        status = evidence.status(name) if name in TITLES else "unknown"
        mood, text = digest(name, evidence.data(name)) if status != "unknown" else ("unknown", "")
        seconds = number(record.get("seconds"))
        found.append(
            {
                "title": TITLES.get(name, words(name)),
                "name": shown(name, 40),
                "status": {"ok": _MOODS[mood], "partial": _PARTLY[mood]}.get(status, "not seen"),
                "mood": "unknown" if status == "unknown" or (status == "partial" and mood == "good") else mood,
                "digest": text or "nothing can be concluded",
                "seconds": "" if seconds is None else "%.1f s" % seconds,
                "problems": [
                    "%s: %s" % (words(problem.get("code")), shown(problem.get("message"), 400))
                    for problem in records(record.get("problems"))[:5]
                ],
            }
        )
    return found


def _table(columns: Sequence[str], rows: List[Tuple[str, List[str]]], mark: int = 1) -> Table:
    return Table(tuple(columns), rows[:_MOST_ROWS], max(len(rows) - _MOST_ROWS, 0), mark)


def _unit_name(name: object) -> str:
    return shown(name, 80).replace(".service", "")


def _units(evidence: Evidence) -> Table:
    rows = []
    for name, unit in mapping(mapping(evidence.data("units")).get("units")).items():
        if not isinstance(unit, Mapping):
            continue
        if unit.get("load_state") == "not-found":
            rows.append(("plain", [_unit_name(name), "not installed", "", "", "", ""]))
            continue
        state = "%s (%s)" % (shown(unit.get("active_state"), 40), shown(unit.get("sub_state"), 40))
        mood = "good" if unit.get("active_state") == "active" else "bad"
        if unit.get("restarting") is True:
            state, mood = state + (", restarting" if mood == "good" else ""), "bad"
        rows.append(
            (
                mood if isinstance(unit.get("active_state"), str) else "unknown",
                [
                    _unit_name(name),
                    state,
                    shown(unit.get("result"), 40),
                    shown(unit.get("unit_file_state"), 40),
                    shown(unit.get("restarts"), 20),
                    _moment(unit.get("started_at"), "not running"),
                ],
            )
        )
    return _table(("Unit", "State", "Result", "At boot", "Restarts", "Started"), rows)


def _storage(evidence: Evidence) -> Table:
    data = mapping(evidence.data("storage"))
    rows = []
    for path in [*records([data.get("base")]), *records(data.get("paths"))]:
        state = shown(path.get("state"), 40)
        code = whole(path.get("errno"))
        rows.append(
            (
                {"ok": "good", NOT_KNOWN: "unknown"}.get(state, "bad"),
                [
                    shown(path.get("path"), 300),
                    words(state) if code is None else "%s (errno %d)" % (words(state), code),
                    {"base": "storage box", "manifest": "hot path", "mount": "mount", "job": "job"}.get(
                        str(path.get("kind")), shown(path.get("kind"), 40)
                    ),
                    _yes_or_no(path.get("mounted")),
                    shown(path.get("fstype"), 40) if path.get("fstype") is not None else "",
                ],
            )
        )
    return _table(("Path", "State", "Kind", "Mounted", "File system"), rows)


def _yes_or_no(value: Any) -> str:
    return NOT_KNOWN if not isinstance(value, bool) else "yes" if value else "no"


def _disks(evidence: Evidence) -> Table:
    rows = []
    for disk in records(mapping(evidence.data("storage")).get("disk")):
        used = number(disk.get("used_percent"))
        rows.append(
            (
                "unknown" if used is None else "bad" if used >= 85 else "good",
                [
                    shown(disk.get("path"), 300),
                    NOT_KNOWN if used is None else "%.1f %%" % used,
                    _size(disk.get("available_bytes")),
                    _size(disk.get("size_bytes")),
                ],
            )
        )
    return _table(("Disk of", "Used", "Available", "Size"), rows)


def _size(value: Any) -> str:
    size = number(value)
    if size is None:
        return NOT_KNOWN
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024:
            return "%.0f %s" % (size, unit)
        size /= 1024
    return "%.1f TiB" % size


def _jobs(evidence: Evidence) -> Table:
    rows = []
    data = mapping(evidence.data("jobs"))
    no_source = "none" if data.get("source") == "admin_api" else NOT_KNOWN
    for job in records(data.get("jobs")):
        stale = job.get("stale")
        status = shown(job.get("status"), 40)
        bad = stale is True or status in ("failed", "index_failed")
        crawler = [
            shown(job[key], 60)
            for key in ("crawler_status", "crawler_stage")
            if job.get(key) is not None and job[key] != "none"
        ]
        rows.append(
            (
                "bad" if bad else "plain",
                [
                    shown(job.get("id"), 20),
                    status + (", stale" if stale is True else ""),
                    no_source if job.get("source") is None else shown(job.get("source"), 80),
                    shown(job.get("name"), 200),
                    shown(job.get("retry_count"), 20),
                    _moment(job.get("started_at"), "not yet"),
                    "" if job.get("lock") is None else shown(job.get("lock"), 20),
                    "" if job.get("log_age_seconds") is None else duration(job.get("log_age_seconds")) + " ago",
                    ", ".join(crawler),
                ],
            )
        )
    return _table(("Job", "Status", "Source", "Name", "Retries", "Started", "Lock", "Last log line", "Crawler"), rows)


def _checks(evidence: Evidence) -> Table:
    rows = [
        (
            "bad",
            [
                shown(failure.get("check"), 200),
                shown(failure.get("status") or "no answer", 20),
                shown(failure.get("detail"), 300),
            ],
        )
        for failure in records(mapping(evidence.data("public_surface")).get("failures"))
    ]
    return _table(("Public check", "Status", "Detail"), rows)


def _drift(evidence: Evidence) -> Table:
    rows = [
        (mood, [shown(item.get("key"), 200), kind, shown(item.get("message"), 300)])
        for key, kind, mood in (("failures", "failure", "bad"), ("warnings", "warning", "plain"))
        for item in records(mapping(evidence.data("baseline_drift")).get(key))
    ]
    return _table(("Baseline check", "", "Message"), rows)


def _moment(value: Any, when_none: str) -> str:
    if value is None:
        return when_none
    at = moment(value)
    return NOT_KNOWN if at is None else _stamp(at)


def _timeline(evidence: Evidence) -> Dict[str, Any]:
    """The last restarts, errors and changes, the newest first."""
    collected = moment(evidence.document.get("collected_at"))
    events = [event for event in _events(evidence, collected) if event[0] is not None]
    events.sort(key=lambda event: event[0], reverse=True)
    kept = events[:_MOST_EVENTS]
    return {
        "events": [
            {"at": _stamp(at), "age": _age(at, collected), "mood": mood, "text": text} for at, mood, text in kept
        ],
        "left_out": len(events) - len(kept),
    }


def _events(evidence: Evidence, collected: Optional[datetime]) -> Iterator[Tuple[Any, str, str]]:
    if collected is not None:
        yield collected, "plain", "this triage"
    uptime = number(mapping(evidence.document.get("host")).get("uptime_seconds"))
    if collected is not None and uptime is not None and 0 <= uptime < 1e10:
        yield _before(collected, uptime), "plain", "the host started"
    for name, unit in mapping(mapping(evidence.data("units")).get("units")).items():
        unit = mapping(unit)
        restarts = whole(unit.get("restarts")) or 0
        text = "%s started" % _unit_name(name)
        if restarts:
            text += ", restart %d by systemd" % restarts
        yield moment(unit.get("started_at")), "bad" if restarts else "plain", text
    for name, journal in mapping(mapping(evidence.data("journal")).get("units")).items():
        for signature in records(mapping(journal).get("signatures")):
            count = whole(signature.get("count"))
            subject = signature.get("subject")
            text = "%s: %s" % (_unit_name(name), words(signature.get("code")))
            if subject is not None:
                text += " (%s)" % shown(subject, 160)
            if count is not None and count > 1:
                text += ", the last of %d" % count
            yield moment(signature.get("last_seen_at")), "bad", text
    for job in records(mapping(evidence.data("jobs")).get("jobs"))[: 4 * _MOST_ROWS]:
        who = "job %s (%s)" % (shown(job.get("id"), 20), shown(job.get("name"), 80))
        yield moment(job.get("started_at")), "plain", who + " started"
        bad = job.get("status") in ("failed", "index_failed")
        yield moment(job.get("finished_at")), "bad" if bad else "plain", who + " ended: " + shown(job.get("status"), 40)
    deployment = mapping(evidence.data("deployment"))
    yield moment(deployment.get("checkout_changed_at")), "plain", "the checkout was changed"
    installed = mapping(deployment.get("environment")).get("changed_at")
    yield moment(installed), "plain", "the installed packages were changed"


def _before(collected: datetime, seconds: float) -> Optional[datetime]:
    try:
        return collected - timedelta(seconds=seconds)
    except OverflowError:
        return None


def _stamp(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _age(at: datetime, collected: Optional[datetime]) -> str:
    if collected is None:
        return ""
    seconds = (collected - at).total_seconds()
    return "" if at == collected else duration(seconds) + " before" if seconds > 0 else duration(-seconds) + " after"


def _journals(evidence: Evidence) -> List[Dict[str, Any]]:
    found = []
    for name, journal in mapping(mapping(evidence.data("journal")).get("units")).items():
        tail = mapping(journal).get("tail")
        lines = [shown(line, _TAIL_LIMIT) for line in tail[-10:]] if isinstance(tail, (list, tuple)) else []
        found.append({"unit": _unit_name(name), "lines": lines})
    return found[:10]
