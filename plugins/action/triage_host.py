# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triage a host: evidence, judgement, reports (documented in plugins/modules/triage_host.py)."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import asking, mistyped
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.meanwhile import Meanwhile

_OWN: Dict[str, Dict[str, Any]] = {
    "outside_view": {"type": "bool", "default": True},
    "public_ca_file": {"type": "path"},
    "evidence_file": {"type": "str"},
    "rules_file": {"type": "str", "required": True},
    "facts_file": {"type": "str", "required": True},
    "extra_rules": {"type": "list", "elements": "dict", "default": []},
    "output_directory": {"type": "str", "default": "triage"},
}
# Once variables of the role. What is put in their place from outside would be taken for its rules.
_NO_VARIABLES = ("triage_rules", "triage_required_facts", "triage_bad_evidence")


class Refused(Exception):
    """There is no triage; ``code`` is stable, the message is one line with what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ActionModule(ActionBase):
    """Asks the host and the public addresses at once, and judges what they say."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        outcome["changed"] = False
        try:
            mistyped.check(self._loader)
            self._triage(outcome, task_vars or {})
        except BadInput as refusal:
            outcome.update(failed=True, code=refusal.code, msg=wrap_var("%s %s" % (refusal, refusal.next_step)))
        except Refused as refusal:
            outcome.update(failed=True, code=refusal.code, msg=wrap_var(str(refusal)))
        return outcome

    def _triage(self, outcome: Dict[str, Any], variables: Dict[str, Any]) -> None:
        _validation, parameters = self.validate_argument_spec(argument_spec={**asking.OF_HOST, **_OWN})
        own = {name: parameters.pop(name) for name in _OWN}
        _check(parameters, own, variables)
        judge = Meanwhile(lambda: _judge(own))
        if own["evidence_file"] is not None:
            outcome["evidence"] = _evidence(own["evidence_file"])
        else:
            if own["extra_rules"]:
                _ready(judge)  # a mistake in them is found before the host is asked
            look = Meanwhile(lambda: asking.look(parameters, own["public_ca_file"]) if own["outside_view"] else None)
            outcome.update(asking.ask(self, parameters, variables, [look, judge]))
            seen = look.result()
            if seen is not None:
                outcome["outside_view"] = seen
            if outcome.get("failed"):
                return
            if seen is not None:
                outcome["evidence"]["probes"]["outside_view"] = seen
        name = str(variables.get("inventory_hostname", "unknown"))
        directory = None if self._task.check_mode else own["output_directory"]
        try:
            found = _ready(judge).judge(name, outcome["evidence"], own["evidence_file"], directory)
        except ValueError as error:
            raise Refused("bad_evidence", "%s." % error) from error
        problem = found.pop("problem")
        # ansible-core before 2.19 would evaluate a text of the host the next time that it passes by in a variable.
        outcome.update(wrap_var(found), evidence=wrap_var(outcome["evidence"]))
        if problem is not None:
            raise Refused(
                "files_not_written",
                "The files of the triage could not be written on the controller: %s. "
                "Set triage_output_directory to a directory that you may write." % problem,
            )


def _check(parameters: Mapping[str, Any], own: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
    """What can be refused before anything is done."""
    for name in _NO_VARIABLES:
        if name in variables:
            raise Refused(
                "bad_input", "%s is no variable: rules of your site go into triage_extra_rules. Take it out." % name
            )
    if not 10 <= parameters["deadline"] <= 600:
        raise Refused("bad_input", "triage_deadline must be from 10 to 600 seconds, not %d." % parameters["deadline"])
    if not own["output_directory"].strip():
        raise Refused("bad_input", "triage_output_directory must not be empty.")


# What follows is imported where it is needed, while the host is waited for: Ansible compiles the Python of a collection anew
# in every run.


def _evidence(path: str) -> Any:
    from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import evidence_file

    try:
        return evidence_file.read(path)
    except evidence_file.BadFile as error:
        raise Refused("bad_evidence_file", "%s." % error) from error


def _judge(own: Mapping[str, Any]) -> Any:
    from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import judge

    return judge.Judge(judge.tables(own["rules_file"], own["facts_file"], own["extra_rules"]))


def _ready(judge: Meanwhile) -> Any:
    try:
        return judge.result()
    except ValueError as error:  # BadRule
        raise Refused("bad_rule", "%s. Correct it in triage_extra_rules." % error) from error
