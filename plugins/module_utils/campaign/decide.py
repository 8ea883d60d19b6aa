# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which annual jobs are reconciled, from their rows and from what the service's dry run says; and what became of them: pure.

The command prints values as text, and its exit code is 0 whatever it could do (contract 2.3). So a row says what a value is, the
command what it shall be, and a row again what it has become. Private to this collection.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..parse import annual, job_config
from ..parse.jobs import KNOWN_STATUSES
from ..parse.text import one_line

# Where options stand in a configuration; the command may leave the name of the group out.
GROUPS = ("tool_options", "execution_policy")
_NUMBERS = frozenset((*job_config.NUMERIC_OPTIONS, "campaign_year"))
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_TRUTH = {"True": True, "False": False}
_VALUE_LIMIT = 300
# Of several reasons why nothing is planned the first one is told by its code.
WRONG_TYPE, NEEDS_PERSON = "wrong_type", "needs_person"

# Any value as the command prints it, without secrets.
Words = Callable[[Any], str]


class Contradiction(Exception):
    """Rows and command do not fit together; one line says how. Between two readings that may happen once."""


class Job(NamedTuple):
    """An annual job as its row says. ``config``: free JSON."""

    id: int
    source: str
    year: int
    name: str
    status: str
    config: Any


class Said(NamedTuple):
    """What the dry run says of a year: its verdicts, and the standard error on which it names what it passes over."""

    verdicts: Tuple[annual.Verdict, ...]
    stderr: bytes


class Change(NamedTuple):
    """``old`` is as the row has it, None where it has none; ``new`` of the type that belongs there, ``text`` as the command
    prints it."""

    key: str
    old: Any
    new: Any
    text: str


class Step(NamedTuple):
    """A job that is reconciled."""

    job: Job
    changes: Tuple[Change, ...]


class Left(NamedTuple):
    """Why a job is not: a code, and words with what a person can do."""

    code: str
    why: str


class Decision(NamedTuple):
    """``well``: jobs of which row and command agree that nothing is to be changed."""

    steps: Tuple[Step, ...]
    left: Mapping[int, Left]
    well: Tuple[int, ...]


def subject(job: int) -> str:
    return "job %d" % job


def held(config: Any, key: str) -> Any:
    """The value of a key as the command names it: ``group.option``, or by its bare name; None where there is none."""
    if not isinstance(config, Mapping):
        return None
    group, dot, option = key.partition(".")
    if dot:
        found = config.get(group)
        return found.get(option) if isinstance(found, Mapping) else None
    if key in config or key in annual.CAMPAIGN_KEYS:
        return config.get(key)
    groups = [config[name] for name in GROUPS if isinstance(config.get(name), Mapping)]
    return next((found[key] for found in groups if key in found), None)


def without(config: Any, keys: Iterable[str]) -> Any:
    """A configuration without these keys, to compare what should have stayed. An empty group is as good as none."""
    if not isinstance(config, Mapping):
        return config
    rest: Dict[str, Any] = {
        name: dict(value) if name in GROUPS and isinstance(value, Mapping) else value for name, value in config.items()
    }
    for key in keys:
        group, dot, option = key.partition(".")
        if dot and isinstance(rest.get(group), dict):
            rest[group].pop(option, None)
        elif not dot and (key in rest or key in annual.CAMPAIGN_KEYS):
            rest.pop(key, None)
        elif not dot:
            for name in GROUPS:
                if isinstance(rest.get(name), dict):
                    rest[name].pop(key, None)
    return {name: value for name, value in rest.items() if name not in GROUPS or value}


def typed(key: str, old: Any, text: str) -> Any:
    """A printed value as what belongs there. ValueError where another kind belongs there: a number where the option is one, or
    what the row had was one."""
    if key.rpartition(".")[2] in _NUMBERS or (isinstance(old, int) and not isinstance(old, bool)):
        if _NUMBER.fullmatch(text) is None:
            raise ValueError("a number")
        return int(text)
    if isinstance(old, bool):
        if text not in _TRUTH:
            raise ValueError("True or False")
        return _TRUTH[text]
    return int(text) if old is None and _NUMBER.fullmatch(text) else text


def fits(change: Change, value: Any, words: Words) -> bool:
    """Whether a row has the planned value, and of the planned kind: a service that wrote "2" for 2 did not do it."""
    return words(value) == change.text and (not isinstance(change.new, int) or type(value) is type(change.new))


def decide(jobs: Sequence[Job], said: Mapping[int, Said], words: Words) -> Decision:
    """``said``: by year. :class:`Contradiction`."""
    steps: List[Step] = []
    left: Dict[int, Left] = {}
    well: List[int] = []
    for job in sorted(jobs, key=lambda each: each.id):
        found = _judged(job, said.get(job.year), jobs, words)
        if isinstance(found, Step):
            steps.append(found)
        elif isinstance(found, Left):
            left[job.id] = found
        else:
            well.append(job.id)
    return Decision(tuple(steps), left, tuple(well))


def _judged(job: Job, said: Optional[Said], jobs: Sequence[Job], words: Words) -> Any:
    """A :class:`Step`, a :class:`Left`, or None: it is as it should be."""
    wrong = job_config.wrong_options(job.config)
    if wrong:
        return Left(
            WRONG_TYPE,
            "A text stands where a number belongs: %s. Nothing is written over it: which number it should have only you know. "
            "patch-job-config --id %d --set-tool-option KEY=NUMBER sets it, its dry run first; then plan again."
            % (words(", ".join(wrong)), job.id),
        )
    if job.status not in KNOWN_STATUSES:
        return Left(NEEDS_PERSON, "It has a status that the service does not know (%s)." % one_line(job.status, 60))
    verdict = next((each for each in said.verdicts if each.job_id == job.id), None) if said is not None else None
    if said is None or verdict is None:
        return Left(NEEDS_PERSON, _not_judged(job, said, jobs))
    if verdict.strange:
        raise Contradiction("below job %d stands what is no change: %s" % (job.id, one_line(verdict.strange[0])))
    if verdict.said == annual.UNCHANGED:
        return _unchanged(job)
    return _step(job, verdict, words)


