# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence document (docs/evidence.md) as the classification reads it. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Tuple

from .unknown import UNKNOWN, value_of

SCHEMA_VERSION = 1

# In the order in which they are named to people.
PROBES: Tuple[str, ...] = (
    "environment",
    "database",
    "api",
    "public_surface",
    "units",
    "journal",
    "jobs",
    "baseline_drift",
    "storage",
    "deployment",
    "watchdogs",
    "replay",
    "record",
    "outside_view",
)
# Asked on the controller, which may have no way out, or not be told the public addresses: not to ask is no fault, and
# what it is asked is demanded by the required facts.
OPTIONAL = ("outside_view",)
STATUSES = ("ok", "partial", "unknown")


class Evidence:
    """A checked evidence document. Raises ValueError, with one line, for a document of another shape.

    Only the frame is demanded: what is missing or odd further inside is unknown, never an error and never an answer.
    """

    def __init__(self, document: Any) -> None:
        if not isinstance(document, Mapping):
            raise ValueError("evidence: must be a mapping, not %s" % type(document).__name__)
        version = document.get("schema_version")
        if isinstance(version, bool) or version != SCHEMA_VERSION:
            shown = repr(version) if isinstance(version, (int, float, bool, type(None))) else "something else"
            raise ValueError("evidence: schema_version must be %d, not %s" % (SCHEMA_VERSION, shown))
        probes = document.get("probes")
        if not isinstance(probes, Mapping):
            raise ValueError("evidence: probes must be a mapping")
        for name in PROBES:
            record = probes.get(name)
            if record is not None and (not isinstance(record, Mapping) or record.get("status") not in STATUSES):
                raise ValueError(
                    "evidence: probes.%s must be a mapping with a status of %s" % (name, ", ".join(STATUSES))
                )
        self.document = document
        self._probes = {name: _with_answers(name, probes[name]) for name in PROBES if probes.get(name) is not None}

    def status(self, probe: str) -> str:
        """``ok``, ``partial`` or ``unknown``; a probe that is not in the document, or has no data, saw nothing."""
        record = self._probes.get(probe)
        if record is None or not isinstance(record.get("data"), Mapping):
            return "unknown"
        return record["status"]

    def data(self, probe: str) -> Any:
        """The data of a probe, or UNKNOWN."""
        return UNKNOWN if self.status(probe) == "unknown" else self._probes[probe]["data"]

    def recorded(self, probe: str, name: str) -> Any:
        """A member of a probe's data as the document has it, nulls that are answers included; None if there is none."""
        record = self.document["probes"].get(probe)
        data = record.get("data") if isinstance(record, Mapping) else None
        return data.get(name) if isinstance(data, Mapping) else None

    def complete(self, probe: str) -> bool:
        """Whether what is not in the probe's lists does not exist."""
        return self.status(probe) == "ok" and self.data(probe).get("truncated") is not True

    def problems(self, probe: str) -> List[Tuple[str, str]]:
        """``(code, message)`` of what the probe could not establish; one that is not in the document is ``not_run``."""
        record = self._probes.get(probe)
        if record is None:
            return [("not_run", "The evidence holds nothing of this probe.")]
        found = record.get("problems")
        problems = [
            (str(problem.get("code")), str(problem.get("message")))
            for problem in (found if isinstance(found, (list, tuple)) else [])
            if isinstance(problem, Mapping)
        ]
        if not problems and self.status(probe) != "ok":
            return [("not_said", "The probe does not say why.")]
        return problems

    def setting(self, name: str) -> Any:
        """One setting of the run, or UNKNOWN."""
        settings = self.document.get("settings")
        return value_of(settings.get(name), True) if isinstance(settings, Mapping) else UNKNOWN


def _with_answers(probe: str, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record, those nulls replaced that are answers: no failure, no HTTP status, no source, nothing noted by the
    crawler."""
    data = record.get("data")
    if not isinstance(data, Mapping):
        return record
    answered = dict(data)
    if probe == "database" and data.get("reachable") is True:
        _replace(answered, "none", "failure")
    elif probe == "api" and data.get("responds") is True:
        _replace(answered, "none", "failure")
    elif probe == "public_surface":
        answered["failures"] = _each(data.get("failures"), 0, "status")
    elif probe == "replay":
        if data.get("responds") is True:
            _replace(answered, "none", "failure")
        answered["targets"] = _each(data.get("targets"), 0, "status")
    elif probe == "outside_view":
        for address in ("api", "frontend"):
            if isinstance(data.get(address), Mapping):
                answered[address] = _replace(dict(data[address]), "none", "failure")
    elif probe == "record" and data.get("size_bytes") == 0:
        _replace(answered, "none", "whole")
    elif probe == "jobs" and data.get("source") == "admin_api":
        answered["jobs"] = [_job(job) for job in jobs] if isinstance(jobs := data.get("jobs"), (list, tuple)) else jobs
    return {**record, "data": answered}


def _job(job: Any) -> Any:
    if not isinstance(job, Mapping):
        return job
    # Only the answer for one job, which brings its configuration too, tells of the stage.
    keys = (
        ["source", "crawler_status"] if job.get("listable") is None else ["source", "crawler_status", "crawler_stage"]
    )
    return _replace(dict(job), "none", *keys)


def _each(items: Any, answer: Any, *keys: str) -> Any:
    if not isinstance(items, (list, tuple)):
        return items
    return [_replace(dict(item), answer, *keys) if isinstance(item, Mapping) else item for item in items]


def _replace(record: Dict[str, Any], answer: Any, *keys: str) -> Dict[str, Any]:
    for key in keys:
        if key in record and record[key] is None:
            record[key] = answer
    return record
