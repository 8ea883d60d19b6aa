# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a deploy: a pure function of how it ended, of what its script said, and of what was seen afterwards by another
way.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..parse.deploy import Report
from ..parse.text import one_line
from ..probes.units import API, WORKER
from . import worker
from .decide import RESTARTED, RESTARTED_AFTER, STOPPED
from .facts import Process, Seen

# How the unit ended. LOST: nothing of it is left, a boot came between. NEVER: it was begun on record and never started.
OK, CODE, TIMEOUT, KILLED, LOST, NEVER = "ok", "code", "timeout", "killed", "lost", "never"

# What a failure in a step is called.
_CODES = {
    "fetch": "fetch_failed",
    "checkout": "checkout_failed",
    "dependencies": "dependencies_not_installed",
    "migrations": "migration_failed",
    "units": "units_not_installed",
    "reload": "restart_failed",
    "restart API": "restart_failed",
    "restart worker": "restart_failed",
    "unit states": "unit_not_active",
    "restart replay": "restart_failed",
    "health": "api_not_healthy",
    "baseline": "baseline_drifted",
    "public surface": "public_check_failed",
    "alerting": "alerting_not_installed",
}
# From here on everything was switched to the new commit; what failed is a look at it.
_AFTER_THE_SWITCH = ("baseline", "public surface", "alerting")
_MOST = 5


class Begun(NamedTuple):
    """What was begun. ``head``: what was there before, None if that is not known. ``worker``: as in ``decide``, None as well.
    ``head_on_main``: whether what was there before was on origin/main."""

    ref: str
    head: Optional[str]
    worker: Optional[str]
    keeps_schema: bool = False
    head_on_main: Optional[bool] = None


class Ended(NamedTuple):
    """How it ended; ``code``: the script's exit code, where it has one. ``worker_restart_failed``: the script did not fail, but
    what comes after it."""

    how: str
    code: Optional[int] = None
    worker_restart_failed: bool = False


class Verdict(NamedTuple):
    """``told``: what is said of it, each part under its label; ``back``: variables of the playbook that goes back, None where
    there is nothing to go back to."""

    outcome: str
    changed: Optional[bool]
    detail: str
    code: Optional[str]
    next_step: Optional[str]
    step: Optional[str]
    states: Mapping[str, Any]
    told: Mapping[str, str]
    back: Optional[Mapping[str, str]]


class _Parts:
    """What is deployed, what is live, what is not, and what was not seen."""

    def __init__(self, begun: Begun, seen: Seen, report: Optional[Report]) -> None:
        self.deployed: List[str] = []
        self.live: List[str] = []
        self.not_yet: List[str] = []
        self.unseen: List[str] = []
        # Of what must be so for the deploy to have been done.
        self.demanded: List[Optional[bool]] = []
        self._begun = begun
        at_ref = None if seen.head is None else seen.head == begun.ref
        self._put(self.deployed, "the checkout is at the commit", _wrong_head(begun, seen), at_ref)
        clean = None if seen.dirty is None else not seen.dirty
        self._put(
            [], "", "files differ from the commit: %s" % ", ".join((seen.dirty or ())[:_MOST]), clean, "the files"
        )
        self._put(
            self.deployed,
            "its declared packages are installed",
            "not installed: %s" % ", ".join(seen.missing[:_MOST]),
            seen.dependencies_met if at_ref is not False else None,
            None if at_ref is False else "whether its packages are installed",
        )
        self._schema(begun, seen, at_ref)
        self._api(seen.api)
        self._worker(begun, seen.worker, report)

    def _put(
        self, good: List[str], words: str, otherwise: str, is_so: Optional[bool], unseen: Optional[str] = "the commit"
    ) -> None:
        self.demanded.append(is_so)
        if is_so is True:
            good += [words] if words else []
        elif is_so is False:
            self.not_yet.append(otherwise)
        elif unseen:
            self.unseen.append(unseen)

    def _schema(self, begun: Begun, seen: Seen, at_ref: Optional[bool]) -> None:
        now = ", ".join(seen.schema or ()) or "none"
        if begun.keeps_schema:
            # What is there is not known to the commit, and was meant to stay.
            stays = None if seen.schema is None else True
            self._put(self.deployed, "the schema stays at %s" % now, "", stays, "the schema")
            return
        # What the checkout wants says nothing of another commit.
        at_head = seen.schema_at_head if at_ref is not False else None
        wanted = ", ".join(seen.schema_heads or ())
        self._put(
            self.deployed,
            "the schema is at %s" % now,
            "the schema is at %s, and the commit wants %s" % (now, wanted),
            at_head,
            None if at_ref is False else "the schema",
        )

    def _api(self, process: Optional[Process]) -> None:
        if process is None:
            self._put(self.live, "", "", None, "the API's unit")
        elif process.state != "active":
            self._put(self.live, "", "the API is %s" % process.state, False)
        else:
            old = "the API was started before code and environment last changed"
            self._put(self.live, "the API", old, process.current, "whether the API was started since")

    def _worker(self, begun: Begun, process: Optional[Process], report: Optional[Report]) -> None:
        said = None if report is None else report.ours
        # After the script it is restarted, unless it was said why not.
        demanded = begun.worker == RESTARTED or (
            begun.worker == RESTARTED_AFTER and not (said or "").startswith(worker.LEFT)
        )
        if process is None:
            self.unseen.append("the worker's unit")
            self.demanded += [None] if demanded else []
            return
        if process.state == "active" and process.current is not False:
            if process.current is None:
                self.unseen.append("whether the worker was started since")
            else:
                self.live.append("the worker")
            self.demanded += [process.current] if demanded else []
            return
        self.demanded += [False] if demanded else []
        if process.state != "active":
            stays = ", as before" if begun.worker == STOPPED else ""
            self.not_yet.append("the worker does not run%s (%s)" % (stays, process.state))
        else:
            self.not_yet.append("the worker runs code from before: it was not restarted")

    def told(self) -> Dict[str, str]:
        parts = (
            ("deployed", self.deployed),
            ("live", self.live),
            ("not yet", self.not_yet),
            ("not seen", self.unseen),
        )
        return {label: "; ".join(words) for label, words in parts if words}

    @property
    def all_good(self) -> Optional[bool]:
        if any(each is False for each in self.demanded):
            return False
        return None if None in self.demanded else True


