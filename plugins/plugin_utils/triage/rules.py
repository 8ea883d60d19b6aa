# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the classification: data in, checked and compiled rules out (docs/triage.md).

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, FrozenSet, List, NamedTuple, Optional, Tuple

from .expression import BadExpression, Condition, condition
from .templates import BadTemplate, Template, template
from .values import COMMAND_VALUES, TEXT_VALUES

# design 3: the incident playbook's four, and four more.
CLASSES = (
    "storage",
    "stale_state",
    "config_drift",
    "crawler_compatibility",
    "service",
    "deployment",
    "capacity",
    "automation",
)

# In the order in which faults are judged: what stands first can be the cause of what stands later.
LAYERS = (
    "evidence",
    "storage",
    "capacity",
    "database",
    "deployment",
    "service",
    "queue",
    "worker",
    "crawl",
    "configuration",
    "backlog",
)

# The service's severity rubric (contract 4.14).
RUBRIC = {
    "sev0": ("site/API down for most or wrong/unsafe data", "credible integrity compromise", "security incident"),
    "sev1": (
        "usable but badly degraded",
        "annual capture blocked or likely to miss its window",
        "storage instability threatening crawl/index",
    ),
    "sev2": ("one source failing", "known workaround", "non-critical automation down"),
    "sev3": ("minor, internal, docs",),
}


class BadRule(ValueError):
    """A rule cannot be used; the message names the rule and the key, on one line."""


class Statement(NamedTuple):
    """One condition and what it says about the host when it is true."""

    condition: Condition
    text: Template


class Step(NamedTuple):
    """One thing to do next; ``condition`` None: always."""

    condition: Optional[Condition]
    why: Template
    command: Template


class Rule(NamedTuple):
    """One checked rule. ``layer`` is its place in LAYERS."""

    id: str
    fault_class: str
    layer: int
    direct: bool
    summary: Template
    when: Tuple[Statement, ...]
    supports: Tuple[Statement, ...]
    contradicts: Tuple[Statement, ...]
    caused_by: Tuple[str, ...]
    severity: str
    severity_reason: str
    steps: Tuple[Step, ...]


class RequiredFact(NamedTuple):
    """A fact without which nothing is not "nothing found", and where to look when it is missing."""

    condition: Condition
    text: Template
    look: Template


class BadEvidenceRule(NamedTuple):
    """What makes evidence worthless."""

    code: str
    condition: Condition
    message: Template


class Knowledge(NamedTuple):
    """All that the classification knows."""

    rules: Tuple[Rule, ...]
    required_facts: Tuple[RequiredFact, ...]
    bad_evidence: Tuple[BadEvidenceRule, ...]


_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TEXT_NAMES = frozenset(TEXT_VALUES)
_COMMAND_NAMES = frozenset(COMMAND_VALUES)
_KEYS = {
    "rule": (
        {"id", "class", "layer", "direct", "summary", "when", "severity", "severity_reason", "next"},
        {"supports", "contradicts", "caused_by"},
    ),
    "statement": ({"fact", "text"}, set()),
    "step": ({"why", "command"}, {"when"}),
    "required fact": ({"fact", "text", "look"}, set()),
    "bad evidence": ({"code", "fact", "message"}, set()),
}


def knowledge(rules: Any, required_facts: Any, bad_evidence: Any, extra_rules: Any = ()) -> Knowledge:
    """Check and compile everything; :class:`BadRule` on the first thing that cannot be used.

    Of each there must be something: without rules nothing is ever found, and without facts that is called healthy.
    """
    known = {"triage_rules": rules, "triage_required_facts": required_facts, "triage_bad_evidence": bad_evidence}
    for key, records in known.items():
        if isinstance(records, (list, tuple)) and not records:
            raise BadRule("%s: must not be empty" % key)
    return Knowledge(
        compile_rules(rules, extra_rules),
        tuple(_required_fact(record, place) for record, place in _records(required_facts, "triage_required_facts")),
        tuple(_bad_evidence(record, place) for record, place in _records(bad_evidence, "triage_bad_evidence")),
    )


def compile_rules(rules: Any, extra_rules: Any = ()) -> Tuple[Rule, ...]:
    """Check and compile a list of rules, and a site's own.

    One of the site's with the ``id`` of another takes its place, so that what names it as a cause still does.
    """
    compiled: List[Rule] = []
    for record, place in _with_extra(rules, extra_rules):
        identifier = _identifier(record)
        named = place if identifier is None else "rule %s" % identifier
        compiled.append(_rule(record, named, frozenset(rule.id for rule in compiled)))
    return tuple(compiled)


def _with_extra(rules: Any, extra_rules: Any) -> List[Tuple[Any, str]]:
    records = _records(rules, "triage_rules")
    positions = {_identifier(record): position for position, (record, _place) in enumerate(records)}
    own = set()
    for record, place in _records(extra_rules, "triage_extra_rules"):
        identifier = _identifier(record)
        if identifier is not None and identifier in positions and identifier not in own:
            records[positions[identifier]] = (record, place)
        else:
            records.append((record, place))
        own.add(identifier)
    return records


