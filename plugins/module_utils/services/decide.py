# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts and a wish -> a plan, nothing to do, or why a start is not the answer and what is (contract 4.1, 4.13; I8, I10).

Only a unit that is dead without a cause that outlives a start is started, and what stopped with it comes back with it. All else
is answered with what mends it. A pure function. Private to this collection.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple, Union

from ..plan import NothingToDo, Plan
from ..refusal import Refusal
from ..settings import Settings
from . import answers
from .answers import Leave
from .facts import Facts, Unit
from .seen import API, DOCKER, POSTGRESQL, WORKER

ACTION = "service"
SYSTEMCTL = "/usr/bin/systemctl"


class Wish(NamedTuple):
    """``start_worker``: also when it was stopped on purpose, or nobody knows why it is down. ``accept_interruption_of``: jobs
    that a restart of the worker may interrupt."""

    incident: str
    start_worker: bool = False
    accept_interruption_of: FrozenSet[int] = frozenset()


class Start(NamedTuple):
    """A unit to be started, or restarted; ``why`` is for people."""

    unit: str
    verb: str
    shown: Unit
    why: str
    impact: str


Part = Union[Start, Leave, None]
Decision = Union[Plan, NothingToDo, Refusal]


def decide(facts: Facts, wish: Wish, where: Settings) -> Decision:
    """What to do about API, worker and PostgreSQL."""
    say = answers.Answers(facts, wish.incident, where)
    refused = _whole(facts, say)
    if refused is not None:
        return refused.refusal()
    database = _postgresql(facts, say)
    coming = isinstance(database, Start)
    parts: List[Part] = [database, _api(facts, say, coming), _worker(facts, wish, say, coming)]
    starts = [part for part in parts if isinstance(part, Start)]
    left = [part for part in parts if isinstance(part, Leave)]
    others = _others(facts, say, coming)
    if starts:
        return _plan(facts, starts, left, others, coming)
    if left or others:
        return min([*left, *others], key=lambda each: answers.ORDER.index(each.code)).refusal()
    disabled = {_subject(name): answers.DISABLED % name for name, unit in _units(facts).items() if not unit.enabled}
    return NothingToDo("PostgreSQL answers the service's own command, the API answers, and the worker runs.", disabled)


def _units(facts: Facts) -> Dict[str, Unit]:
    return {POSTGRESQL: facts.postgresql, API: facts.api, WORKER: facts.worker}


def _whole(facts: Facts, say: answers.Answers) -> Optional[Leave]:
    """What forbids to start anything."""
    if "unknown" in (facts.api.state, facts.worker.state, facts.postgresql.state):
        return say.evidence_missing("The states of the units are not known")
    if facts.deploy == "running":
        return say.deploy_running()
    if facts.environment in ("missing", "unreadable", "no_database"):
        return say.environment()
    if facts.root_critical:
        return say.disk_full()
    if facts.database == "credentials":
        return say.credentials_refused()
    return None


def _postgresql(facts: Facts, say: answers.Answers) -> Part:
    unit = facts.postgresql
    if facts.database == "ok" or unit.state == "missing" and facts.database != "refused":
        return None
    if unit.state == "down":
        if not unit.enabled:
            return say.disabled(POSTGRESQL)
        return Start(POSTGRESQL, "start", unit, answers.ended("PostgreSQL", unit), answers.IMPACT_POSTGRESQL)
    if unit.state in ("masked", "missing"):
        return say.not_startable(POSTGRESQL, unit.state)
    if unit.state == "changing":
        return say.changing(POSTGRESQL, unit)
    dead = sorted(facts.dead_clusters)
    if facts.database == "refused" and len(dead) == 1:
        why = "%s is up, but its server %s is not (result %s)." % (POSTGRESQL, dead[0], facts.dead_clusters[dead[0]])
        shown = Unit("down", "failed", facts.dead_clusters[dead[0]])
        return Start(dead[0], "start", shown, why, answers.IMPACT_POSTGRESQL)
    if facts.database == "refused":
        return say.postgresql_not_answering(dead)
    # The API's own word is no proof, but a database that nobody says is dead is not judged here: see `_others`.
    return None


def _api(facts: Facts, say: answers.Answers, coming: bool) -> Part:
    unit = facts.api
    if unit.state in ("masked", "missing"):
        return say.not_startable(API, unit.state)
    if unit.state == "changing":
        return say.changing(API, unit)
    if unit.state == "up":
        return _running_api(facts, say, coming)
    cause = _cause(facts, say, API, unit, coming)
    if cause is not None:
        return cause
    if unit.state == "looping":
        return say.restart_loop(API, "api_restart_loop")
    if not unit.enabled:
        return say.disabled(API)
    return Start(API, "start", unit, answers.ended("The API", unit), answers.IMPACT_API)


