# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From evidence to ranked classes of faults: a pure function. Private to this collection.

A class is reported only for symptoms that were seen; what was not seen is said. The order is: storage first, then the
layers, then the confidence; and what may follow from another reported fault comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ...module_utils.parse.text import one_line
from .evidence import OPTIONAL, PROBES, Evidence
from .rules import Knowledge, Rule, Statement, knowledge
from .templates import Value
from .unknown import Listing, member
from .values import look_up

CONFIDENCES = ("certain", "likely", "possible")
# One repair often uncovers what it hid.
FIRST_LAYER = "What was found may be the first layer only: after each repair, run triage again."
# A value from the host in a text, and a whole text, in characters.
_VALUE_LIMIT = 240
_TEXT_LIMIT = 1000
_MOST_COMMITS = 20


class _Match(NamedTuple):
    rule: Rule
    confidence: str
    position: int
    description: Dict[str, Any]


def classify(
    evidence: Any, rules: Any, required_facts: Any, bad_evidence: Any, extra_rules: Any = ()
) -> Dict[str, Any]:
    """Classify one evidence document with rules that are data; ``extra_rules`` are the site's own.

    Returns what docs/result.schema.json describes. Raises ValueError, with one line, when the document or a rule has
    not the shape it must have.
    """
    return classify_with(Evidence(evidence), knowledge(rules, required_facts, bad_evidence, extra_rules))


def classify_with(evidence: Evidence, known: Knowledge) -> Dict[str, Any]:
    """Classify checked evidence with checked rules."""
    look = look_up(evidence)
    matches = [
        match
        for match in (_match(evidence, rule, position, look) for position, rule in enumerate(known.rules))
        if match is not None
    ]
    ranked = _ranked(matches)
    reported = {match.rule.id for match in ranked}
    classes = [
        {**match.description, "caused_by": [cause for cause in match.rule.caused_by if cause in reported]}
        for match in ranked
    ]
    bad = _bad_evidence(evidence, known, look)
    not_established = [
        {"text": _text(fact.text, look), "seen": fact.condition(evidence) is False, "command": fact.look.command(look)}
        for fact in known.required_facts
        if fact.condition(evidence) is not True
    ]
    all_seen = all(evidence.status(probe) != "unknown" for probe in PROBES if probe not in OPTIONAL)
    if classes:
        verdict = "found"
    elif all_seen and not bad and not not_established:
        verdict = "nothing_found"
    else:
        verdict = "unknown"
    return {
        "verdict": verdict,
        "classes": classes,
        "first_layer_warning": FIRST_LAYER if classes else None,
        "undeployed": _undeployed(evidence),
        "bad_evidence": bad,
        "not_seen": _not_seen(evidence),
        "not_established": not_established,
    }


def _match(evidence: Evidence, rule: Rule, position: int, look: Callable[[str], Value]) -> Optional[_Match]:
    needed = [statement.condition(evidence) for statement in rule.when]
    supports = [statement.condition(evidence) for statement in rule.supports]
    contradicts = [statement.condition(evidence) for statement in rule.contradicts]
    confidence = confidence_of(rule.direct, needed, supports, contradicts)
    if confidence is None:
        return None
    shown = [*zip(rule.when, needed), *zip(rule.supports, supports)]
    against = list(zip(rule.contradicts, contradicts))
    description = {
        "class": rule.fault_class,
        "rule": rule.id,
        "confidence": confidence,
        "severity": rule.severity,
        "severity_reason": rule.severity_reason,
        "summary": _text(rule.summary, look),
        "evidence_for": _texts(shown, True, look),
        "evidence_against": _texts(against, True, look),
        "evidence_missing": _texts([*shown, *against], None, look),
        "next_step": _next_step(evidence, rule, look),
    }
    return _Match(rule, confidence, position, description)


