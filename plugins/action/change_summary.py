# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what is planned, or what became of it (documented in plugins/modules/change_summary.py)."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from ansible.utils.vars import load_extra_vars
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import (
    change_summary,
    commands,
    kept_plans,
)
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.said import NotSaid, said, text
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import failure

# What belongs into every next command, beside what the playbook names; and what is said for one run only.
_ALWAYS = ("operator", "required_commit", "no_repo_change_reason", "budget_override_reason")
_GOOD = ("planned", "running", "applied", "nothing_to_do")


class ActionModule(ActionBase):
    """Runs on the controller only. It prints by itself because every result format of Ansible would quote the lines."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "result": {"type": "dict", "required": True},
                "what": {"type": "str", "required": True},
                "playbook": {"type": "str", "required": True},
                "repeat": {"type": "list", "elements": "str", "default": []},
                "output_directory": {"type": "str"},
            }
        )
        host = str((task_vars or {}).get("inventory_hostname", "unknown"))
        # What `respond` has chosen goes on with `respond`.
        playbook = change_summary.RESPOND if "respond_decided" in (task_vars or {}) else options["playbook"]
        result = _result(options["result"], options["what"])
        try:
            repeated = self._repeated(options["repeat"])
        except NotSaid as error:
            outcome.update(failed=True, msg=str(error))
            return outcome
        approved = None
        if options["output_directory"] is not None:
            approved = self._kept(options["output_directory"], host, result)
        printed = change_summary.render(
            host,
            result,
            options["what"],
            playbook,
            repeated,
            self._task.check_mode,
            commands.playbook,
            approved,
        )
        Display().display(printed)
        outcome.update(changed=False, outcome=wrap_var(result.get("outcome")), code=wrap_var(result.get("code")))
        if result.get("outcome") in _GOOD:
            outcome["text"] = wrap_var(printed.strip("\n"))
        else:
            # Ansible prints the whole result of what fails, which would be all of it a second time.
            outcome.update(failed=True, msg=wrap_var(change_summary.failure(result, options["what"])))
        return outcome

    def _kept(self, directory: str, host: str, result: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
        """Keep a plan that is printed; of one that is not the approved one, that one."""
        if result.get("code") == "plan_changed":
            return kept_plans.find(directory, host, said(self._loader, ("approve",)).get("approve"))
        if result.get("outcome") == "planned" and not self._task.check_mode:
            try:
                kept_plans.keep(directory, host, result)
            except (OSError, BadInput) as error:
                # It is only for being shown what differs.
                Display().warning("The plan was not kept on this controller: %s" % error)
        return None

    def _repeated(self, names: Any) -> Dict[str, Any]:
        """As it was typed: nothing in it is evaluated."""
        given = load_extra_vars(self._loader)
        found: Dict[str, Any] = {}
        for name in dict.fromkeys([*names, *_ALWAYS]):
            value = given.get(name)
            if isinstance(value, bool) or value is None:
                found.update({} if value is None else {name: bool(value)})
            elif isinstance(value, int):
                found[name] = int(value)
            elif isinstance(value, (list, tuple)):
                found[name] = [each if isinstance(each, int) else text(name, each) for each in value]
            elif text(name, value) is not None:
                found[name] = text(name, value)
        return found


def _result(found: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    """Of a task that was no changing module's, what a summary needs: nothing was changed by it."""
    if "outcome" in found:
        return found
    line = failure.line(found, None, "%s: not done" % what, "It")
    return {
        "outcome": "refused",
        "detail": line,
        "msg": line,
        "code": found.get("code"),
        "next_step": found.get("next_step") or "See above which task failed.",
    }
