# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is well again: evidence and checks in, an answer out (contract 4.1, "done"). A pure function.

What was not seen is `unknown`, and unknown is no pass. Private to this collection.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ..module_utils.parse.text import one_line
from .triage.evidence import PROBES, Evidence
from .triage.expression import BadExpression, Condition, condition
from .triage.templates import BadTemplate, Look, Template, template
from .triage.unknown import conjunction
from .triage.values import COMMAND_VALUES, TEXT_VALUES, look_up

PASSED, FAILED, UNKNOWN = "passed", "failed", "unknown"
# Statuses that stay for ever when nobody retries the job: one that is known need not hold up an incident it has no part in.
_ENDED = ("failed", "index_failed")
_VALUE_LIMIT = 240
_DETAIL_LIMIT = 1000
_KEYS = {"check", "probe", "asked", "facts"}
_FACT_KEYS = {"fact", "text", "otherwise", "look"}


class BadCheck(ValueError):
    """A check cannot be used; the message names it, on one line."""


class Fact(NamedTuple):
    """What must be true, what it is called, what to say when it is not, and where to look then."""

    condition: Condition
    text: Template
    otherwise: Template
    look: Template


class Check(NamedTuple):
    """Several facts about one thing. ``asked``: without it there is nothing to check, for example no public address."""

    name: str
    probe: str
    asked: Optional[Condition]
    facts: Tuple[Fact, ...]


def event_of(result: Mapping[str, Any]) -> Dict[str, Any]:
    """What the record of an incident keeps of a verification."""
    data = {name: result[name] for name in ("verification_id", "passed", "checks")}
    return {"kind": "verified", "at": result["at"], "data": data}


def checks(definitions: Any) -> Tuple[Check, ...]:
    """Check and compile the definitions of a role; :class:`BadCheck`."""
    if not isinstance(definitions, (list, tuple)) or not definitions:
        raise BadCheck("the checks must be a list that is not empty")
    return tuple(_check(record, number) for number, record in enumerate(definitions))


def judge(document: Any, compiled: Tuple[Check, ...], known_jobs: Collection[int] = ()) -> Dict[str, Any]:
    """The verification of an evidence document (docs/evidence.md).

    ``known_jobs``: numbers of failed jobs that are known and no part of this.
    Returns ``verification_id``, ``at`` (of the evidence, or None), ``passed`` (True: every check passed; False: one
    failed; None: none failed, but not everything was seen), ``checks`` as the record keeps them (``check``, ``result``,
    ``detail``) and ``next`` (``why``, ``command`` or None), None when it passed. Raises ValueError for another document.
    """
    digest = _digest(document)
    evidence = Evidence(_without(document, known_jobs))
    look = look_up(evidence)
    judged = [(check, _judged(evidence, check, look)) for check in compiled if _is_asked(evidence, check)]
    results = [result for _check_, (result, _detail, _next) in judged]
    if not results:
        raise ValueError("nothing was checked")
    found = []
    for check, (result, detail, _next) in judged:
        if check.probe == "jobs" and known_jobs:
            detail += "; known and left aside: %s" % ", ".join(str(number) for number in sorted(known_jobs))
        found.append({"check": check.name, "result": result, "detail": one_line(detail, _DETAIL_LIMIT)})
    collected = document.get("collected_at")
    return {
        "verification_id": "verification-" + digest[:16],
        "at": collected if isinstance(collected, str) else None,
        "passed": False if FAILED in results else (None if UNKNOWN in results else True),
        "checks": found,
        "next": _next_step([outcome for _check_, outcome in judged]),
    }


def _is_asked(evidence: Evidence, check: Check) -> bool:
    # Not known whether it can be asked: then it is asked, and the answer is unknown.
    return check.asked is None or check.asked(evidence) is not False


_Outcome = Tuple[str, str, Optional[Dict[str, Optional[str]]]]


