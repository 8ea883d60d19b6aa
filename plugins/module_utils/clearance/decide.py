# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a clearance is granted: a pure function of what the host shows and what is asked for (design 7). Private to this
collection."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from . import facts as of
from .facts import Facts
from .wish import Wish


class Finding(NamedTuple):
    """Something that is not as it must be. ``layer``: git, deploy, disk, tree, origin, environment, schema or process."""

    code: str
    layer: str
    message: str
    next_step: str

    def described(self) -> Dict[str, Any]:
        return dict(self._asdict())


class Decision(NamedTuple):
    """Granted if nothing refuses it. ``remarks`` are findings that are only recorded, because no commit was demanded."""

    refusals: Tuple[Finding, ...]
    remarks: Tuple[Finding, ...]

    @property
    def granted(self) -> bool:
        return not self.refusals


# What refuses also where nothing is demanded of the repository.
_ALWAYS = ("git", "deploy")


def decide(facts: Facts, wish: Wish) -> Decision:
    """The findings in the order in which they are to be seen to."""
    found = list(_findings(facts))
    if wish.reason is None:
        return Decision(tuple(found), ())
    refusals = tuple(each for each in found if each.layer in _ALWAYS)
    return Decision(refusals, tuple(each for each in found if each.layer not in _ALWAYS))


def behind(findings: Tuple[Finding, ...]) -> List[str]:
    """Which of disk, environment, schema and process is not at the commit."""
    layers = {each.layer for each in findings}
    return [layer for layer in ("disk", "environment", "schema", "process") if layer in layers]


def _findings(facts: Facts) -> Iterator[Finding]:
    yield from _git(facts)
    yield from _deploy(facts)
    yield from _disk(facts)
    yield from _tree(facts)
    yield from _origin(facts)
    yield from _environment(facts)
    yield from _schema(facts)
    yield from _process(facts)


def _deploy_command(sha: str) -> str:
    return "Deploy it: playbook deploy_pinned_ref -e deploy_ref=%s, then ask again." % sha


def _again(facts: Facts) -> str:
    return _deploy_command(facts.head or "SHA")


def _git(facts: Facts) -> Iterator[Finding]:
    if facts.head is None or facts.clean is None:
        yield Finding(
            "git_unreadable",
            "git",
            "git does not say what is in %s: %s" % (facts.checkout, facts.git_problem),
            "See why, as the owner of the checkout: git -C %s status" % facts.checkout,
        )


def _deploy(facts: Facts) -> Iterator[Finding]:
    wait = "Wait until it has ended, then ask again."
    if facts.deploys:
        yield Finding("deploy_running", "deploy", "A deploy is running: %s." % ", ".join(facts.deploys), wait)
    elif facts.lock == of.HELD:
        who = ", ".join(facts.lock_holders) or "whom, is not known"
        yield Finding("deploy_running", "deploy", "The deploy lock %s is held by %s." % (facts.lock_file, who), wait)
    elif facts.lock == of.FOREIGN:
        yield Finding(
            "deploy_lock_foreign",
            "deploy",
            "The deploy lock %s belongs to neither the service's user nor root: whoever it belongs to could take it away."
            % facts.lock_file,
            "See whose it is and remove it if no deploy runs: ls -l %s" % facts.lock_file,
        )
    elif facts.lock != of.FREE:
        yield Finding(
            "deploy_lock_unknown",
            "deploy",
            "It cannot be seen whether the deploy lock %s is held." % facts.lock_file,
            "See what is there: ls -l %s" % facts.lock_file,
        )


def _disk(facts: Facts) -> Iterator[Finding]:
    for commit in facts.required:
        if commit.state == of.IN_HEAD:
            continue
        sha = commit.sha or commit.asked
        at = "%s is at %s" % (facts.checkout, _short(facts.head))
        if commit.state == of.UNDEPLOYED:
            message = "%s is on origin/main and not deployed: %s." % (_short(sha), at)
            yield Finding("required_commit_not_deployed", "disk", message, _deploy_command(sha))
        elif commit.state == of.BEYOND:
            message = "%s is not deployed: %s. origin/main could not be asked for it." % (_short(sha), at)
            yield Finding("required_commit_not_deployed", "disk", message, _deploy_command(sha))
        elif commit.state == of.UNASKED:
            message = "%s knows no commit %s, and origin/main could not be asked." % (facts.checkout, commit.asked)
            step = "See why, as the owner of the checkout: git -C %s ls-remote origin main" % facts.checkout
            yield Finding("required_commit_unreachable", "disk", message, step)
        elif commit.state == of.ELSEWHERE:
            message = "%s is neither in what is deployed nor on origin/main: %s." % (_short(sha), at)
            step = "Merge it into main and push; then deploy it (playbook deploy_pinned_ref)."
            yield Finding("required_commit_not_on_main", "disk", message, step)
        elif commit.state == of.AMBIGUOUS:
            message = "%s is the beginning of several ids." % commit.asked
            yield Finding("required_commit_ambiguous", "disk", message, "Give all 40 digits.")
        elif commit.state == of.UNKNOWN:
            message = "Neither %s nor its origin/main knows a commit %s." % (facts.checkout, commit.asked)
            step = "See that it is a commit of this repository and that it is pushed to main."
            yield Finding("required_commit_unknown", "disk", message, step)
        else:
            message = "git does not say whether %s is in what is deployed." % commit.asked
            step = "See why, as the owner of the checkout: git -C %s merge-base --is-ancestor %s HEAD" % (
                facts.checkout,
                sha,
            )
            yield Finding("required_commit_unreadable", "disk", message, step)


