# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change for a terminal: what is planned, as a change request of four fields, or what became of it, and the one command to type
next. Private to this collection.

Whatever people and the host said is made printable; nothing of it is evaluated.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, List, Optional

from ..module_utils.clearance.wish import COMMIT, REASON
from ..module_utils.parse.text import one_line
from .incident.summary import unfinished_action
from .kept_plans import differences, listed
from .terminal import COMMAND_LIMIT, headline, labelled, pasted

# The playbook that goes on by itself to what comes next.
RESPOND = "respond"
_MOST = 40
_SENTENCE_LIMIT = 2000
_WORDS = {
    "planned": "PLANNED, nothing was changed",
    "running": "running, and going on by itself",
    "applied": "applied",
    "nothing_to_do": "nothing to do",
    "refused": "REFUSED, nothing was changed",
    "failed": "FAILED",
    "unknown": "UNKNOWN: what was done is not known",
}
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
# Builds the command for a playbook: its name, then what is given with -e.
Command = Callable[..., str]


def render(
    host: str,
    result: Mapping[str, Any],
    what: str,
    playbook: str,
    repeated: Mapping[str, Any],
    check_mode: bool,
    command: Command,
    approved: Optional[Mapping[str, Any]] = None,
) -> str:
    """The summary of one host. ``result``: what a changing module, or its action plugin, returned; ``what``: the change in a few
    words; ``repeated``: what was said with ``-e`` and belongs into the next command; ``approved``: what is kept of the plan that
    was approved."""
    outcome = str(result.get("outcome"))
    lines = ["", headline(host, "%s: %s" % (what, _WORDS.get(outcome, outcome))), _about(result), ""]
    for action in _mappings(result.get("unfinished_actions")):
        lines.append(labelled("UNFINISHED", unfinished_action(action)))
    for action in _mappings(result.get("settled")):
        lines.append(labelled("settled", "%s, begun at %s and cut off: %s. %s" % (
            action.get("action"), action.get("begun_at"), action.get("outcome"), action.get("detail"))))  # fmt: skip
    if outcome != "planned" and (outcome != "applied" or isinstance(result.get("told"), Mapping)):
        lines.append(_sentence(_label(outcome), _detail(result)))
    plan = _plan(result)
    if result.get("code") == "plan_changed" and plan is not None and approved is not None:
        differing = differences(approved, {**result, "plan": plan})
        lines += [labelled("differs", each) for each in differing[:_MOST]]
        lines += ["", "The plan of now:"]
    told = result.get("told")
    if isinstance(told, Mapping):
        # It says in its own words what it left; what was planned is in the record.
        lines += [_sentence(one_line(label, 20), str(words)) for label, words in told.items()]
    elif plan is not None:
        lines += _request(plan)
    elif isinstance(result.get("left_out"), Mapping):
        lines += _left_out(result["left_out"])
    if outcome == "applied" and not isinstance(told, Mapping):
        lines.append(_sentence("seen", str(result.get("detail"))))
    return "\n".join(lines + _next(result, outcome, playbook, repeated, check_mode, command)) + "\n"


def failure(result: Mapping[str, Any], what: str) -> str:
    """The one line of a task that has printed the summary of what was not done."""
    code = " (%s)" % result["code"] if result.get("code") else ""
    words = "%s: %s%s. The summary above says why, and what comes next." % (what, result.get("outcome"), code)
    return one_line(words, 300)


def variables(said: Mapping[str, Any]) -> List[str]:
    """As they can be given with ``-e``: Ansible splits ``name=value`` at spaces and takes it apart at quotes."""
    return [
        "%s=%s" % (name, value)
        if isinstance(value, int) and not isinstance(value, bool) or isinstance(value, str) and _PLAIN.fullmatch(value)
        else json.dumps({name: value})
        for name, value in said.items()
    ]


def _sentence(label: str, words: str) -> str:
    """Not cut, and a path in it stays whole: it is copied."""
    return labelled(label, words, _SENTENCE_LIMIT, whole_words=True)


