# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the facts from the host, all at once: the probes that triage uses, and what only a clearance asks. Nothing is written.
Private to this collection."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .. import deploys, host, locks
from ..parse import git, times
from ..probe import Context, Finding, Problem, run_all
from ..probes import database, deployment
from ..refusal import Refusal
from ..repository import Repository
from . import facts as of
from . import standing
from .facts import Commit, Facts, Process
from .standing import Standing
from .wish import Wish


class Survey(NamedTuple):
    """``standing`` is None when git does not say."""

    facts: Facts
    standing: Optional[Standing]


def survey(context: Context, wish: Wish) -> Survey:
    """What is true now, within the deadline of the context."""
    seen: Dict[str, Any] = {}

    def checkout(own: Context) -> Finding:
        # What the clearance will stand on; the commits are looked for in just that one.
        seen["standing"] = standing.look(own)
        seen["required"] = _required(own, wish, seen["standing"].head)
        return Finding({}, [])

    def checkout_or_why(own: Context) -> Finding:
        try:
            return checkout(own)
        except Refusal as refusal:
            return Finding(None, [Problem(refusal.code, str(refusal))])

    probes = {"checkout": checkout_or_why, "deployment": deployment.probe, "database": database.probe}
    found = run_all(context, probes)
    # A thread that is late may still write.
    stand = seen.get("standing") if found["checkout"]["data"] is not None else None
    return Survey(_facts(context, wish, found, stand, seen.get("required")), stand)


def _facts(
    context: Context,
    wish: Wish,
    found: Mapping[str, Mapping[str, Any]],
    stand: Optional[Standing],
    required: Optional[Tuple[Commit, ...]],
) -> Facts:
    checkout = context.settings.checkout
    deployed = found["deployment"]["data"] or {}
    environment = deployed.get("environment") or {}
    schema = (found["database"]["data"] or {}).get("schema") or {}
    git_problem = _why(found, "checkout", stand)
    if stand is not None and deployed.get("head") not in (None, stand.head):
        stand, git_problem = None, "HEAD moved while it was read."
    lock, holders = _lock(context)
    return Facts(
        checkout=checkout,
        head=None if stand is None else stand.head,
        git_problem=git_problem,
        required=required or tuple(Commit(each, None, of.UNREADABLE) for each in wish.required),
        clean=None if stand is None else stand.clean,
        differing=() if stand is None else stand.differing,
        on_origin_main=deployed.get("head_on_origin_main"),
        origin_main=deployed.get("origin_main"),
        origin_main_from=deployed.get("origin_main_from"),
        origin_problem=_why(found, "deployment", deployed.get("head_on_origin_main")),
        dependencies_met=environment.get("dependencies_met"),
        missing=tuple(environment.get("missing") or ()),
        environment_changed_at=None if stand is None else _at(stand.environment_changed_us),
        environment_problem=_why(found, "deployment", environment.get("dependencies_met")),
        schema_at_head=schema.get("at_head"),
        schema_current=tuple(schema.get("current") or ()),
        schema_heads=tuple(schema.get("heads") or ()),
        schema_problem=_schema_why(found, schema.get("at_head")),
        code_changed_at=None if stand is None else _at(stand.code_changed_us),
        processes=() if stand is None else tuple(_process(stand, unit) for unit in standing.UNITS),
        processes_problem=" ".join(stand.problems) if stand is not None and stand.problems else None,
        deploys=deploys.running(),
        lock_file=context.settings.deploy_lock_file,
        lock=lock,
        lock_holders=holders,
    )


def _why(found: Mapping[str, Mapping[str, Any]], name: str, known: Any) -> Optional[str]:
    """What the probe says on why something is not known."""
    if known is not None:
        return None
    return " ".join(problem["message"] for problem in found[name]["problems"]) or "nothing was said of it"


def _schema_why(found: Mapping[str, Mapping[str, Any]], known: Any) -> Optional[str]:
    data = found["database"]["data"]
    if known is None and data is not None and data.get("reachable") is False:
        return "the database does not answer."
    return _why(found, "database", known)


def _process(stand: Standing, unit: str) -> Process:
    if stand.processes is None:
        return Process(unit, None, None, None, None)
    process = stand.processes.get(unit)
    if process is None:
        return Process(unit, False, None, None, None)
    return Process(unit, True, _at(process.started_us), process.here, stand.current(unit))


def _at(moment_us: Optional[int]) -> Optional[str]:
    return None if moment_us is None else times.from_epoch(moment_us // 1_000_000)


def _required(context: Context, wish: Wish, head: str) -> Tuple[Commit, ...]:
    if not wish.required:
        return ()
    problems: List[Problem] = []
    repository = Repository(context, host.account_of(context.settings.checkout), problems)
    commits = tuple(_commit(repository, asked, head, None) for asked in wish.required)
    if all(each.state == of.IN_HEAD for each in commits):
        return commits
    main = repository.main_of_origin()
    # Fetched beside the checkout: a commit that nobody has fetched yet may be on it.
    with contextlib.nullcontext() if main is None else repository.with_main_of_origin() as variables:
        return tuple(_beyond(repository, each, main, variables) for each in commits)


def _commit(repository: Repository, asked: str, head: str, variables: Optional[Mapping[str, str]]) -> Commit:
    named = repository.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", asked + "^{commit}", variables=variables
    )
    if named.failure is not None:
        return Commit(asked, None, of.UNREADABLE)
    if named.rc != 0:
        others = repository.ask(lambda out: out.split(), "rev-parse", "--disambiguate=" + asked, variables=variables)
        if others is None:
            return Commit(asked, None, of.UNREADABLE)
        return Commit(asked, None, of.AMBIGUOUS if len(others) > 1 else of.UNKNOWN)
    problems = len(repository.problems)
    sha = repository.ask(
        git.commit, "rev-parse", "--verify", "--end-of-options", asked + "^{commit}", variables=variables
    )
    # A branch or a tag may have the name of a commit's first digits.
    if sha is None or len(repository.problems) != problems or not sha.startswith(asked):
        return Commit(asked, None, of.UNREADABLE if sha is None else of.AMBIGUOUS)
    inside = repository.is_ancestor(sha, head, variables=variables)
    return Commit(asked, sha, {True: of.IN_HEAD, False: of.ELSEWHERE, None: of.UNREADABLE}[inside])


def _beyond(
    repository: Repository, commit: Commit, main: Optional[str], variables: Optional[Mapping[str, str]]
) -> Commit:
    """Where a commit is that is not in HEAD: on origin/main, or not there either."""
    if commit.state not in (of.UNKNOWN, of.ELSEWHERE):
        return commit
    if main is None or variables is None:
        return commit._replace(state=of.BEYOND if commit.state == of.ELSEWHERE else of.UNASKED)
    seen = _commit(repository, commit.asked, main, variables)
    return seen._replace(state=of.UNDEPLOYED) if seen.state == of.IN_HEAD else seen


def _lock(context: Context) -> Tuple[str, Tuple[str, ...]]:
    """The state of the deploy lock, and who holds it."""
    path = context.settings.deploy_lock_file
    state = locks.state(path)
    if state == "held":
        return of.HELD, locks.holders(path)
    if state == "absent":
        return of.FREE, ()
    if state != "free":
        return of.LOCK_UNKNOWN, ()
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return of.LOCK_UNKNOWN, ()
    ours = status.st_uid in (0, host.account(context.settings.service_user).uid) and stat.S_ISREG(status.st_mode)
    return (of.FREE if ours else of.FOREIGN), ()
