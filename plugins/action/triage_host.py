# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triage a host: evidence, judgement, reports (documented in plugins/modules/triage_host.py)."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Sequence

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.module_utils.options import ARGUMENT_SPEC
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import payload
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.meanwhile import Meanwhile

_MODULE = "healtharchive.remediation.triage_info"
_OWN: Dict[str, Dict[str, Any]] = {
    "outside_view": {"type": "bool", "default": True},
    "public_ca_file": {"type": "path"},
    "evidence_file": {"type": "str"},
    "rules_file": {"type": "str", "required": True},
    "facts_file": {"type": "str", "required": True},
    "extra_rules": {"type": "list", "elements": "dict", "default": []},
    "output_directory": {"type": "str", "default": "triage"},
}
# Paths of the host are left as they are given: what `~` means there is not for the controller to say.
_OF_HOST = {
    name: {**option, "type": "str"} if option["type"] == "path" else option for name, option in ARGUMENT_SPEC.items()
}
# Once variables of the role. What is put in their place from outside would be taken for its rules.
_NO_VARIABLES = ("triage_rules", "triage_required_facts", "triage_bad_evidence")
_LOOK_SECONDS = 10


class Refused(Exception):
    """There is no triage; ``code`` is stable, the message is one line with what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ActionModule(ActionBase):
    """Sends the collection's code to the host's Python, which reads it from its standard input.

    Where that cannot be (no pipelining, or an interpreter that must be looked for), Ansible sends the module its own way.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        outcome["changed"] = False
        try:
            self._triage(outcome, task_vars or {})
        except Refused as refusal:
            outcome.update(failed=True, code=refusal.code, msg=wrap_var(str(refusal)))
        return outcome

    def _triage(self, outcome: Dict[str, Any], variables: Dict[str, Any]) -> None:
        _validation, parameters = self.validate_argument_spec(argument_spec={**_OF_HOST, **_OWN})
        own = {name: parameters.pop(name) for name in _OWN}
        _check(parameters, own, variables)
        judge = Meanwhile(lambda: _judge(own))
        if own["evidence_file"] is not None:
            outcome["evidence"] = _evidence(own["evidence_file"])
        else:
            if own["extra_rules"]:
                _ready(judge)  # a mistake in them is found before the host is asked
            look = Meanwhile(lambda: _look(parameters, own["public_ca_file"]) if own["outside_view"] else None)
            outcome.update(self._ask(parameters, variables, [look, judge]))
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

    def _ask(
        self, parameters: Mapping[str, Any], variables: Dict[str, Any], meanwhile: Sequence[Meanwhile]
    ) -> Dict[str, Any]:
        """What the module answers on the host. A host that is not reached is a failure: what the public addresses answer
        is told with it, and says what of the way is broken."""
        interpreter = self._interpreter(variables)
        piped = interpreter is not None and self._is_pipelining_enabled("new")
        program = payload.program("answer", parameters) if piped else b""
        # Not before: they would only slow down what the host waits for.
        for work in meanwhile:
            work.start()
        try:
            if not piped:
                return self._execute_module(module_name=_MODULE, module_args=dict(parameters), task_vars=variables)
            command = self._connection._shell.build_module_command(
                self._compute_environment_string(), "#!%s" % interpreter, ""
            )
            # -I, -S: nothing but the standard library; -B: no byte code is written.
            said = self._low_level_execute_command(command + " -I -S -B -", in_data=program)
        except AnsibleConnectionFailure as error:
            return {"failed": True, "reached": False, "msg": wrap_var(str(error))}
        return wrap_var(_answer(said))

    def _interpreter(self, variables: Dict[str, Any]) -> Optional[str]:
        """The host's Python, if it is named."""
        named = self._templar.template(constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables))
        return named if isinstance(named, str) and named.startswith("/") else None


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


def _look(parameters: Mapping[str, Any], ca_file: Optional[str]) -> Dict[str, Any]:
    from ansible_collections.healtharchive.remediation.plugins.plugin_utils import outside_view

    bases = {"api": parameters["public_api_base"], "frontend": parameters["public_frontend_base"]}
    return wrap_var(outside_view.look(bases, _LOOK_SECONDS, ca_file))


def _answer(said: Mapping[str, Any]) -> Dict[str, Any]:
    """The result that the program printed, whatever a login shell printed before it."""
    for line in said["stdout"].splitlines():
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
    return {
        "failed": True,
        "msg": "The module interpreter was not found" if said["rc"] == 127 else "The probes ended without a result",
        "rc": said["rc"],
        "module_stdout": said["stdout"],
        "module_stderr": said["stderr"],
    }
