# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``drill`` is: a command that breaks a host on purpose, where the host says that it is not production.

Private to this collection.
"""

from __future__ import annotations

import signal
import time
from typing import Any, Dict, Mapping

from . import approval, change, changing, contexts, host, settings
from .parse.text import decode
from .settings import BadInput

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "command": {"type": "list", "elements": "str", "default": []},
    "seconds": {"type": "int", "default": 120},
}
_MOST_SECONDS = 600
_CONTEXT_SECONDS = 60
_SHOWN = 2000


def run_module() -> None:
    module = changing.Module(argument_spec={**settings.ARGUMENT_SPEC, **ARGUMENT_SPEC}, supports_check_mode=True)
    result = answer(module.params, module.check_mode)
    if result["outcome"] in changing.GOOD:
        module.exit_json(**result)
    module.fail_json(msg=" ".join(result[part] for part in ("detail", "next_step") if result.get(part)), **result)


def answer(parameters: Mapping[str, Any], check_mode: bool) -> Dict[str, Any]:
    """The result of one call, without secrets."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_CONTEXT_SECONDS + _MOST_SECONDS)
    command, seconds = list(parameters["command"]), parameters["seconds"]
    try:
        if not 1 <= seconds <= _MOST_SECONDS:
            raise BadInput("bad_input", "seconds must be from 1 to %d." % _MOST_SECONDS, "Correct it and run it again.")
        where = settings.from_parameters(parameters)
        context = contexts.context(where, time.monotonic() + _CONTEXT_SECONDS + seconds)
        environment = approval.check_no_production(context)
    except BadInput as error:
        return change.refused(error)
    told = "The environment of this host is %s." % environment
    if not command:
        return _result("nothing_to_do", False, told + " It is to be broken by hand.", environment)
    if check_mode:
        return _result("planned", False, told + " This would be run as root: %s" % " ".join(command), environment)
    host.adopt_orphans()
    try:
        done = context.run(command, seconds)
    finally:
        host.end_descendants()
    output = context.redactor.line(decode(done.stdout + done.stderr), _SHOWN)
    if done.failure is None and done.rc == 0:
        return _result("applied", True, told + " It was broken: %s" % " ".join(command), environment, output)
    detail = "The command that should break the host ended with %s: %s" % (done.failure or "code %s" % done.rc, output)
    return {
        **_result("unknown", True, detail, environment, output),
        "code": "not_broken",
        "next_step": "Look at what it left, and at the command.",
    }


def _result(outcome: str, changed: bool, detail: str, environment: str, output: str = "") -> Dict[str, Any]:
    return {"outcome": outcome, "changed": changed, "detail": detail, "environment": environment, "output": output}
