# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what triage found to the one thing that is to be done now: a pure function. Private to this collection.

What triage ranks first is looked at first. What needs a person, or time, holds back what may follow from it, and as much more as
its answer says; storage and bad evidence hold back everything about crawls. What is held back by nothing may go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ...module_utils.parse.text import one_line
from ..triage.evidence import Evidence
from ..triage.unknown import kind
from ..triage.values import commands, jobs, look_up
from .answers import DEPLOY, EVERYTHING, OF_JOBS, ONLY_JOBS, PERSON, WAIT, Answer, Entry

VERIFY = "verify"
_VALUE_LIMIT = 240
_TEXT_LIMIT = 1000
_JOBS = {
    "stalled": jobs.stalled,
    "failed": jobs.picked(status=["failed"]),
    "rejected": jobs.rejected,
    "index_failed": jobs.picked(status=["index_failed"]),
    "unindexed": jobs.unindexed,
}
_COMMITS = {"repair": commands.repair_commit, "main": commands.commit("origin_main")}
_NO_STEP: Dict[str, Any] = {"why": "Run triage again, and look at what it says.", "command": None}
_OF_SITE = "This is a rule of your site, which no playbook answers: do what it says."
_UNSEEN = "No rule applies, and not everything that a healthy host must show was seen. Nothing is done on a guess."


class Decision(NamedTuple):
    """``do``: a role of the collection, ``person``, ``wait`` or ``verify``; ``rule``, ``summary``: what it answers; ``commit``,
    ``jobs``: what the role is told; ``look``: triage's next step, ``why`` and ``command``; ``persons`` and ``waiting``: what else
    was found and needs a person, or may wait, each ``rule``, ``summary`` and ``why``."""

    do: str
    rule: Optional[str]
    summary: str
    why: str
    commit: Optional[str]
    jobs: List[int]
    guide: Optional[str]
    look: Dict[str, Any]
    persons: List[Dict[str, str]]
    waiting: List[Dict[str, str]]
    undeployed: int

    def described(self) -> Dict[str, Any]:
        return self._asdict()


class _Found(NamedTuple):
    """A class of the result with what answers it."""

    description: Mapping[str, Any]
    entry: Optional[Entry]
    answer: Optional[Answer]
    why: str
    commit: Optional[str]

    @property
    def rule(self) -> str:
        return str(self.description["rule"])

    @property
    def do(self) -> str:
        return PERSON if self.answer is None else self.answer.do


def decide(document: Any, result: Mapping[str, Any], answers: Mapping[str, Entry]) -> Decision:
    """What to do about the ``result`` of the triage of this evidence. ValueError, with one line, for a document that is none."""
    evidence = Evidence(document)
    look = look_up(evidence)

    def text(words: Any) -> str:
        return one_line(words.text(look, lambda value: one_line(value, _VALUE_LIMIT)), _TEXT_LIMIT)

    found: List[_Found] = []
    waiting: List[Dict[str, str]] = []
    for description in result.get("classes") or []:
        entry = answers.get(str(description["rule"]))
        each = _answered(evidence, description, entry, text)
        if entry is not None and entry.waits:
            waiting.append(_told(each))
        else:
            found.append(each)
    undeployed = (result.get("undeployed") or {}).get("count") or 0
    chosen = next(_free(found), None)
    # What may follow from something else that was found is looked at when that is mended.
    persons = [_told(each) for each in found if each.do == PERSON and not each.description.get("caused_by")]
    if chosen is not None:
        numbers = _numbers(evidence, chosen.answer.jobs) if chosen.answer is not None and chosen.answer.jobs else []
        return _decision(chosen, numbers, persons, waiting, undeployed)
    if found:
        # A person first: what mends itself does so meanwhile.
        first = min((each for each in found if each.do == PERSON), key=_in_the_way, default=found[0])
        others = [told for told in persons if told["rule"] != first.rule]
        return _decision(first, [], others, waiting, undeployed)
    nothing: Dict[str, Any] = {"why": "", "command": None}
    if waiting or result.get("verdict") == "nothing_found":
        return Decision(VERIFY, None, "", "", None, [], None, nothing, [], waiting, undeployed)
    return Decision(PERSON, None, "unknown", _UNSEEN, None, [], None, _first_look(result), [], [], undeployed)


def _answered(evidence: Evidence, description: Mapping[str, Any], entry: Optional[Entry], text: Any) -> _Found:
    """With the first answer that applies and can be said in full; an unknown condition is no yes."""
    for answer in entry.answers if entry is not None else ():
        if answer.condition is not None and answer.condition(evidence) is not True:
            continue
        commit = None if answer.commit is None else _COMMITS[answer.commit](evidence)
        if answer.do != DEPLOY or commit is not None:
            return _Found(description, entry, answer, text(answer.why), commit)
    return _Found(description, entry, None, _OF_SITE, None)


def _free(found: Sequence[_Found]) -> Iterator[_Found]:
    """What a role answers and nothing else holds back, in the order of the ranks."""
    blocked: Set[str] = set()
    everything, only_jobs = False, False
    for each in found:
        if each.do in (PERSON, WAIT):
            blocked.add(each.rule)
            # What no answer is known of may be anything.
            everything |= each.entry is None or each.entry.holds_back == EVERYTHING
            only_jobs |= each.entry is not None and each.entry.holds_back is not None
        # Also what a role answers: no job is given to a mount that is dead, whatever the ranks say.
        only_jobs |= each.entry is not None and each.entry.holds_back == ONLY_JOBS
    for each in found:
        if each.do in (PERSON, WAIT) or everything or (only_jobs and each.do in OF_JOBS):
            continue
        if not blocked & set(each.description.get("caused_by") or []):
            yield each


def _in_the_way(each: _Found) -> Tuple[bool, bool]:
    """Of what needs a person the least comes first, and of equals what is ranked first: what holds back everything, then what
    follows from nothing else that was found. What is mended before its cause is not mended."""
    everything = each.entry is None or each.entry.holds_back == EVERYTHING
    return not everything, bool(each.description.get("caused_by"))


def _decision(
    each: _Found, numbers: List[int], persons: List[Dict[str, str]], waiting: List[Dict[str, str]], undeployed: int
) -> Decision:
    guide = each.answer.guide if each.answer is not None else None
    look = dict(each.description.get("next_step") or _NO_STEP)
    summary = str(each.description["summary"])
    return Decision(
        each.do, each.rule, summary, each.why, each.commit, numbers, guide, look, persons, waiting, undeployed
    )


def _numbers(evidence: Evidence, name: str) -> List[int]:
    return sorted(int(job["id"]) for job in _JOBS[name](evidence) if kind(job.get("id")) == "number")


def _told(each: _Found) -> Dict[str, str]:
    return {"rule": each.rule, "summary": str(each.description["summary"]), "why": each.why}


def _first_look(result: Mapping[str, Any]) -> Dict[str, Any]:
    facts = [fact for fact in result.get("not_established") or [] if fact.get("command")]
    return {"why": str(facts[0]["text"]), "command": facts[0]["command"]} if facts else dict(_NO_STEP)