def _identifier(record: Any) -> Optional[str]:
    identifier = record.get("id") if isinstance(record, Mapping) else None
    return identifier if isinstance(identifier, str) and _IDENTIFIER.fullmatch(identifier) else None


def _rule(record: Any, place: str, before: FrozenSet[str]) -> Rule:
    _check_keys(record, "rule", place)
    identifier = record["id"]
    if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
        raise BadRule("%s: id: must be small letters, digits and _, beginning with a letter" % place)
    if identifier in before:
        raise BadRule("%s: id: another rule has it" % place)
    if not isinstance(record["direct"], bool):
        raise BadRule("%s: direct: must be true or false" % place)
    severity = _choice(record, "severity", tuple(RUBRIC), place)
    causes = tuple(
        _choice({key: cause}, key, tuple(sorted(before)), place)
        for cause, key in _records(record.get("caused_by", []), "caused_by", place)
    )
    return Rule(
        id=identifier,
        fault_class=_choice(record, "class", CLASSES, place),
        layer=LAYERS.index(_choice(record, "layer", LAYERS, place)),
        direct=record["direct"],
        summary=_text(record, "summary", place),
        when=_statements(record, "when", place, needed=True),
        supports=_statements(record, "supports", place),
        contradicts=_statements(record, "contradicts", place),
        caused_by=causes,
        severity=severity,
        severity_reason=_choice(record, "severity_reason", RUBRIC[severity], place),
        steps=_steps(record, place),
    )


def _statements(record: Mapping[str, Any], key: str, place: str, needed: bool = False) -> Tuple[Statement, ...]:
    found = []
    for item, where in _records(record.get(key, []), key, place):
        _check_keys(item, "statement", "%s: %s" % (place, where))
        found.append(Statement(_condition(item, "fact", place, where), _text(item, "text", place, where)))
    if needed and not found:
        raise BadRule("%s: %s: must hold at least one condition" % (place, key))
    return tuple(found)


def _steps(record: Mapping[str, Any], place: str) -> Tuple[Step, ...]:
    steps = []
    for item, where in _records(record["next"], "next", place):
        _check_keys(item, "step", "%s: %s" % (place, where))
        when = _condition(item, "when", place, where) if "when" in item else None
        steps.append(Step(when, _text(item, "why", place, where), _command(item, "command", place, where)))
    if not steps or steps[-1].condition is not None:
        raise BadRule("%s: next: the last step must have no when" % place)
    return tuple(steps)


def _required_fact(record: Any, place: str) -> RequiredFact:
    _check_keys(record, "required fact", place)
    return RequiredFact(
        _condition(record, "fact", place), _text(record, "text", place), _command(record, "look", place)
    )


def _bad_evidence(record: Any, place: str) -> BadEvidenceRule:
    _check_keys(record, "bad evidence", place)
    code = record["code"]
    if not isinstance(code, str) or not _IDENTIFIER.fullmatch(code):
        raise BadRule("%s: code: must be small letters, digits and _, beginning with a letter" % place)
    return BadEvidenceRule(code, _condition(record, "fact", place), _text(record, "message", place))


def _records(value: Any, key: str, place: str = "") -> List[Tuple[Any, str]]:
    if not isinstance(value, (list, tuple)):
        raise BadRule("%s%s: must be a list" % (place + ": " if place else "", key))
    return [(item, "%s[%d]" % (key, number)) for number, item in enumerate(value)]


def _check_keys(record: Any, kind: str, place: str) -> None:
    if not isinstance(record, Mapping):
        raise BadRule("%s: must be a mapping" % place)
    needed, optional = _KEYS[kind]
    missing = sorted(needed - set(record))
    if missing:
        raise BadRule("%s: %s: is missing" % (place, missing[0]))
    surplus = sorted(str(key) for key in set(record) - needed - optional)
    if surplus:
        raise BadRule("%s: %s: is not a key of a %s" % (place, _printable(surplus[0]), kind))


def _choice(record: Mapping[str, Any], key: str, choices: Tuple[str, ...], place: str) -> str:
    value = record[key]
    if not isinstance(value, str) or value not in choices:
        raise BadRule("%s: %s: must be one of: %s" % (place, key, ", ".join(choices) or "(nothing stands before it)"))
    return str(value)


def _condition(record: Mapping[str, Any], key: str, place: str, where: str = "") -> Condition:
    try:
        return condition(record[key])
    except BadExpression as error:
        raise BadRule("%s: %s: %s" % (place, _key(where, key), _printable(str(error)))) from error


def _text(record: Mapping[str, Any], key: str, place: str, where: str = "") -> Template:
    return _template(record, key, place, where, _TEXT_NAMES)


def _command(record: Mapping[str, Any], key: str, place: str, where: str = "") -> Template:
    return _template(record, key, place, where, _COMMAND_NAMES)


def _template(record: Mapping[str, Any], key: str, place: str, where: str, names: FrozenSet[str]) -> Template:
    try:
        return template(record[key], names)
    except BadTemplate as error:
        raise BadRule("%s: %s: %s" % (place, _key(where, key), _printable(str(error)))) from error


def _key(where: str, key: str) -> str:
    return where + "." + key if where else key


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:300]