def _wrong_head(begun: Begun, seen: Seen) -> str:
    if seen.head is not None and seen.head == begun.head:
        return "the checkout is still at %s" % seen.head
    return "the checkout is at %s" % seen.head


def judge(begun: Begun, ended: Ended, report: Optional[Report], seen: Seen) -> Verdict:
    """``report``: of everything that was printed, None where nothing is left of it."""
    parts = _Parts(begun, seen, report)
    told = parts.told()
    if ended.how in (OK, CODE) and report is not None:
        told.update(_checks(report))
    if report is not None and report.ours is not None:
        told["worker"] = report.ours
    states = _states(begun, seen)
    changed = _changed(begun, ended, report, seen)
    outcome, code, detail = _outcome(begun, ended, report, parts)
    if outcome == "applied":
        return Verdict(outcome, changed, detail, None, None, _step(report), states, told, None)
    if outcome == "refused":
        return Verdict(outcome, False, detail, code, _REFUSED, _step(report), states, told, None)
    back = _back(begun, seen, changed)
    return Verdict(outcome, changed, detail, code, _next(begun, report, code, back), _step(report), states, told, back)


_REFUSED = "See why, then run it again: nothing was changed."


def _outcome(begun: Begun, ended: Ended, report: Optional[Report], parts: _Parts) -> Tuple[str, Optional[str], str]:
    if ended.how == NEVER:
        return (
            "failed",
            "deploy_not_started",
            "It was begun on record and never started: whoever did it was cut off. Nothing was changed.",
        )
    if ended.how == LOST and _says_done(begun, report):
        ended = Ended(OK, 0)
    if ended.how == LOST or report is None:
        how = "Nothing of it is left on the host, which was booted or lost it"
        if report is not None:
            how = "It was taken away while it ran, in the step '%s'" % report.last
        seen = (
            "What is seen is as it should be; its checks were perhaps not made"
            if parts.all_good
            else "What is seen is below"
        )
        return "unknown", "outcome_lost", "%s: how it ended is not known. %s." % (how, seen)
    if ended.how == OK and not ended.worker_restart_failed:
        if not _says_done(begun, report):
            return "unknown", "report_unexpected", "The script ended well and did not say that it deployed this commit."
        if parts.all_good is True:
            return "applied", None, "Commit %s is deployed%s." % (begun.ref, "" if parts.not_yet else " and live")
        if parts.all_good is None:
            return "unknown", "not_seen", "The script says that it is complete, and not all of it could be seen."
        return (
            "failed",
            "not_as_reported",
            "The script says that it is complete, and that is not so: %s." % parts.not_yet[0],
        )
    if ended.worker_restart_failed:
        return "failed", "worker_restart_failed", "Everything was deployed, and the worker's restart failed."
    return _failure(begun, ended, report)