def _tree(facts: Facts) -> Iterator[Finding]:
    if facts.clean is False:
        yield Finding(
            "tree_dirty",
            "tree",
            "%s is not as it was committed: %s." % (facts.checkout, _listed(facts.differing)),
            "Bring what is needed into the repository, and the checkout back: git -C %s status" % facts.checkout,
        )


def _origin(facts: Facts) -> Iterator[Finding]:
    if facts.head is None:
        return
    if facts.on_origin_main is False:
        yield Finding(
            "head_not_on_origin_main",
            "origin",
            "What is checked out, %s, is not on origin/main." % _short(facts.head),
            "Push it, reviewed, or deploy what is on main (playbook deploy_pinned_ref).",
        )
    elif facts.on_origin_main is None:
        yield Finding(
            "origin_main_unknown",
            "origin",
            "It is not known whether %s is on origin/main: %s" % (_short(facts.head), facts.origin_problem),
            "See why, as the owner of the checkout: git -C %s ls-remote origin main" % facts.checkout,
        )


def _environment(facts: Facts) -> Iterator[Finding]:
    if facts.dependencies_met is False:
        message = "The virtual environment does not have what the checkout declares: %s." % _listed(facts.missing)
        yield Finding("environment_behind", "environment", message, _again(facts))
    elif facts.dependencies_met is None:
        yield Finding(
            "environment_unknown",
            "environment",
            "It is not known what is in the virtual environment: %s" % facts.environment_problem,
            "See whether %s/.venv/bin/python3 starts, and mend or deploy it again." % facts.checkout,
        )


def _schema(facts: Facts) -> Iterator[Finding]:
    if facts.schema_at_head is False:
        at, to = (", ".join(names) or "nothing" for names in (facts.schema_current, facts.schema_heads))
        message = "The schema of the database is at %s, and the checkout's at %s." % (at, to)
        yield Finding("schema_behind", "schema", message, _again(facts))
    elif facts.schema_at_head is None:
        yield Finding(
            "schema_unknown",
            "schema",
            "The schema of the database is not known: %s" % facts.schema_problem,
            "See why the database does not answer (playbook triage). If that is what is to be recovered from, no commit helps: "
            "say so with no_repo_change_reason.",
        )


def _process(facts: Facts) -> Iterator[Finding]:
    if not facts.processes:
        yield Finding(
            "process_unknown",
            "process",
            "It is not known what runs: %s" % (facts.processes_problem or "it was not asked without a commit"),
            "See it yourself: systemctl status healtharchive-api healtharchive-worker",
        )
    for process in facts.processes:
        if process.running is False:
            continue  # It is started from what is there now.
        if process.running is None or process.current is None or process.here is None:
            why = facts.processes_problem or "when it was started is not known"
            message = "It is not known whether %s runs what is checked out: %s" % (process.unit, why)
            step = "See since when it runs: systemctl status %s" % process.unit
            yield Finding("process_unknown", "process", message, step)
        elif not process.here:
            message = "%s runs from somewhere else than %s." % (process.unit, facts.checkout)
            step = "Set healtharchive_checkout for this host to where it runs from: systemctl cat %s" % process.unit
            yield Finding("process_elsewhere", "process", message, step)
        elif not process.current:
            changed = max(facts.code_changed_at or "", facts.environment_changed_at or "")
            message = "%s runs since %s, and what it runs changed at %s." % (process.unit, process.started_at, changed)
            step = (
                "Deploy %s again (playbook deploy_pinned_ref), which restarts it; a crawl that runs is named in its plan."
                % (_short(facts.head))
            )
            yield Finding("process_behind", "process", message, step)


def _short(sha: Any) -> str:
    return str(sha or "an unknown commit")[:12]


def _listed(names: Tuple[str, ...], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else "%s and %d more" % (shown, len(names) - most)
