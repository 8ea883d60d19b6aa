# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy would do, or why it is not done: a pure function of facts and wish. Private to this collection."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from ..parse.text import one_line
from ..plan import NothingToDo, Plan
from ..probes.units import API, WORKER
from ..refusal import Refusal
from ..settings import Settings
from . import command
from . import facts as of
from .facts import Facts, Wish

ACTION = "deployment"
PLAYBOOK = "deploy_pinned_ref"

# What is done with the worker: the script restarts it; it is restarted after the script, if no other crawl began; it is left
# as it runs; it stays stopped.
RESTARTED, RESTARTED_AFTER, LEFT, STOPPED = "restarted", "restarted_after", "left", "stopped"

_SHA = re.compile(r"[0-9a-f]{40}")
MIN_TIMEOUT, MAX_TIMEOUT = 60, 6 * 3600
_MOST_NAMED = 20
_AGAIN = "Then run it again: nothing was changed."


def wish(parameters: Mapping[str, Any]) -> Wish:
    """What was said, checked as far as that needs no look at the host; :class:`Refusal`."""
    ref = parameters["deploy_ref"]
    if _SHA.fullmatch(ref or "") is None:
        raise Refusal(
            "bad_ref",
            "deploy_ref must be a full commit id, 40 digits from 0 to f, and not %s: names move, and what is short can be "
            "another commit tomorrow." % one_line(repr(ref), 60),
            "Find it in a clone that was just fetched: git rev-parse origin/main",
        )
    accepted = parameters["accept_interruption_of"]
    if len(set(accepted)) != len(accepted) or any(job < 1 for job in accepted):
        raise _bad_option("accept_interruption_of must be numbers of jobs, each once.")
    if not MIN_TIMEOUT <= parameters["timeout"] <= MAX_TIMEOUT:
        raise _bad_option(
            "timeout must be from %d to %d seconds, not %d." % (MIN_TIMEOUT, MAX_TIMEOUT, parameters["timeout"])
        )
    flags = ("install_units", "apply_alerting", "restart_replay", "skip_public_check")
    return Wish(ref, tuple(sorted(accepted)), parameters["timeout"], **{name: bool(parameters[name]) for name in flags})


def decide(facts: Facts, wanted: Wish, settings: Settings) -> Union[Plan, NothingToDo]:
    """:class:`Refusal` where it must not or could not be done; then nothing is restarted."""
    _check_host(facts)
    _check_commit(facts, wanted)
    _check_tree_and_lock(facts)
    _check_rights(facts, wanted)
    worker = worker_of(facts, wanted)
    if _in_order(facts, wanted, worker):
        return NothingToDo(
            "%s is deployed and live already: %s." % (_named(facts, wanted), _order(facts)), _left_out(facts, worker)
        )
    return _plan(facts, wanted, settings, worker)


def worker_of(facts: Facts, wanted: Wish) -> str:
    """A crawl is not interrupted unless it was named (law 12); a worker that was stopped on purpose stays stopped."""
    process = facts.seen.worker
    if process is None or not process.loaded or process.state == "inactive":
        return STOPPED
    if facts.crawls is None:
        return LEFT
    if not facts.crawls:
        return RESTARTED
    return RESTARTED_AFTER if {crawl.job for crawl in facts.crawls} <= set(wanted.accepted) else LEFT


def keeps_schema(facts: Facts) -> bool:
    """Whether the database is at a revision that the commit does not know, so that its migrations cannot be run: it is the way
    back over a migration, and a migration is never taken back."""
    known = facts.commit.revisions
    return facts.seen.schema is not None and known is not None and not set(facts.seen.schema) <= set(known)


