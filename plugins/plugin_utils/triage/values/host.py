# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of units, paths, disks, journals, watchdogs and the public addresses. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Iterator

from ....module_utils.shapes import counted, whole
from ...outside_view import answer
from ..evidence import Evidence
from ..templates import Value
from ..unknown import kind, member
from .reading import Look, found_at, listed, mappings, shortened, sound_path

paths = listed("storage", "paths")


def paths_in(*states: str) -> Look:
    def in_these(evidence: Evidence) -> Value:
        found = [sound_path(item.get("path")) for item in paths(evidence) if item.get("state") in states]
        # A path below another is unmounted before it.
        return sorted((path for path in found if path is not None), reverse=True) or None

    return in_these


def suspect_directories(evidence: Evidence) -> Value:
    """Directories of jobs that the service user may not write in, or that are an annual job's and not mounted."""
    found = [
        sound_path(item.get("path"))
        for item in listed("storage", "job_directories")(evidence)
        if item.get("mounted") is False and (item.get("writable") is False or item.get("annual") is True)
    ]
    return [path for path in found if path is not None] or None


def subjects(unit: str, *codes: str) -> Look:
    def subjects(evidence: Evidence) -> Value:
        records = mappings(member(member(found_at(evidence, "journal", "units"), unit, True), "signatures", True))
        return shortened(
            [
                record["subject"]
                for record in records
                if record.get("code") in codes and kind(record.get("subject")) == "text"
            ]
        )

    return subjects


def restarts(unit: str) -> Look:
    """``1 restart``: by systemd, one after another."""

    def restarts(evidence: Evidence) -> Value:
        many = whole(found_at(evidence, "units", "units", unit, "restarts"))
        return "an unknown number of restarts" if many is None else counted(many, "restart", "restarts")

    return restarts


def bad_units(evidence: Evidence) -> Value:
    units = found_at(evidence, "units", "units")
    if not isinstance(units, Mapping):
        return None
    states = [
        "%s %s" % (name, state.get("active_state"))
        for name, state in units.items()
        if isinstance(state, Mapping) and state.get("load_state") == "loaded" and state.get("active_state") != "active"
    ]
    return shortened(states)


def disabled_units(evidence: Evidence) -> Value:
    units = found_at(evidence, "units", "units")
    if not isinstance(units, Mapping):
        return None
    found = [
        "%s is %s" % (name, state["unit_file_state"])
        for name, state in units.items()
        if isinstance(state, Mapping) and state.get("unit_file_state") in ("disabled", "masked")
    ]
    return shortened(found)


def neglected(evidence: Evidence) -> Value:
    """What idle watchdogs see and leave alone, and for how many seconds."""
    found = []
    for watchdog in listed("watchdogs", "watchdogs")(evidence):
        targets = watchdog.get("targets")
        if watchdog.get("idle") is True and isinstance(targets, (list, tuple)):
            for target in targets:
                if isinstance(target, Mapping) and kind(target.get("seen_for_seconds")) == "number":
                    found.append("%s for %d s" % (target.get("subject"), target["seen_for_seconds"]))
    return shortened(found)


def fullest_disk(evidence: Evidence) -> Value:
    disks = [disk for disk in listed("storage", "disk")(evidence) if kind(disk.get("used_percent")) == "number"]
    if not disks:
        return None
    disk = max(disks, key=lambda each: each["used_percent"])
    return "%s %.0f %% used" % (disk.get("path"), disk["used_percent"])


def outside(*addresses: str) -> Look:
    def outside(evidence: Evidence) -> Value:
        records = [evidence.recorded("outside_view", address) for address in addresses]
        found = [(record, answer(record)) for record in records]
        return ["%s %s" % (record["url"], words) for record, words in found if words and "url" in record] or None

    return outside


def unserved(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """What replay answers where it should serve its front page or an archived one."""
    status = found_at(evidence, "replay", "status")
    if found_at(evidence, "replay", "responds") is False:
        yield {"what": "its front page", "answer": "gives no answer"}
    elif kind(status) == "number" and status >= 400:
        yield {"what": "its front page", "answer": "answers %d" % status}
    for target in listed("replay", "targets")(evidence):
        state, status = target.get("state"), target.get("status")
        if state in ("not_found", "failing", "silent") and kind(target.get("job_id")) == "number":
            answered = state != "silent" and kind(status) == "number"
            yield {
                "what": "job %d" % target["job_id"],
                "answer": "answers %d" % status if answered else "gives no answer",
            }