def _judged(evidence: Evidence, check: Check, look: Look) -> _Outcome:
    answers = [(fact, fact.condition(evidence)) for fact in check.facts]
    wrong = [fact for fact, answer in answers if answer is False]
    unseen = [fact for fact, answer in answers if answer is None]
    if wrong:
        return FAILED, "; ".join(_text(fact.otherwise, look) for fact in wrong), _step(wrong[0], True, look)
    if conjunction(answer for _fact, answer in answers) is None:
        reasons = ["%s: %s" % problem for problem in evidence.problems(check.probe)]
        detail = "not seen: %s" % "; ".join(_text(fact.text, look) for fact in unseen)
        return UNKNOWN, detail + (" (%s)" % "; ".join(reasons) if reasons else ""), _step(unseen[0], False, look)
    return PASSED, "; ".join(_text(fact.text, look) for fact in check.facts), None


def _step(fact: Fact, wrong: bool, look: Look) -> Dict[str, Optional[str]]:
    why = _text(fact.otherwise if wrong else fact.text, look)
    return {"why": ("%s." if wrong else "Not seen: %s.") % why, "command": fact.look.command(look)}


def _next_step(outcomes: List[_Outcome]) -> Optional[Dict[str, Optional[str]]]:
    """Of the first check that failed, or else of the first that could not see."""
    for wanted in (FAILED, UNKNOWN):
        for result, _detail, step in outcomes:
            if result == wanted:
                return step
    return None


def _text(text: Template, look: Look) -> str:
    return one_line(text.text(look, lambda value: one_line(value, _VALUE_LIMIT)), _DETAIL_LIMIT)


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode("ascii")).hexdigest()


def _without(document: Any, known_jobs: Collection[int]) -> Any:
    """The evidence without the known failed jobs."""
    probe = document.get("probes", {}).get("jobs") if isinstance(document, Mapping) else None
    data = probe.get("data") if isinstance(probe, Mapping) else None
    listed = data.get("jobs") if isinstance(data, Mapping) else None
    if not known_jobs or not isinstance(listed, (list, tuple)):
        return document
    left = [job for job in listed if not _is_known(job, known_jobs)]
    probes = {**document["probes"], "jobs": {**probe, "data": {**data, "jobs": left}}}
    return {**document, "probes": probes}


def _is_known(job: Any, known_jobs: Collection[int]) -> bool:
    return isinstance(job, Mapping) and job.get("status") in _ENDED and job.get("id") in known_jobs


def _check(record: Any, number: int) -> Check:
    place = "check %d" % (number + 1)
    if not isinstance(record, Mapping) or not isinstance(record.get("check"), str):
        raise BadCheck("%s: must be a mapping with the name of the check" % place)
    place = "check %s" % one_line(record["check"], 40)
    if set(record) - _KEYS or not isinstance(record.get("facts"), (list, tuple)) or not record["facts"]:
        raise BadCheck("%s: must have facts, and no other keys than %s" % (place, ", ".join(sorted(_KEYS))))
    if record.get("probe") not in PROBES:
        raise BadCheck("%s: probe must be one of %s" % (place, ", ".join(PROBES)))
    try:
        asked = condition(record["asked"]) if "asked" in record else None
        facts = tuple(_fact(fact) for fact in record["facts"])
    except (BadExpression, BadTemplate) as error:
        raise BadCheck("%s: %s" % (place, one_line(str(error), 300))) from error
    return Check(record["check"], record["probe"], asked, facts)


def _fact(record: Any) -> Fact:
    if not isinstance(record, Mapping) or set(record) != _FACT_KEYS:
        raise BadTemplate("each fact has the keys %s" % ", ".join(sorted(_FACT_KEYS)))
    return Fact(
        condition(record["fact"]),
        template(record["text"], frozenset(TEXT_VALUES)),
        template(record["otherwise"], frozenset(TEXT_VALUES)),
        template(record["look"], frozenset(COMMAND_VALUES)),
    )