def _check_host(facts: Facts) -> None:
    seen = facts.seen
    if facts.checkout_owner != facts.service_user:
        raise Refusal(
            "checkout_foreign",
            "%s belongs to %s, and the deploy runs as %s, who could not change it."
            % (facts.checkout, facts.checkout_owner or "nobody who is known", facts.service_user),
            "Set healtharchive_service_user in the inventory, or give the checkout back to its account. " + _AGAIN,
        )
    if seen.head is None or seen.dirty is None:
        raise Refusal(
            "git_unreadable",
            "git does not say what is in %s: %s" % (facts.checkout, seen.git_problem or "no answer."),
            "See why, as the owner of the checkout: git -C %s status. %s" % (facts.checkout, _AGAIN),
        )
    if not facts.script_there:
        raise Refusal(
            "script_missing",
            "There is no deploy script scripts/vps-deploy.sh or no virtual environment .venv in %s." % facts.checkout,
            "Check that this is the right host and checkout. " + _AGAIN,
        )
    if facts.env_readable is not True:
        raise Refusal(
            "env_file_unreadable",
            "%s cannot be read by %s, as whom the deploy runs%s: its migrations would go to an empty SQLite file."
            % (facts.env_file, facts.service_user, "" if facts.env_readable is False else ", or that is not known"),
            "See its owner and mode (ls -l %s), and that the account is in its group. %s" % (facts.env_file, _AGAIN),
        )
    if facts.env_problem is not None:
        raise Refusal(
            "database_unfit",
            facts.env_problem,
            "Correct the environment file: migrations must reach PostgreSQL. " + _AGAIN,
        )
    if seen.database_reachable is False:
        raise Refusal(
            "database_unreachable",
            "The database does not answer (%s): the deploy would end in the middle, at its migrations."
            % (seen.database_problem or "no reason was given"),
            "Bring PostgreSQL back first (playbook triage says how). " + _AGAIN,
        )
    if seen.api is None or seen.worker is None:
        raise Refusal(
            "systemd_unreadable",
            "systemd does not say whether %s and %s run." % (API, WORKER),
            "See why: systemctl status %s. %s" % (WORKER, _AGAIN),
        )


def _check_commit(facts: Facts, wanted: Wish) -> None:
    commit = facts.commit
    if commit.problem is not None or commit.known is None:
        raise Refusal(
            "origin_unreachable",
            "It cannot be proved that %s is on origin/main: %s" % (wanted.ref, commit.problem or "git does not say."),
            "See why, as the owner of the checkout: git -C %s ls-remote origin refs/heads/main. %s"
            % (facts.checkout, _AGAIN),
        )
    if not commit.known:
        raise Refusal(
            "ref_unknown",
            "Commit %s is neither on origin/main nor in the checkout." % wanted.ref,
            "Merge it into origin/main first, or correct the id. origin/main is at %s." % commit.origin_main,
            origin_main=commit.origin_main,
        )
    if commit.on_main is not True:
        raise Refusal(
            "ref_not_on_main",
            "Commit %s%s is not on origin/main%s: what was not merged is not deployed."
            % (wanted.ref, _quoted(commit.subject), "" if commit.on_main is False else ", as far as git says"),
            "Merge it and wait for its checks. origin/main is at %s." % commit.origin_main,
            origin_main=commit.origin_main,
        )
    if commit.replaced is not False:
        raise Refusal(
            "commits_replaced",
            "%s in %s, and the deploy script would check out what stands in the place of a commit."
            % (
                "Commits are replaced" if commit.replaced else "It is not known whether commits are replaced",
                facts.checkout,
            ),
            "See which, and take them away: git -C %s replace --list. %s" % (facts.checkout, _AGAIN),
        )


def _check_tree_and_lock(facts: Facts) -> None:
    dirty = facts.seen.dirty or ()
    if dirty:
        more = "" if len(dirty) <= 5 else " and %d more" % (len(dirty) - 5)
        raise Refusal(
            "tree_dirty",
            "The checkout has %d changed file%s: %s%s."
            % (len(dirty), "" if len(dirty) == 1 else "s", ", ".join(dirty[:5]), more),
            "See what it is (git -C %s status, git diff) and whose. Commit it in the repository or throw it away, by hand. %s"
            % (facts.checkout, _AGAIN),
            files=list(dirty),
        )
    if facts.lock == of.FOREIGN:
        raise Refusal(
            "deploy_lock_foreign",
            "The deploy lock file %s belongs to %s, or is no plain file: the deploy as %s would end with 'Permission denied'."
            % (facts.lock_file, facts.lock_owner or "nobody who is known", facts.service_user),
            "When no deploy runs, remove it: sudo rm %s. %s" % (facts.lock_file, _AGAIN),
            owner=facts.lock_owner,
        )
    if facts.lock == of.HELD and facts.clearance is not None:
        raise Refusal(
            "clearance_held",
            "The deploy lock is held by a clearance: %s." % facts.clearance,
            "Wait for its end, or let it be released (playbook release_clearance). " + _AGAIN,
            clearance=facts.clearance,
        )
    if facts.lock == of.HELD or facts.deploys:
        raise Refusal(
            "deploy_running",
            "A deploy runs, or hangs: %s%s."
            % (
                "the deploy lock %s is held by " % facts.lock_file if facts.lock == of.HELD else "",
                ", ".join(facts.lock_holders or facts.deploys) or "somebody who cannot be seen",
            ),
            "Wait until it has ended. One that hangs is ended by whoever started it. " + _AGAIN,
            holders=list(facts.lock_holders or facts.deploys),
        )
    if facts.lock != of.FREE:
        raise Refusal(
            "deploy_lock_unknown",
            "Whether somebody holds the deploy lock %s is not known." % facts.lock_file,
            "See what it is: sudo ls -l %s. %s" % (facts.lock_file, _AGAIN),
        )


