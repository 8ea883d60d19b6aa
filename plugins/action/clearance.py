# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a host for the clearance, renew it or give it back (documented in plugins/modules/clearance.py)."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible import context
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import changing, mistyped
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import caller, forged, named
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.said import NotSaid, text

MODULE = "healtharchive.remediation.clearance"
# Each as it was typed, unless the task gives it.
_OF_GRANTED = ("incident", "required_commit", "no_repo_change_reason")
_OF_RELEASED = ("force_reason",)


class ActionModule(ActionBase):
    """Runs the module of the same name with what the operator said, in which nothing is evaluated."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        acting = not self._task.check_mode
        try:
            forged.check(self._loader)
            mistyped.check(self._loader)
            changing.check_settings(self._task, getattr(context, "CLIARGS", {}), acting)
            arguments = self._arguments(task_vars or {})
        except Refused as refusal:
            outcome.update(changing.refused(refusal.code, str(refusal), refusal.next_step))
            return outcome
        except NotSaid as error:
            outcome.update(changing.refused("bad_input", str(error), "Correct it and run it again."))
            return outcome
        result = self._asked(arguments, task_vars)
        held = _held(result)
        if arguments.get("state") != "renewed" and _is_own(held, arguments) and caller.has_ended(held.get("run")):
            # A run of ours that was killed: nobody else can know that it is over.
            result = self._asked({**arguments, "replaces": held["clearance_id"]}, task_vars)
        outcome.update(changing.told(result, acting))
        return outcome

    def _arguments(self, variables: Mapping[str, Any]) -> Dict[str, Any]:
        given = dict(self._task.args)
        typed = load_extra_vars(self._loader)
        state = given.get("state") or "granted"
        names = {"granted": _OF_GRANTED, "renewed": ("incident",), "released": _OF_RELEASED}.get(state, ())
        if any(given.get(name) is not None for name in ("required_commit", "no_repo_change_reason")):
            # Who writes the one into a playbook does not mean the other, too.
            names = tuple(name for name in names if name not in ("required_commit", "no_repo_change_reason"))
        for name in names:
            said = _said(name, typed.get(name))
            if given.get(name) is None and said is not None:
                given[name] = said
        if given.get("incident") is None and state in ("granted", "renewed") and named.opened(variables) is not None:
            given["incident"] = named.opened(variables)
        if given.get("required_commit") is not None:
            given["required_commit"] = _commits(given["required_commit"])
        return {**caller.described(self._loader), **given}

    def _asked(self, arguments: Mapping[str, Any], task_vars: Optional[Dict[str, Any]]) -> Dict[str, Any]:
        try:
            return self._execute_module(module_name=MODULE, module_args=dict(arguments), task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            return {"unreachable": True, "msg": str(error)}


def _said(name: str, value: Any) -> Any:
    """A text without any mark of Ansible's, or a list; None for an empty one, as a form sends it that was not filled in."""
    if name == "required_commit" and isinstance(value, (list, tuple)):
        return [text(name, each) or "" for each in value]
    return text(name, value)


def _commits(value: Any) -> List[str]:
    """Ansible's list of texts: commas part them."""
    if isinstance(value, (list, tuple)):
        return [str(each) for each in value]
    return str(value).split(",")


def _held(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The clearance that is in the way, if that is why it was refused."""
    evidence = result.get("evidence")
    found = evidence.get("clearance") if isinstance(evidence, Mapping) else None
    return found if result.get("code") == "held_by_other" and isinstance(found, Mapping) else {}


def _is_own(held: Mapping[str, Any], arguments: Mapping[str, Any]) -> bool:
    return all(held.get(name) and held[name] == arguments.get(name) for name in ("operator", "controller"))