def _running_api(facts: Facts, say: answers.Answers, coming: bool) -> Part:
    if facts.api_answer == "database_error" and facts.database == "ok":
        if not facts.fresh_environment.get(API):
            return say.api_database_error()
        cause = _cause(facts, say, API, facts.api, coming)
        why = "The API started before %s was changed, and is refused by the database that the file of now reaches."
        return cause or Start(API, "restart", facts.api, why % say.where.env_file, answers.IMPACT_API)
    if facts.api_answer == "silent":
        return _cause(facts, say, API, facts.api, coming) or (
            say.storage_first() if facts.storage_trouble else say.api_not_answering()
        )
    return say.api_not_answering() if facts.api_answer == "other" and facts.database == "ok" else None


def _worker(facts: Facts, wish: Wish, say: answers.Answers, coming: bool) -> Part:
    unit = facts.worker
    if unit.state in ("masked", "missing"):
        return say.not_startable(WORKER, unit.state)
    if unit.state == "changing":
        return say.changing(WORKER, unit)
    if unit.state == "looping":
        return _cause(facts, say, WORKER, unit, coming) or say.restart_loop(WORKER, "worker_restart_loop")
    if unit.state == "up":
        return _running_worker(facts, wish, say, coming)
    if facts.pause is not None:
        return say.worker_paused()
    why = _why_start_worker(unit, wish, say)
    if isinstance(why, Leave):
        return why
    obstacle = _obstacle_to_worker(facts, say, unit, coming)
    return obstacle or Start(WORKER, "start", unit, why, answers.IMPACT_WORKER)


def _why_start_worker(unit: Unit, wish: Wish, say: answers.Answers) -> Union[str, Leave]:
    how = unit.end.how
    if wish.start_worker:
        return "It is started because start_worker is true. %s" % answers.ended("The worker", unit)
    if not unit.enabled:
        return say.worker_on_purpose("The worker is disabled, so no boot would start it either")
    if how in ("stopped_with", "not_started", "died"):
        return answers.ended("The worker", unit)
    if how == "stopped":
        return say.worker_on_purpose(answers.ended("The worker", unit).rstrip("."))
    return say.worker_unexplained()


def _obstacle_to_worker(facts: Facts, say: answers.Answers, unit: Unit, coming: bool) -> Optional[Leave]:
    """What a worker that runs would fail on; some of it costs jobs their attempts (contract 2.2, I1)."""
    if facts.docker.state != "up":
        return say.docker_down()
    if facts.storage_trouble is None:
        return say.evidence_missing(
            "How storage is, is not known, and a worker on dead storage costs jobs their attempts", WORKER
        )
    if facts.storage_trouble:
        return say.storage_first(WORKER)
    if "disk_threshold" in unit.codes and unit.end.how == "died":
        return say.disk_full(WORKER)
    return _cause(facts, say, WORKER, unit, coming)


def _running_worker(facts: Facts, wish: Wish, say: answers.Answers, coming: bool) -> Part:
    """A worker that runs is restarted for one reason only: it still has the environment that the database refuses."""
    unit = facts.worker
    refused = {"database_authentication", "database_unreachable"} & set(unit.codes)
    if not (facts.fresh_environment.get(WORKER) and refused and facts.database == "ok"):
        return None
    if facts.running_jobs is None:
        return say.evidence_missing("Which jobs a restart of the worker would interrupt, is not known", WORKER)
    hit = [job for job in facts.running_jobs if job.stale is not True and job.id not in wish.accept_interruption_of]
    if hit:
        return say.would_interrupt(hit)
    obstacle = _obstacle_to_worker(facts, say, unit, coming)
    why = "The worker started before %s was changed, and its database refuses it since (%s)."
    return obstacle or Start(
        WORKER, "restart", unit, why % (say.where.env_file, ", ".join(sorted(refused))), answers.IMPACT_WORKER_RESTART
    )


def _cause(facts: Facts, say: answers.Answers, name: str, unit: Unit, coming: bool) -> Optional[Leave]:
    """Why this unit, started now, would die again or work wrongly."""
    modules = [subject or code for code, subject in unit.codes.items() if code in ("missing_module", "import_error")]
    absent = [subject or code for code, subject in unit.codes.items() if code.startswith("undefined_")]
    if unit.skipped:
        return say.condition_unmet(name)
    if facts.database == "no_program":
        return say.program_missing()
    if facts.missing_dependencies is None:
        return say.evidence_missing("Whether every declared dependency is installed, is not known", name)
    if facts.missing_dependencies:
        return say.deploy_dependencies(name)
    if (modules and unit.state != "up") or facts.database == "missing_module":
        return say.needs_commit_module(modules, name)
    if facts.schema_at_head is False:
        return say.deploy_migration(name)
    # A unit that somebody stopped did not end of what it said.
    died = unit.state == "looping" or (unit.state == "down" and unit.end.how not in ("stopped", "stopped_with"))
    if facts.database == "schema" or (absent and died):
        return say.needs_commit_schema(absent, name)
    if "address_in_use" in unit.codes and died:
        return say.address_in_use(name)
    if coming:
        # What the database would say is not known before it runs.
        return say.credentials_refused_before(name) if "database_authentication" in unit.codes else None
    if facts.database != "ok":
        return say.database_not_ready(name)
    if facts.schema_at_head is None:
        return say.evidence_missing("Whether the schema is the one that the code wants, is not known", name)
    return None


