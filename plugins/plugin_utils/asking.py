# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a host for its evidence from an action plugin. Private to this collection."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Sequence

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils.options import ARGUMENT_SPEC
from . import payload
from .meanwhile import Meanwhile

_MODULE = "healtharchive.remediation.triage_info"
LOOK_SECONDS = 10
# Paths of the host are left as they are given: what `~` means there is not for the controller to say.
OF_HOST: Dict[str, Dict[str, Any]] = {
    name: {**option, "type": "str"} if option["type"] == "path" else option for name, option in ARGUMENT_SPEC.items()
}


def ask(
    action: Any, parameters: Mapping[str, Any], variables: Dict[str, Any], meanwhile: Sequence[Meanwhile]
) -> Dict[str, Any]:
    """What the module answers on the host of a task: ``evidence``, or ``failed`` with ``msg``. A host that is not reached is
    a failure (``reached`` false). ``action``: the action plugin that is run; ``meanwhile`` is begun when the host is asked.

    The collection's code is sent to the host's Python, which reads it from its standard input. Where that cannot be (no
    pipelining, or an interpreter that must be looked for), Ansible sends the module its own way.
    """
    interpreter = _interpreter(action, variables)
    piped = interpreter is not None and action._is_pipelining_enabled("new")
    program = payload.program("answer", parameters) if piped else b""
    # Not before: they would only slow down what the host waits for.
    for work in meanwhile:
        work.start()
    try:
        if not piped:
            answer: Dict[str, Any] = action._execute_module(
                module_name=_MODULE, module_args=dict(parameters), task_vars=variables
            )
            return answer
        command = action._connection._shell.build_module_command(
            action._compute_environment_string(), "#!%s" % interpreter, ""
        )
        # -I, -S: nothing but the standard library; -B: no byte code is written.
        said = action._low_level_execute_command(command + " -I -S -B -", in_data=program)
    except AnsibleConnectionFailure as error:
        return {"failed": True, "reached": False, "msg": wrap_var(str(error))}
    found: Dict[str, Any] = wrap_var(_answer(said))
    return found


def look(parameters: Mapping[str, Any], ca_file: Optional[str]) -> Dict[str, Any]:
    """What the public addresses answer from here."""
    # Imported where it is needed, while the host is waited for: Ansible compiles the Python of a collection anew in every run.
    from . import outside_view

    bases = {"api": parameters["public_api_base"], "frontend": parameters["public_frontend_base"]}
    found: Dict[str, Any] = wrap_var(outside_view.look(bases, LOOK_SECONDS, ca_file))
    return found


def _interpreter(action: Any, variables: Dict[str, Any]) -> Optional[str]:
    """The host's Python, if it is named."""
    named = action._templar.template(constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables))
    return named if isinstance(named, str) and named.startswith("/") else None


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