def _says_done(begun: Begun, report: Optional[Report]) -> bool:
    """``Deploy complete.`` alone says nothing: a dry run prints it too (surprise 23)."""
    return report is not None and report.complete and report.applies is True and report.sha_target == begun.ref


def _failure(begun: Begun, ended: Ended, report: Report) -> Tuple[str, Optional[str], str]:
    why = report.complaint or "no reason was printed"
    if ended.how == CODE and not report.steps:
        said = "The deploy script refused (exit code %s): %s." % (ended.code, one_line(why.rstrip("."), 200))
        return "refused", report.refused or "deploy_refused", said
    step = "in the step '%s'" % report.last if report.last else "before its first step"
    if ended.how == TIMEOUT:
        return "failed", "deploy_timed_out", "The deploy was ended %s: its time was over." % step
    if ended.how == KILLED:
        return "failed", "deploy_killed", "The deploy was killed %s." % step
    code = _CODES.get(report.last or "", "deploy_failed")
    if code == "public_check_failed" and report.public is not None and report.public["failures"]:
        failed = [each["check"] for each in report.public["failures"]]
        why = "%d checks fail: %s" % (len(failed), ", ".join(failed[:_MOST]))
    elif code == "baseline_drifted" and report.drift:
        why = "%d findings: %s" % (len(report.drift), "; ".join(report.drift[:2]))
    words = "It failed %s (exit code %s): %s." % (step, ended.code, one_line(why.rstrip("."), 200))
    if report.last in _AFTER_THE_SWITCH:
        words += " The commit had been deployed by then."
    return "failed", code, words


def _changed(begun: Begun, ended: Ended, report: Optional[Report], seen: Seen) -> Optional[bool]:
    if seen.head is not None and begun.head is not None and seen.head != begun.head:
        return True
    if ended.how == NEVER:
        return False
    if report is None or ended.how == LOST:
        return None
    if report.changed_nothing:
        return False if seen.head is not None else None
    return True


def _checks(report: Report) -> Dict[str, str]:
    """What the script's own checks said."""
    told: Dict[str, str] = {}
    if report.public is not None:
        passed = report.public["passed"]
        failures = [each["check"] for each in report.public["failures"]]
        told["public"] = {
            True: "the public check passes (%d checks)" % report.public["ok"],
            False: "the public check fails: %s" % ", ".join(failures[:_MOST]),
            None: "the public check did not come to its end",
        }[passed]
    elif report.steps and not report.complete:
        told["public"] = "the public check was not made"
    if report.drift:
        told["drift"] = "; ".join(report.drift[:_MOST])
    return told


def _states(begun: Begun, seen: Seen) -> Dict[str, Any]:
    """As the plan's: what each subject is now. What was not seen is left out."""
    found: Dict[str, Any] = {}
    if seen.head is not None:
        found["commit " + begun.ref] = {"deployed": seen.head == begun.ref}
    if seen.dependencies_met is not None:
        found["environment"] = {"missing packages": list(seen.missing)}
    if seen.schema is not None:
        found["schema"] = {"revision": ", ".join(seen.schema) or "none"}
    for name, process in ((API, seen.api), (WORKER, seen.worker)):
        if process is not None:
            found["unit " + name] = {"state": process.state, "started after the last change": process.current}
    return found


def _step(report: Optional[Report]) -> Optional[str]:
    return None if report is None else report.last


def _back(begun: Begun, seen: Seen, changed: Optional[bool]) -> Optional[Dict[str, str]]:
    """How to go back, where there is something to go back from."""
    if begun.head is None or begun.head == begun.ref or changed is False or begun.head_on_main is False:
        return None
    return {"deploy_ref": begun.head}


def _next(begun: Begun, report: Optional[Report], code: Optional[str], back: Optional[Mapping[str, str]]) -> str:
    said = "Read why before anything else; nothing is tried again by itself."
    if code in ("public_check_failed", "baseline_drifted"):
        said = "See whether the commit is the cause: what fails may have failed before."
    elif code in ("deploy_not_started", "fetch_failed"):
        return "See why, then run it again."
    if back is not None:
        return "%s To go back is a deploy of its own, of %s." % (said, back["deploy_ref"])
    if begun.head is not None and begun.head != begun.ref and begun.head_on_main is False:
        return said + " The commit before, %s, is not on origin/main: go back to an earlier one that is." % begun.head
    return said + " Then bring it forward: deploy the commit that mends it."