def _others(facts: Facts, say: answers.Answers, coming: bool) -> List[Leave]:
    """What is wrong although units run, or beside one that does not."""
    found: List[Leave] = []
    if facts.missing_dependencies:
        found.append(say.deploy_dependencies())
    if facts.schema_at_head is False:
        found.append(say.deploy_migration())
    elif facts.absent or facts.database == "schema":
        found.append(say.needs_commit_schema(facts.absent))
    if facts.database == "missing_module" and facts.missing_dependencies == ():
        found.append(say.needs_commit_module([]))
    if facts.database == "no_program":
        found.append(say.program_missing())
    if facts.database == "unusable":
        found.append(say.database_unusable())
    if facts.storage_trouble:
        found.append(say.storage_first())
    if facts.full_disks:
        found.append(say.disk_full())
    if facts.rejected_options:
        found.append(say.needs_repo_change())
    if not coming:
        found += _unknown(facts, say)
    return found


def _unknown(facts: Facts, say: answers.Answers) -> List[Leave]:
    """A fact that nobody saw is not well (law 7)."""
    missing = [
        text
        for text, unknown in (
            ("whether a deploy is running", facts.deploy == "unknown"),
            ("how the environment file is", facts.environment == "unknown"),
            ("whether the database answers", facts.database == "unknown"),
            ("what the API answers", facts.api_answer == "unknown"),
            ("whether every declared dependency is installed", facts.missing_dependencies is None),
            ("whether the schema is at its head", facts.schema_at_head is None and facts.database == "ok"),
            ("how storage is", facts.storage_trouble is None),
            ("how full the disk is", facts.full_disks is None),
        )
        if unknown
    ]
    return [say.evidence_missing("Not known is %s" % ", ".join(missing))] if missing else []


def _plan(facts: Facts, starts: Sequence[Start], left: Sequence[Leave], others: Sequence[Leave], coming: bool) -> Plan:
    commands: List[Tuple[str, ...]] = []
    before: Dict[str, Dict[str, Optional[str]]] = {}
    after: Dict[str, Dict[str, Optional[str]]] = {}
    for start in starts:
        if start.shown.word == "failed":
            # Without it systemd counts the starts before, and may refuse this one.
            commands.append((SYSTEMCTL, "reset-failed", start.unit))
        commands.append((SYSTEMCTL, start.verb, start.unit))
        subject = _subject(start.unit)
        before[subject] = {"state": start.shown.word, "result": start.shown.result}
        after[subject] = {"state": "active", "result": "success"}
        if start.verb == "restart":
            before[subject]["started_at"] = start.shown.started_at
            after[subject]["started_at"] = "now"
    names = [start.unit for start in starts]
    remarks = [start.why for start in starts]
    if coming:
        remarks.append(answers.REMARK_SCHEMA)
    if WORKER in names and facts.running_jobs:
        jobs = "; ".join(job.words for job in facts.running_jobs)
        remarks.append("Marked running now: %s. %s" % (jobs, answers.REMARK_RUNNING))
    remarks += ["Also: %s (%s)" % (" ".join(filter(None, (each.text, each.seen))), each.code) for each in others]
    stops = [start.unit for start in reversed(starts) if start.verb == "start"]
    return Plan(
        action=ACTION,
        objective="%s%s" % ("; ".join("%s %s" % (start.verb, start.unit) for start in starts).capitalize(), "."),
        commands=tuple(commands),
        subjects=tuple(_subject(name) for name in names),
        before=before,
        after=after,
        expected_impact=" ".join(start.impact for start in starts),
        rollback=("sudo systemctl stop %s" % " ".join(stops))
        if stops
        else "A restart has no way back; the unit can be stopped: sudo systemctl stop %s" % " ".join(names),
        left_out={_subject(each.unit): "%s: %s" % (each.code, each.text) for each in left},
        remarks=tuple(remarks),
    )


def _subject(unit: str) -> str:
    return "unit %s" % unit


__all__ = ("ACTION", "DOCKER", "Decision", "Start", "Wish", "decide")
