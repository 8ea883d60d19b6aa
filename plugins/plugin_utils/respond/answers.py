# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers to what triage finds: data in, checked and compiled answers out (docs/respond.md). Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from ..triage.expression import BadExpression, Condition, condition
from ..triage.templates import BadTemplate, Template, template
from ..triage.values import TEXT_VALUES

DEPLOY, PERSON, WAIT = "deploy_pinned_ref", "person", "wait"
RECOVERIES = (
    "recover_storage",
    "recover_replay",
    "recover_output_directories",
    "recover_stale_jobs",
    "recover_stalled_crawl",
    "recover_services",
    "recover_failed_jobs",
    "recover_indexing",
    "reconcile_config",
    "remediate_drift",
)
# What a recovery of these does is about crawls: it waits for storage, whatever rule it answers.
OF_JOBS = ("recover_stale_jobs", "recover_stalled_crawl", "recover_failed_jobs", "recover_indexing")
# Which commit a deploy is of: the one that is checked out, if it is on origin/main, else origin/main; or origin/main.
COMMITS = ("repair", "main")
# Which jobs a recovery is told.
JOBS = ("stalled", "failed", "rejected", "index_failed", "unindexed")
EVERYTHING, ONLY_JOBS = "everything", "jobs"

_KEYS: Dict[str, Tuple[Set[str], Set[str]]] = {
    "entry": ({"rule", "answers"}, {"holds_back", "waits"}),
    "answer": ({"do", "why"}, {"when", "commit", "jobs", "guide"}),
}


class BadAnswer(ValueError):
    """An answer cannot be used; the message names the rule and the key, on one line."""


class Answer(NamedTuple):
    """One answer; ``condition`` None: always."""

    condition: Optional[Condition]
    do: str
    why: Template
    commit: Optional[str]
    jobs: Optional[str]
    guide: Optional[str]


class Entry(NamedTuple):
    """What answers one rule."""

    rule: str
    holds_back: Optional[str]
    waits: bool
    answers: Tuple[Answer, ...]


def compile_answers(records: Any) -> Dict[str, Entry]:
    """Check and compile the list; :class:`BadAnswer` on the first thing that cannot be used."""
    if not isinstance(records, (list, tuple)) or not records:
        raise BadAnswer("respond_answers: must be a list that is not empty")
    found: Dict[str, Entry] = {}
    for number, record in enumerate(records):
        entry = _entry(record, "respond_answers[%d]" % number)
        if entry.rule in found:
            raise BadAnswer("rule %s: is answered twice" % entry.rule)
        found[entry.rule] = entry
    return found


def _entry(record: Any, place: str) -> Entry:
    _check_keys(record, "entry", place)
    rule = record["rule"]
    if not isinstance(rule, str) or not rule:
        raise BadAnswer("%s: rule: must be the id of a rule" % place)
    place = "rule %s" % rule
    if not isinstance(record.get("waits", False), bool):
        raise BadAnswer("%s: waits: must be true or false" % place)
    if not isinstance(record["answers"], (list, tuple)):
        raise BadAnswer("%s: answers: must be a list" % place)
    answers: List[Answer] = []
    for number, each in enumerate(record["answers"]):
        answers.append(_answer(each, "%s: answers[%d]" % (place, number)))
    if not answers or answers[-1].condition is not None:
        raise BadAnswer("%s: answers: the last one must have no when" % place)
    holds_back = _choice(record, "holds_back", (EVERYTHING, ONLY_JOBS), place)
    return Entry(rule, holds_back, record.get("waits", False), tuple(answers))


def _answer(record: Any, place: str) -> Answer:
    _check_keys(record, "answer", place)
    do = _choice(record, "do", (DEPLOY, PERSON, WAIT, *RECOVERIES), place)
    commit = _choice(record, "commit", COMMITS, place)
    jobs = _choice(record, "jobs", JOBS, place)
    guide = record.get("guide")
    if (commit is not None) != (do == DEPLOY):
        raise BadAnswer("%s: commit: belongs to a deploy, and to nothing else" % place)
    if jobs is not None and do not in OF_JOBS:
        raise BadAnswer("%s: jobs: belongs to a recovery of jobs" % place)
    if guide is not None and (do != PERSON or not isinstance(guide, str) or not guide.isprintable()):
        raise BadAnswer("%s: guide: must be one printable line, and belongs to a person" % place)
    try:
        when = condition(record["when"]) if "when" in record else None
        why = template(record["why"], frozenset(TEXT_VALUES))
    except (BadExpression, BadTemplate) as error:
        raise BadAnswer("%s: %s" % (place, error)) from error
    return Answer(when, str(do), why, commit, jobs, guide)


def _check_keys(record: Any, kind: str, place: str) -> None:
    if not isinstance(record, Mapping):
        raise BadAnswer("%s: must be a mapping" % place)
    needed, optional = _KEYS[kind]
    missing = sorted(needed - set(record))
    if missing:
        raise BadAnswer("%s: %s: is missing" % (place, missing[0]))
    surplus = sorted(str(key) for key in set(record) - needed - optional)
    if surplus:
        raise BadAnswer("%s: %s: is not a key of an %s" % (place, surplus[0], kind))


def _choice(record: Mapping[str, Any], key: str, choices: Tuple[str, ...], place: str) -> Optional[str]:
    """One of the choices; None where the key is not there."""
    if key not in record:
        return None
    value = record[key]
    if not isinstance(value, str) or value not in choices:
        raise BadAnswer("%s: %s: must be one of: %s" % (place, key, ", ".join(choices)))
    return value