def _unchanged(job: Job) -> Optional[Left]:
    if job_config.has_campaign_metadata(job.config):
        return None
    return Left(
        NEEDS_PERSON,
        "Its campaign metadata is lost, and the command of the deployed code, which puts it back, says that it would change "
        "nothing. What it takes the job for is seen with annual-status --year %d --sources %s --json; that it leaves it so "
        "is mended in the repository." % (job.year, job.source),
    )


def _not_judged(job: Job, said: Optional[Said], jobs: Sequence[Job]) -> str:
    if said is None:
        return "Its source %s cannot be given to the service's command." % one_line(job.source, 40)
    complaint = annual.complaint_about(said.stderr, job.id)
    if complaint is not None:
        return "The service's command passes over it and ends with 0: %s" % one_line(complaint, _VALUE_LIMIT)
    # It takes one job of a source and year: by the metadata, then by the name, the newest.
    known = {each.id: each for each in jobs}
    other = [
        each.job_id for each in said.verdicts if each.job_id not in known or known[each.job_id].source == job.source
    ]
    instead = " It may be job %d that it takes." % other[0] if len(other) == 1 else ""
    return (
        "The service's command, which takes one job of %s for %d, does not name it.%s Which one is the campaign's you see with "
        "annual-status --year %d --sources %s --json." % (job.source, job.year, instead, job.year, job.source)
    )


def _step(job: Job, verdict: annual.Verdict, words: Words) -> Any:
    changes: List[Change] = []
    for key, printed in verdict.changes:
        old = held(job.config, key)
        start = words(old) + " -> "
        if not printed.startswith(start):
            raise Contradiction(
                "the command says of job %d %s: %s, and its row has %s"
                % (job.id, key, one_line(printed), one_line(words(old)))
            )
        text = printed[len(start) :]
        try:
            changes.append(Change(key, old, typed(key, old, text), text))
        except ValueError as error:
            return Left(
                WRONG_TYPE,
                "The deployed code would set %s to %s, where %s belongs. That is mended in the repository, and deployed."
                % (key, one_line(text, _VALUE_LIMIT), error),
            )
    if len({change.key for change in changes}) != len(changes):
        raise Contradiction("the command names a key of job %d twice" % job.id)
    return Step(job, tuple(changes))


def state(step: Step, config: Any, status: str) -> Dict[str, Any]:
    """A job as a plan shows it: where it belongs, and the keys that are planned."""
    return {
        "source": step.job.source,
        "year": step.job.year,
        "status": status,
        **{change.key: held(config, change.key) for change in step.changes},
    }


def wished(step: Step) -> Dict[str, Any]:
    """The same as it shall be."""
    return {**state(step, step.job.config, step.job.status), **{change.key: change.new for change in step.changes}}


class Seen(NamedTuple):
    """What became of all of them, as :class:`..change.Observation` takes it."""

    outcome: str
    changed: Optional[bool]
    detail: str
    code: Optional[str] = None
    next_step: Optional[str] = None


_AGAIN = "Plan again: what is left is planned then. If it says so a second time, that is for a person."


def judge(steps: Sequence[Step], now: Mapping[int, Job], words: Words) -> Seen:
    """By the rows as they are ``now``; a job that could not be read is absent."""
    became = {step.job.id: _became(step, now.get(step.job.id), words) for step in steps}
    named = {
        word: [subject(job) for job, each in sorted(became.items()) if each == word]
        for word in ("done", "same", "started", "other", "unseen")
    }
    told = "; ".join("%s: %s" % (_TOLD[word], ", ".join(jobs)) for word, jobs in named.items() if jobs) + "."
    some = bool(named["done"] or named["started"])
    if named["other"]:
        return Seen("unknown", True, told, "changed_otherwise", "See those rows before anything else is done.")
    if named["unseen"]:
        return Seen("unknown", True if some else None, told)
    if named["started"]:
        return Seen("failed", True, told, "started_meanwhile", _AGAIN)
    if named["same"]:
        return Seen("failed", some, told, "not_all_changed" if some else "not_changed", _AGAIN)
    return Seen("applied", True, told)


_TOLD = {
    "done": "Their rows have what was planned, and nothing else in them is another one",
    "same": "Not changed",
    "started": "Set, and then started by the worker, whose first start drops the campaign's metadata",
    "other": "NEITHER WHAT THEY WERE NOR WHAT WAS PLANNED",
    "unseen": "Could not be read again",
}


def _became(step: Step, now: Optional[Job], words: Words) -> str:
    if now is None:
        return "unseen"
    keys = [change.key for change in step.changes]
    right = {change.key for change in step.changes if fits(change, held(now.config, change.key), words)}
    stayed = without(now.config, keys) == without(step.job.config, keys)
    if len(right) == len(keys) and stayed:
        return "done"
    if now.config == step.job.config:
        return "same"
    missing = set(keys) - right
    if (
        now.status != step.job.status
        and missing <= annual.CAMPAIGN_KEYS
        and not job_config.has_campaign_metadata(now.config)
    ):
        return "started"
    return "other"