def _label(outcome: str) -> str:
    return "seen" if outcome in ("nothing_to_do", "applied", "running") else one_line(outcome.upper(), 20)


def _detail(result: Mapping[str, Any]) -> str:
    code = " (%s)" % result["code"] if result.get("code") else ""
    return "%s%s" % (result.get("detail") or result.get("msg"), code)


def _about(result: Mapping[str, Any]) -> str:
    words = ["incident %s" % result["incident"]] if result.get("incident") else []
    words += ["commit %s" % str(result["head"])[:12]] if result.get("head") else []
    plan_id = result.get("plan_id") or _evidence(result).get("plan_id")
    words += ["plan %s" % plan_id] if plan_id else []
    return one_line(", ".join(words), 200)


def _evidence(result: Mapping[str, Any]) -> Mapping[str, Any]:
    found = result.get("evidence")
    return found if isinstance(found, Mapping) else {}


def _plan(result: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
    """The plan; of what was refused because it changed, the plan of now."""
    found = result.get("plan") or _evidence(result).get("plan")
    return found if isinstance(found, Mapping) else None


def _request(plan: Mapping[str, Any]) -> List[str]:
    lines = [_sentence("objective", str(plan.get("objective")))]
    label = "commands"
    for argv in _lists(plan.get("commands")):
        # Exact, for it is what is approved: never wrapped.
        lines.append(label.ljust(10) + one_line(" ".join(shlex.quote(str(word)) for word in argv), COMMAND_LIMIT))
        label = ""
    lines.append(_sentence("impact", str(plan.get("expected_impact"))))
    lines.append(_sentence("rollback", str(plan.get("rollback"))))
    before = plan.get("before") if isinstance(plan.get("before"), Mapping) else {}
    after = plan.get("after") if isinstance(plan.get("after"), Mapping) else {}
    subjects = listed(plan.get("subjects"))
    label = "subjects"
    for subject in subjects[:_MOST]:
        lines.append(labelled(label, "%s: %s" % (subject, _change(before.get(subject), after.get(subject)))))
        label = ""
    if len(subjects) > _MOST:
        lines.append(labelled("", "and %d more: %s" % (len(subjects) - _MOST, ", ".join(subjects[_MOST:]))))
    by_hand = _mappings(plan.get("by_hand"))
    told = {each.get("subject") for each in by_hand if isinstance(each.get("subject"), str)}
    if isinstance(plan.get("left_out"), Mapping):
        lines += _left_out({subject: why for subject, why in plan["left_out"].items() if subject not in told})
    lines += [_sentence("note", remark) for remark in listed(plan.get("remarks"))[:_MOST]]
    return lines + _by_hand(by_hand)


def _change(before: Any, after: Any) -> str:
    """What differs, and no more; the whole of both is in the result."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return "%s -> %s" % (_word(before), _word(after))
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        ", ".join("%s %s -> %s" % (name, _word(before.get(name)), _word(after.get(name))) for name in differing)
        or "as it is"
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _left_out(left_out: Mapping[str, Any]) -> List[str]:
    lines = [_sentence("left out", "%s: %s" % (subject, why)) for subject, why in list(left_out.items())[:_MOST]]
    if len(left_out) > _MOST:
        lines.append(labelled("", "and %d more, which the result names (-v)" % (len(left_out) - _MOST)))
    return lines


def _by_hand(entries: Sequence[Mapping[str, Any]]) -> List[str]:
    """What a person does about what no program may: each command whole and on a line of its own, for it is copied."""
    lines: List[str] = []
    for entry in entries[:_MOST]:
        about = "%s: %s" % (entry.get("subject"), entry.get("why"))
        lines += ["", _sentence("by hand", about)]
        for step in _mappings(entry.get("steps")):
            text = str(step.get("text"))
            if step.get("do") == "run":
                lines.append("    " + one_line(text, COMMAND_LIMIT))
            else:
                lines.append(_sentence("", text))
    if len(entries) > _MOST:
        lines.append(labelled("", "and %d more, which the result names (-v)" % (len(entries) - _MOST)))
    return [*lines, "", "The commands are for the host, by ssh, as the operator, one after the other."] if lines else []


def _next(
    result: Mapping[str, Any],
    outcome: str,
    playbook: str,
    repeated: Mapping[str, Any],
    check_mode: bool,
    command: Command,
) -> List[str]:
    incident = {"incident": result["incident"]} if result.get("incident") else {}
    plan_id = result.get("plan_id") or _evidence(result).get("plan_id")
    if outcome == "planned" or result.get("code") == "plan_changed":
        said = {**incident, **repeated, "approve": plan_id}
        return _approval(command, playbook, said, check_mode, _needs_clearance(result))
    if outcome == "running":
        return pasted("This follows it to its end.", command(playbook, *variables({**incident, **repeated})))
    following = result.get("next_command")
    if isinstance(following, Mapping):
        said = {**incident, **following.get("variables", {})}
        return pasted(str(result.get("next_step")), command(str(following.get("playbook")), *variables(said)))
    if outcome in ("applied", "nothing_to_do"):
        if playbook == RESPOND:
            why = "Look again: what was found may have been the first layer only. When nothing is left, the host is verified."
            return pasted(why, command(RESPOND, *variables(incident)))
        why = "See whether the host is well again; the answer becomes part of the record."
        return pasted(why, command("verify", *variables(incident)))
    if result.get("code") in ("incident_missing", "incident_unknown", "incident_closed", "bad_incident"):
        return pasted(str(result.get("next_step")), command("open_incident", "title=WHAT_IS_WRONG"))
    if outcome == "refused":
        by_hand = _by_hand(_mappings(_evidence(result).get("by_hand")))
        if by_hand:
            return [*by_hand, "", _sentence("next", str(result.get("next_step"))), ""]
        said = ["", _sentence("next", str(result.get("next_step"))), ""]
        return _instead(_evidence(result).get("next"), command) or said
    return pasted(str(result.get("next_step")), command("triage", *variables(incident)))


def _instead(told: Any, command: Command) -> List[str]:
    """What to do instead, where the host says it in parts: why, and a line for the host or a playbook with its variables."""
    if not isinstance(told, Mapping) or not isinstance(told.get("why"), str):
        return []
    given = told.get("variables")
    if isinstance(told.get("playbook"), str) and _NAME.fullmatch(told["playbook"]) and isinstance(given, Mapping):
        said = {name: value for name, value in given.items() if isinstance(name, str) and _NAME.fullmatch(name)}
        return pasted(told["why"], command(told["playbook"], *variables(said)))
    if isinstance(told.get("on_host"), str) and told["on_host"]:
        return pasted(told["why"], told["on_host"], "On the host, by ssh, as the operator:")
    return ["", labelled("next", told["why"]), ""]


def _needs_clearance(result: Mapping[str, Any]) -> bool:
    """Of a plan, and of the plan of now where it changed."""
    return False not in (result.get("needs_clearance"), _evidence(result).get("needs_clearance"))


def _approval(
    command: Command, playbook: str, said: Mapping[str, Any], check_mode: bool, needs_clearance: bool
) -> List[str]:
    """With what the operator said about the commit, if that was said; else, where it matters, with both ways to say it."""
    why = "Read it. If that is what should be done, approve this plan; another one is refused."
    if check_mode:
        why = "This was a check. " + why
    if not needs_clearance or said.get("required_commit") or said.get("no_repo_change_reason"):
        return pasted(why, command(playbook, *variables(said)))
    lines = pasted(
        why,
        command(playbook, *variables({**said, "required_commit": COMMIT})),
        "To paste, with the commit that this recovery needs to be live on the host:",
    )
    lines += ["Or, if no change of the service's repository is needed for it:"]
    return lines + [
        "    " + one_line(command(playbook, *variables({**said, "no_repo_change_reason": REASON})), COMMAND_LIMIT),
        "",
    ]


def _mappings(value: Any) -> List[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, (list, tuple)) else []


def _lists(value: Any) -> List[Sequence[Any]]:
    return [each for each in value if isinstance(each, (list, tuple))] if isinstance(value, (list, tuple)) else []
