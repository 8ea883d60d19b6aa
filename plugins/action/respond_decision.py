# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what is to be done about what triage found (documented in plugins/modules/respond_decision.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import commands, mistyped, yaml_file
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import forged
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import result as refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.respond import answers, decide, summary

_AUTOMATIC = "auto"


class ActionModule(ActionBase):
    """Runs on the controller only. It prints by itself because every result format of Ansible would quote the lines."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        outcome.update(changed=False)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "evidence": {"type": "dict", "required": True},
                "result": {"type": "dict", "required": True},
                "answers_file": {"type": "str", "required": True},
                "incident": {"type": "str", "required": True},
                "approve": {"type": "str", "default": ""},
            }
        )
        host = str((task_vars or {}).get("inventory_hostname", "unknown"))
        try:
            forged.check(self._loader)
            mistyped.check(self._loader)
            known = answers.compile_answers(yaml_file.variables(options["answers_file"]).get("respond_answers"))
            decision = decide.decide(options["evidence"], options["result"], known)
        except Refused as refusal:
            outcome.update(refused(refusal))
            return outcome
        except (answers.BadAnswer, yaml_file.Unreadable, ValueError) as error:
            outcome.update(failed=True, code="bad_input", msg=wrap_var(str(error)))
            return outcome
        # In a drill every plan is approved, whether there is one or not.
        approval = "" if options["approve"] == _AUTOMATIC else options["approve"]
        printed = summary.render(host, decision, options["incident"], approval, commands.playbook)
        Display().display(printed)
        outcome.update(wrap_var({**decision.described(), "text": printed.strip("\n")}))
        if approval and decision.do in (answers.PERSON, answers.WAIT):
            message = "Plan %s was approved, and what triage finds now is answered by no plan. Nothing was changed. See above."
            outcome.update(failed=True, code="plan_changed", msg=wrap_var(message % approval))
        return outcome
