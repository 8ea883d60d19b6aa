# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions that conditions can call (docs/triage.md). Private to this collection.

Each takes the evidence and values, and gives a value, or UNKNOWN. They are reached by name from a condition, so an
argument can be anything that a condition can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from .evidence import PROBES, Evidence
from .times import moment
from .unknown import UNKNOWN, Listing, conjunction, disjunction, kind, member, value_of


class AtLeast(NamedTuple):
    """A number that a member of a list's item must reach."""

    number: float


class Before(NamedTuple):
    """A moment before which that of a list's item must lie."""

    moment: datetime


def known(evidence: Evidence, value: Any) -> bool:
    """``known(jobs.jobs)``: whether this was established at all. The only question that always has an answer."""
    return value is not UNKNOWN


def problem(evidence: Evidence, probe: Any, *codes: Any) -> Any:
    """``problem('database', 'not_found')``: whether the probe named a problem of one of these codes."""
    if probe not in PROBES:
        return UNKNOWN
    return any(code in codes for code, _message in evidence.problems(probe))


def unit(evidence: Evidence, name: Any) -> Any:
    """``unit('healtharchive-api.service').active_state``: the state of a systemd unit."""
    return member(member(evidence.data("units"), "units", True), name, True)


def signature(evidence: Evidence, unit_name: Any, *codes: Any, within: Any = None, since_start: Any = False) -> Any:
    """``signature('healtharchive-api.service', 'missing_module')``: whether one is in the unit's last journal lines.

    ``within=120``: only if it was last seen at most so many seconds ago. ``since_start=true``: only if that was after
    the unit's present start. Old lines stay in a journal after a repair: a signature shows what was, never what is.
    """
    journal = member(member(evidence.data("journal"), "units", True), unit_name, True)
    # The record of one unit may be whole though the other unit's journal was not read; what is not in the newest lines
    # may be in those that were too long to be read.
    found = member(journal, "signatures", member(journal, "whole", True) is not False)
    if not isinstance(found, Listing) or not all(isinstance(code, str) for code in codes):
        return UNKNOWN
    started = moment(member(unit(evidence, unit_name), "started_at", True))
    answers = []
    for record in found.items:
        code = _matches(member(record, "code", True), Listing(codes, True))
        answers.append(conjunction([code, *_when(record, within, since_start, started)]))
    return _found(disjunction(answers), found)


def _when(record: Any, within: Any, since_start: Any, started: Optional[datetime]) -> List[Optional[bool]]:
    answers: List[Optional[bool]] = []
    if within is not None:
        age = member(record, "age_seconds", True)
        answers.append(age <= within if kind(age) == kind(within) == "number" else None)
    if since_start is True:
        seen = moment(member(record, "last_seen_at", True))
        answers.append(None if seen is None or started is None else seen >= started)
    return answers


def drift(evidence: Evidence, *patterns: Any) -> Any:
    """``drift('env:*')``: whether the baseline check has a failure whose key matches one of the patterns."""
    return _drift(evidence, patterns, True)


def drift_other_than(evidence: Evidence, *patterns: Any) -> Any:
    """``drift_other_than('dependencies*')``: whether it has a failure whose key matches none of them."""
    return _drift(evidence, patterns, False)


def _drift(evidence: Evidence, patterns: Any, wanted: bool) -> Any:
    failures = member(evidence.data("baseline_drift"), "failures", evidence.complete("baseline_drift"))
    if not isinstance(failures, Listing) or not all(isinstance(pattern, str) for pattern in patterns):
        return UNKNOWN
    answers = []
    for failure in failures.items:
        key = member(failure, "key", True)
        matched = any(fnmatchcase(key, pattern) for pattern in patterns) if isinstance(key, str) else None
        answers.append(None if matched is None else matched is wanted)
    return _found(disjunction(answers), failures)


def some(evidence: Evidence, listing: Any, **wanted: Any) -> Any:
    """``some(jobs.jobs, status=['queued', 'retryable'], stale=true)``: whether an item of a list has all these members.

    A text may hold ``*``; a list means any of; :func:`at_least` asks for a number. Where the probe did not see the
    whole list, an item that is not there may still exist: then the answer is unknown, never no.
    """
    if not isinstance(listing, Listing):
        return UNKNOWN
    answers = []
    for item in listing.items:
        if isinstance(item, Mapping):
            answers.append(conjunction(_matches(value_of(item.get(key), True), value) for key, value in wanted.items()))
        else:
            answers.append(None)
    return _found(disjunction(answers), listing)


def at_least(evidence: Evidence, number: Any) -> Any:
    """``some(storage.disk, used_percent=at_least(85))``."""
    return AtLeast(number) if kind(number) == "number" else UNKNOWN


def before(evidence: Evidence, value: Any) -> Any:
    """``some(jobs.jobs, status='failed', finished_at=before(deployment.checkout_changed_at))``."""
    limit = moment(value)
    return UNKNOWN if limit is None else Before(limit)


def _found(answer: Optional[bool], listing: Listing) -> Any:
    if answer is None or (answer is False and not listing.complete):
        return UNKNOWN
    return answer


def _matches(value: Any, wanted: Any) -> Optional[bool]:
    if isinstance(wanted, Listing):
        return disjunction(_matches(value, option) for option in wanted.items)
    if isinstance(wanted, AtLeast):
        return value >= wanted.number if kind(value) == "number" else None
    if isinstance(wanted, Before):
        at = moment(value)
        return None if at is None else at < wanted.moment
    if kind(value) is None or kind(value) != kind(wanted):
        return None
    if isinstance(wanted, str):
        return fnmatchcase(value, wanted) if "*" in wanted else value == wanted
    return value == wanted


FUNCTIONS: Dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (known, problem, unit, signature, drift, drift_other_than, some, at_least, before)
}
