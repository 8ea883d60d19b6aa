# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host is put back to its baseline policy, as far as a program may: owner and mode of what the policy names, and what an
installer of the checkout owns (contract 3.3, 3.5, 4.12). The policy and the environment file are never written.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .. import change, recorded, service
from ..budget import Budget
from ..change import ActFailed, Host, Observation
from ..plan import NothingToDo, Plan
from ..probe import complaint, failed
from ..refusal import Refusal
from ..settings import BadInput, Settings
from . import decide, survey
from . import files as paths

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {}
_INSTALL_SECONDS = 60.0
_MOST_TOLD = 10

_IMPACT = (
    "Owner, group and mode of exactly these paths are those of the policy afterwards. What lies in a directory is not touched, "
    "and no content of a file is another one. No process is stopped or started."
)
_INSTALLS = " %s makes what is missing, and sets its own directories or unit files as it always does."
_ROLLBACK = "As it was: %s."
_NO_ROLLBACK = "What an installer made may stay; it is empty, or a unit that nothing enables."
_NOT_ENABLED = "Yours afterwards, which starts nothing: sudo systemctl enable %s. %s enables nothing."
_NOTE = (
    "Owners and modes are set on what is open, reached through no symbolic link; the commands say what comes of it, and what to "
    "type by hand."
)


class BaselineDrift(change.Action):
    """Findings of the drift check, put back."""

    name = "baseline-drift"
    # What drifts for the fourth time in a day is set by something, which is to be found (law 11).
    budget = Budget(per_host=6, per_subject=3, window_seconds=24 * 3600)
    plan_seconds = 120
    seconds = 180
    observe_seconds = 90

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self._survey: Optional[survey.Survey] = None

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        found = survey.survey(host.context)
        self._survey = found
        decided = found.decision
        left_out = {key: each.told() for key, each in sorted(decided.left.items())}
        if not decided.steps and not decided.installs:
            if decided.left:
                raise _refusal(decided.left)
            return NothingToDo("The drift check finds nothing that the policy demands and the host has not.")
        before: Dict[str, Any] = {"path " + each.path: each.before.described() for each in decided.steps}
        after: Dict[str, Any] = {"path " + each.path: each.after.described() for each in decided.steps}
        for each in decided.installs:
            before.update(("path " + path, {"there": False}) for path in each.paths)
            after.update(("path " + path, {"there": True}) for path in each.paths)
        return Plan(
            action=self.name,
            objective=_objective(decided),
            commands=_commands(host.context.settings, decided),
            subjects=survey.subjects_of(decided),
            before=before,
            after=after,
            expected_impact=_IMPACT + "".join(_INSTALLS % each.script for each in decided.installs),
            rollback=_rollback(decided.steps),
            left_out=left_out,
            symptom="the host is not what its baseline policy says",
            remarks=_remarks(decided),
            by_hand=tuple(each.by_hand(key) for key, each in sorted(decided.left.items())),
        )

    def act(self, host: Host, plan: Plan) -> None:
        found = _seen(self._survey)
        wrong: List[str] = []
        for install in found.decision.installs:
            argv = _argv(host.context.settings, install.script)
            result = host.context.run(argv, _INSTALL_SECONDS)
            if result.failure is not None:
                raise ActFailed(failed(result, install.script).message)
            if result.rc != 0:
                wrong.append(
                    "%s ended with %d: %s." % (install.script, result.rc, complaint(result.stderr).rstrip("."))
                )
        for step in found.decision.steps:
            said = paths.put(step.path, found.look.inodes.get(step.path), step.after)
            if said is not None:
                wrong.append(said)
        if wrong:
            raise ActFailed(" ".join(wrong))

    def observe(self, host: Host, plan: Plan) -> Observation:
        """By the paths themselves, and by the check."""
        decided = _seen(self._survey).decision
        look = paths.look([subject[5:] for subject in plan.subjects])
        failures: Optional[List[Mapping[str, str]]] = None
        why = ""
        try:
            failures = list(survey.check(host.context)["failures"])
        except Refusal as refusal:
            why = str(refusal)
        states: Dict[str, Any] = {"path " + each.path: _state(look.seen[each.path]) for each in decided.steps}
        for each in decided.installs:
            states.update(
                ("path " + path, {"there": look.seen[path].kind in ("directory", "file")}) for path in each.paths
            )
        unseen = any(each.kind == "unseen" for each in look.seen.values())
        changed = None if unseen else states != dict(plan.before)
        if failures is None:
            return Observation("unknown", changed, why, states)
        outcome, code, told = judge(decided, plan.before, plan.after, states, [each["key"] for each in failures])
        return Observation(outcome, changed, told, states, code)

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        try:
            found = survey.survey(host.context)
        except BadInput as error:
            return Observation("unknown", None, "It was cut off, and how the host is cannot be seen now: %s" % error)
        about = {decide.path_of(each["key"], found.policy)[0] for each in found.report["failures"]} - {""}
        # A finding on a unit names no path: whether it was installed is seen at its file.
        look = paths.look([subject[5:] for subject in action.subjects])
        about |= {path for path, seen in look.seen.items() if seen.kind in ("absent", "unseen")}
        return settled(action.subjects, set(survey.subjects_of(found.decision)), {"path " + path for path in about})