def _check_rights(facts: Facts, wanted: Wish) -> None:
    if facts.sudo is not True:
        raise Refusal(
            "sudo_refused",
            "%s may not restart %s and %s with sudo and without a password%s: the deploy would end in the middle, before its "
            "restarts." % (facts.service_user, API, WORKER, " (%s)" % facts.sudo_problem if facts.sudo_problem else ""),
            "See what it may do: sudo -l -U %s. %s" % (facts.service_user, _AGAIN),
        )
    if wanted.apply_alerting and not facts.webhook_there:
        raise Refusal(
            "webhook_missing",
            "Alert rules cannot be installed: there is no webhook file, without which the deploy fails in its last step.",
            "Leave apply_alerting out, or put the file in place. " + _AGAIN,
        )


def _in_order(facts: Facts, wanted: Wish, worker: str) -> bool:
    seen = facts.seen
    if wanted.install_units or wanted.apply_alerting or wanted.restart_replay:
        return False
    here = seen.head == wanted.ref and seen.dependencies_met is True
    schema = seen.schema_at_head is True or keeps_schema(facts)
    api = seen.api is not None and seen.api.state == "active" and seen.api.current is True
    # A worker that would be left as it is is not what a deploy could mend.
    settled = worker in (LEFT, STOPPED) or (
        seen.worker is not None and seen.worker.state == "active" and seen.worker.current is True
    )
    return here and schema and api and settled


def _order(facts: Facts) -> str:
    schema = "the schema is newer and stays" if keeps_schema(facts) else "the schema is at its head"
    return "its declared packages are installed, %s, the API was started after the last change" % schema


def _plan(facts: Facts, wanted: Wish, settings: Settings, worker: str) -> Plan:
    seen = facts.seen
    keep = keeps_schema(facts)
    commands = command.commands(
        settings,
        wanted,
        leave_worker=worker != RESTARTED,
        restart_after=worker == RESTARTED_AFTER,
        skip_migrations=keep,
    )
    head = str(seen.head)
    checkout = "checkout " + facts.checkout
    before: Dict[str, Any] = {
        "commit " + wanted.ref: {"deployed": head == wanted.ref},
        checkout: {"commit": head},
        "environment": {"missing packages": list(seen.missing) if seen.dependencies_met is not None else "not known"},
        "schema": {"revision": _revisions(seen.schema)},
        "unit " + API: {"code": head},
    }
    after: Dict[str, Any] = {
        "commit " + wanted.ref: {"deployed": True},
        checkout: {"commit": wanted.ref},
        "environment": {"missing packages": []},
        "schema": {"revision": _revisions(seen.schema) if keep else _head_revision(facts)},
        "unit " + API: {"code": wanted.ref},
    }
    if worker in (RESTARTED, RESTARTED_AFTER):
        before["unit " + WORKER], after["unit " + WORKER] = {"code": head}, {"code": wanted.ref}
    return Plan(
        action=ACTION,
        objective="Deploy commit %s%s and see that it is live." % (wanted.ref, _quoted(facts.commit.subject)),
        commands=commands,
        subjects=tuple(before),
        before=before,
        after=after,
        expected_impact=" ".join(_impact(facts, wanted, worker, keep)),
        rollback=_rollback(facts, wanted),
        left_out=_left_out(facts, worker),
        symptom="deployed %s" % head,
        remarks=tuple(_remarks(facts, wanted, worker, keep)),
    )


