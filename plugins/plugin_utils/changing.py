# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins of modules that change a host. Private to this collection.

They say who asks, and refuse settings of the controller that would hide what the module answers. That is a courtesy: whoever runs
Ansible can do without it. What holds a change back is in the module, on the host.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible import constants, context
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils.parse.text import one_line
from . import mistyped
from .incident import caller, forged, named
from .incident.refusal import Refused
from .said import NotSaid, said

# Read as it was typed, where the task does not say it: Ansible evaluates a variable as soon as a task names it.
_TYPED = ("incident", "budget_override_reason")
_AGAIN = (
    "What was begun on the host goes on there. Wait until it answers, then run the same command again: it says how it ended, and "
    "does nothing twice."
)


class ChangingAction(ActionBase):
    """Runs the module of the same name. Its class names it: ``MODULE``.

    ``approve`` is never taken from what was typed: a task that acts says so by itself.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    MODULE = ""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        given = dict(self._task.args)
        approved = given.get("approve") not in (None, "") and not self._task.check_mode
        try:
            forged.check(self._loader)
            mistyped.check(self._loader)
            typed = said(self._loader, _TYPED)
            given.update({name: text for name, text in typed.items() if given.get(name) is None})
            opened = named.opened(task_vars or {})
            if given.get("incident") is None and opened is not None:
                given["incident"] = opened
            check_settings(self._task, getattr(context, "CLIARGS", {}), approved)
            if not given.get("incident"):
                raise Refused(
                    "incident_missing",
                    "No incident was named, and nothing is changed without one.",
                    "Open one (playbook open_incident), then name it: -e incident=ID",
                )
            arguments = {**caller.described(self._loader), **given}
        except Refused as refusal:
            outcome.update(refused(refusal.code, str(refusal), refusal.next_step))
            return outcome
        except NotSaid as error:
            outcome.update(refused("bad_input", str(error), "Correct it and run it again."))
            return outcome
        result = told(self.ask(arguments, task_vars), approved)
        outcome.update(result if self._task.check_mode else self.followed(arguments, result, task_vars))
        return outcome

    def ask(self, arguments: Mapping[str, Any], task_vars: Optional[Dict[str, Any]]) -> Dict[str, Any]:
        """The module's answer; ``unreachable`` where the link broke."""
        try:
            answer: Dict[str, Any] = self._execute_module(
                module_name=self.MODULE, module_args=dict(arguments), task_vars=task_vars
            )
            return answer
        except AnsibleConnectionFailure as error:
            return {"unreachable": True, "msg": str(error)}

    def followed(
        self, arguments: Mapping[str, Any], result: Dict[str, Any], task_vars: Optional[Dict[str, Any]]
    ) -> Dict[str, Any]:
        """The result in the end, of what goes on after the module has answered. Not asked in check mode."""
        return result


def check_settings(task: Any, arguments: Mapping[str, Any], approved: bool) -> None:
    """:class:`Refused` (``unsafe_setting``) where a refusal would be hidden or, of what is ``approved``, where tasks around it
    may have been left out. ``arguments``: Ansible's command line."""
    found: List[str] = [name for name in ("ignore_errors", "ignore_unreachable") if getattr(task, name, None)]
    # The module says whether it failed.
    found += ["failed_when"] if getattr(task, "failed_when", None) else []
    if broken_conditionals_allowed():
        found.append("ALLOW_BROKEN_CONDITIONALS")
    if approved:
        found += [
            "--" + name.replace("_", "-") for name in ("start_at_task", "step", "skip_tags") if arguments.get(name)
        ]
    if found:
        raise Refused(
            "unsafe_setting",
            "This is not done with %s: a refusal, or that something was left out, would not be seen."
            % ", ".join(found),
            "Run it without. The whole playbook can always be run again: nothing is done twice.",
        )


def broken_conditionals_allowed() -> bool:
    """Whether somebody has set that conditions which are no conditions count as true. ansible-core 2.16 knows no other way and
    says so as its default, later ones have no such setting, and from 2.19 on it is off."""
    try:
        value, origin = constants.config.get_config_value_and_origin("ALLOW_BROKEN_CONDITIONALS")
    except AnsibleError:
        return False
    return bool(value) and origin != "default"


def told(result: Mapping[str, Any], approved: bool) -> Dict[str, Any]:
    """The module's result; where it has none, what can be said instead. ``approved``: it may have changed the host."""
    if result.get("unreachable"):
        reason = one_line(str(result.get("msg")).strip(), 300)
        if approved:
            return unknown("link_broke", "The link to the host broke while it was acting (%s)." % reason)
        return refused(
            "host_not_reached", "The host was not reached (%s)." % reason, "Try ssh to it by hand, then run it again."
        )
    if "outcome" in result:
        return dict(result)
    message = one_line(str(result.get("msg")).strip(), 500)
    if not any(name in result for name in ("rc", "module_stderr", "exception")):
        # Ansible's own words about an option.
        return {**result, **refused("bad_input", message, "Correct it and run it again.")}
    if approved:
        return {**result, **unknown("module_failed", "The module ended without an answer (%s)." % message)}
    return {
        **result,
        **refused("module_failed", "The module ended without an answer (%s)." % message, "Run it again with -vvv."),
    }


def refused(code: str, detail: str, next_step: str) -> Dict[str, Any]:
    """A result where nothing was done."""
    return {
        "failed": True,
        "changed": False,
        "outcome": "refused",
        "code": code,
        "detail": detail,
        "next_step": next_step,
        "evidence": {},
        "msg": "%s %s" % (detail, next_step),
    }


def unknown(code: str, detail: str) -> Dict[str, Any]:
    """A result where nobody here knows what was done."""
    return {**refused(code, detail, _AGAIN), "changed": True, "outcome": "unknown"}