def confidence_of(
    direct: bool,
    needed: Sequence[Optional[bool]],
    supports: Sequence[Optional[bool]],
    contradicts: Sequence[Optional[bool]],
) -> Optional[str]:
    """The word for how sure a rule is; None: it does not apply.

    ``certain``: all that the rule needs was seen, nothing speaks against it, everything that could was looked at, and
    the fault itself was observed (``direct``) or something independent supports it. ``likely``: all that it needs was
    seen and nothing seen speaks against it. ``possible``: all that it needs was seen but something speaks against it,
    or a part of what it needs could not be seen while another part and something that supports it were, and nothing
    speaks against it.
    """
    if False in needed:
        return None
    if None in needed:
        return "possible" if True in needed and True in supports and True not in contradicts else None
    if True in contradicts:
        return "possible"
    if None in contradicts:
        return "likely"
    return "certain" if direct or True in supports else "likely"


def _ranked(matches: List[_Match]) -> List[_Match]:
    waiting = sorted(
        matches,
        key=lambda match: (
            match.rule.fault_class != "storage",
            match.rule.layer,
            CONFIDENCES.index(match.confidence),
            match.position,
        ),
    )
    ranked: List[_Match] = []
    while waiting:
        open_rules = {match.rule.id for match in waiting}
        # There is one: a rule can only name rules before it as causes.
        following = next(match for match in waiting if not open_rules & set(match.rule.caused_by))
        waiting.remove(following)
        ranked.append(following)
    return ranked


def _next_step(evidence: Evidence, rule: Rule, look: Callable[[str], Value]) -> Dict[str, Optional[str]]:
    """The first step whose condition is true and whose command can be written in full."""
    for step in rule.steps:
        if step.condition is None or step.condition(evidence) is True:
            command = step.command.command(look)
            if command is not None:
                return {"why": _text(step.why, look), "command": command}
    return {"why": _text(rule.steps[-1].why, look), "command": None}


def _undeployed(evidence: Evidence) -> Dict[str, Any]:
    """The commits of origin/main that the host does not have: what a recovery must not be made without."""
    undeployed = member(evidence.data("deployment"), "undeployed", True)
    count = member(undeployed, "count", True)
    listed = member(undeployed, "commits", True)
    commits = [
        {"sha": one_line(item.get("sha"), 40), "subject": one_line(item.get("subject"), _VALUE_LIMIT)}
        for item in (listed.items[:_MOST_COMMITS] if isinstance(listed, Listing) else [])
        if isinstance(item, Mapping)
    ]
    return {"count": count if isinstance(count, int) and not isinstance(count, bool) else None, "commits": commits}


def _bad_evidence(evidence: Evidence, known: Knowledge, look: Callable[[str], Value]) -> List[Dict[str, str]]:
    found = [(rule.code, _text(rule.message, look)) for rule in known.bad_evidence if rule.condition(evidence) is True]
    for probe in PROBES:
        found += [
            (code, one_line(message, _TEXT_LIMIT))
            for code, message in evidence.problems(probe)
            if code == "bad_evidence"
        ]
    return [{"code": code, "message": message} for code, message in dict.fromkeys(found)]


def _not_seen(evidence: Evidence) -> List[Dict[str, str]]:
    found: List[Tuple[str, str, str]] = []
    for probe in PROBES:
        found += [
            (probe, one_line(code, 40), one_line(message, _TEXT_LIMIT))
            for code, message in evidence.problems(probe)
            if not (probe in OPTIONAL and code == "not_run")
        ]
    jobs = evidence.data("jobs")
    cannot_know = jobs.get("cannot_know") if isinstance(jobs, Mapping) else None
    if isinstance(cannot_know, (list, tuple)) and cannot_know:
        found.append(("jobs", "cannot_know", one_line("; ".join(str(item) for item in cannot_know), _TEXT_LIMIT)))
    return [{"probe": probe, "code": code, "message": message} for probe, code, message in dict.fromkeys(found)]


def _texts(
    statements: List[Tuple[Statement, Optional[bool]]], wanted: Optional[bool], look: Callable[[str], Value]
) -> List[str]:
    texts = [_text(statement.text, look) for statement, answer in statements if answer is wanted]
    return list(dict.fromkeys(texts))


def _text(text: Any, look: Callable[[str], Value]) -> str:
    return one_line(text.text(look, lambda value: one_line(value, _VALUE_LIMIT)), _TEXT_LIMIT)