def _impact(facts: Facts, wanted: Wish, worker: str, keep: bool) -> List[str]:
    said = ["The API restarts and gives no answer for some seconds."]
    if worker == RESTARTED:
        said.append("The worker restarts; no crawl runs.")
    elif worker == RESTARTED_AFTER:
        jobs = ", ".join(str(crawl.job) for crawl in facts.crawls or ())
        said.append(
            "THE CRAWL OF JOB %s IS INTERRUPTED: the worker restarts at the end, unless another one runs by then."
            % jobs
        )
    if keep:
        said.append("No migration is run: the database stays at a revision that this commit does not know.")
    elif facts.commit.new_revisions:
        said.append("Migrations are run: %s." % ", ".join(facts.commit.new_revisions[:_MOST_NAMED]))
    if wanted.skip_public_check:
        said.append("The public check is left out.")
    said.append("It takes minutes, of at most %d s, and goes on when the link is cut." % wanted.timeout)
    return said


def _rollback(facts: Facts, wanted: Wish) -> str:
    head = facts.seen.head
    if head == wanted.ref:
        return "None: it is the commit that is there. What went wrong is looked at where it went wrong."
    if facts.seen.on_main is not True:
        return (
            "The commit that is there now, %s, is not on origin/main and cannot be deployed again: to go back is to deploy an "
            "earlier commit of origin/main. Migrations are never taken back." % head
        )
    return (
        "Nothing is rolled back by itself. To go back is a deploy of its own, planned and approved: playbook %s with "
        "deploy_ref=%s. Migrations are never taken back." % (PLAYBOOK, head)
    )


def _left_out(facts: Facts, worker: str) -> Dict[str, str]:
    """In words that stay the same as long as the same is done."""
    name = "unit " + WORKER
    if worker == STOPPED:
        there = facts.seen.worker is not None and facts.seen.worker.loaded
        return {name: "it does not run, and stays stopped" if there else "there is no such unit"}
    if worker == LEFT:
        why = "a crawl runs" if facts.crawls is not None else "which crawls run is not known"
        return {name: "it is left as it runs, on the code that it has: %s" % why}
    return {}


def _remarks(facts: Facts, wanted: Wish, worker: str, keep: bool) -> List[str]:
    commit, said = facts.commit, []
    if commit.newer or commit.older:
        words = ["commits that are not deployed yet: %d" % commit.newer] if commit.newer else []
        words += ["commits that are deployed and would no longer be: %d" % commit.older] if commit.older else []
        said.append("Between what is there and this: %s." % ", ".join(words))
    said += ["commit: " + subject for subject in commit.subjects]
    if commit.units_changed and not wanted.install_units:
        said.append(
            "Unit templates differ between the two: install_units copies them over the host's units "
            "(-e deploy_pinned_ref_install_units=true)."
        )
    if keep:
        said.append(
            "This commit does not know the schema %s. What it does with it is not known here: older code mostly runs on a newer "
            "schema, unless the migration took something away." % _revisions(facts.seen.schema)
        )
    if worker in (LEFT, RESTARTED_AFTER):
        said += ["crawl: " + crawl.words() for crawl in (facts.crawls or ())[:_MOST_NAMED]]
    if worker == LEFT and facts.crawls:
        jobs = ",".join(str(crawl.job) for crawl in facts.crawls)
        said.append("To restart the worker all the same, and interrupt: -e accept_interruption_of=%s" % jobs)
    if worker == LEFT and facts.crawls is None:
        said.append("Which crawls run is not known: %s" % (facts.crawls_problem or "nothing was said of it."))
    idle = sorted(set(wanted.accepted) - {crawl.job for crawl in facts.crawls or ()})
    if idle and facts.crawls is not None:
        said.append("Accepted, and not running: job %s." % ", ".join(map(str, idle)))
    return said


def _bad_option(message: str) -> Refusal:
    return Refusal("bad_option", message, "Correct it and run it again: nothing was done.")


def _named(facts: Facts, wanted: Wish) -> str:
    return "Commit %s%s" % (wanted.ref, _quoted(facts.commit.subject))


def _quoted(subject: Optional[str]) -> str:
    return " (%s)" % one_line(subject, 80) if subject else ""


def _revisions(found: Optional[Tuple[str, ...]]) -> str:
    return "not known" if found is None else ", ".join(found) or "none"


def _head_revision(facts: Facts) -> str:
    """What it will be at, where that is known without asking alembic of a commit that is not checked out."""
    if facts.seen.head is not None and facts.commit.new_revisions == () and facts.seen.schema_heads is not None:
        return _revisions(facts.seen.schema_heads) if not facts.commit.older else "the head of the commit"
    return "the head of the commit"