def judge(
    decided: decide.Decision,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    states: Mapping[str, Any],
    failures: Sequence[str],
) -> Tuple[str, Optional[str], str]:
    """Outcome, code and a sentence, of paths as they are and of what the check finds now. Pure."""
    planned = {key for step in decided.steps for key in step.keys}
    planned |= {key for install in decided.installs for key in set(install.keys) - set(install.enabling)}
    wrong = sorted(subject for subject, state in after.items() if states.get(subject) != state)
    still = sorted(planned & set(failures))
    left = sorted(set(failures) - planned)
    rest = " What is left is a person's: %s." % _named(left) if left else " The check finds nothing else."
    if wrong:
        same = [subject for subject in wrong if states.get(subject) == before.get(subject)]
        code = (
            "not_changed"
            if len(same) == len(after)
            else "not_all_changed"
            if len(same) == len(wrong)
            else "changed_otherwise"
        )
        outcome = "unknown" if code == "changed_otherwise" else "failed"
        return outcome, code, "Not as planned: %s." % _named(wrong)
    if still:
        return "failed", "still_drifted", "The paths are as planned, and the check still finds: %s." % _named(still)
    return "applied", None, "Each path is as the policy says, and the check agrees." + rest


def settled(subjects: Sequence[str], planned: "set[str]", drifted: "set[str]") -> Observation:
    """By what would be planned now, and by what the check finds, which may have become a person's meanwhile. Pure."""
    of_it = set(subjects) & (planned | drifted)
    told = "It was cut off. Not as the policy says now: %s." % (_named(sorted(of_it)) or "nothing of it")
    if not of_it:
        return Observation("applied", None, told)
    untouched = set(subjects) <= planned
    return Observation("failed", False, told) if untouched else Observation("unknown", None, told)


def _seen(found: Optional[survey.Survey]) -> survey.Survey:
    if found is None:
        raise ActFailed("Nothing was planned.")
    return found


def _state(seen: decide.Seen) -> Dict[str, Any]:
    return seen.described() if seen.kind in ("directory", "file") else {"is": seen.kind}


def _named(names: Sequence[str]) -> str:
    more = " and %d more" % (len(names) - _MOST_TOLD) if len(names) > _MOST_TOLD else ""
    return ", ".join(names[:_MOST_TOLD]) + more


def _argv(settings: Settings, script: str) -> List[str]:
    if script == decide.OPS:
        return service.bootstrap_ops_directories(settings)
    return service.install_systemd_units(settings)


def _commands(settings: Settings, decided: decide.Decision) -> Tuple[Tuple[str, ...], ...]:
    commands = [tuple(_argv(settings, each.script)) for each in decided.installs]
    for step in decided.steps:
        owners = (step.after.owner, step.after.group)
        if owners != (step.before.owner, step.before.group):
            commands.append(("/usr/bin/chown", "--no-dereference", "%s:%s" % owners, "--", step.path))
        commands.append(("/usr/bin/chmod", "%04o" % step.after.mode, "--", step.path))
    return tuple(commands)


def _objective(decided: decide.Decision) -> str:
    what = []
    if decided.installs:
        what.append("have %s make what is missing" % " and ".join(each.script for each in decided.installs))
    if decided.steps:
        many = len(decided.steps)
        what.append("give %s the owner and mode of the policy" % ("1 path" if many == 1 else "%d paths" % many))
    text = ", and ".join(what)
    return text[0].upper() + text[1:] + "."


def _rollback(steps: Sequence[decide.Step]) -> str:
    if not steps:
        return _NO_ROLLBACK
    was = ["%s %s:%s %04o" % (each.path, each.before.owner, each.before.group, each.before.mode) for each in steps]
    return _ROLLBACK % "; ".join(was)


def _remarks(decided: decide.Decision) -> Tuple[str, ...]:
    enabling = [decide.unit_of(key) for install in decided.installs for key in install.enabling]
    told = [_NOTE] if decided.steps else []
    if enabling:
        told.append(_NOT_ENABLED % (" ".join(enabling), decide.UNITS))
    return tuple(told)


def _refusal(left: Mapping[str, decide.Left]) -> Refusal:
    first = sorted(left)[0]
    return Refusal(
        "needs_person",
        "Nothing of what drifted is a program's to put back: %s." % _named(sorted(left)),
        "Begin with %s: %s" % (first, left[first].told()),
        by_hand=[each.by_hand(key) for key, each in sorted(left.items())],
        findings={
            key: {"message": each.message, "why": each.why, "next_step": each.command}
            for key, each in sorted(left.items())
        },
    )


__all__ = ("ARGUMENT_SPEC", "BaselineDrift", "judge", "settled")
