# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``clearance`` is. The rules are in :mod:`.clearance.desk`. Private to this collection."""

from __future__ import annotations

import signal
import time
from typing import Any, Dict, Mapping

from . import change, changing, contexts, host, settings
from .clearance import desk
from .settings import BadInput

# Waiting for another who asks, looking, holding, recording.
_SECONDS = 180


def run_module() -> None:
    module = changing.Module(argument_spec={**settings.ARGUMENT_SPEC, **desk.ARGUMENT_SPEC}, supports_check_mode=True)
    result = answer(module.params, module.check_mode)
    if not result.pop("secrets_known", True):
        module.warn("The host's secrets could not be read: only what looks like a secret was left out of the record.")
    result["invocation"] = {"module_args": changing.shown(module.params, desk.TYPED)}
    if result["outcome"] in changing.GOOD:
        module.exit_json(**result)
    module.fail_json(msg=" ".join(result[part] for part in ("detail", "next_step") if result.get(part)), **result)


def answer(parameters: Mapping[str, Any], check_mode: bool) -> Dict[str, Any]:
    """The result of one call, without secrets."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_SECONDS)
    try:
        where = settings.from_parameters(parameters)
        context = contexts.context(where, time.monotonic() + _SECONDS)
    except BadInput as error:
        return {**change.refused(error), "incident": parameters["incident"], "state": parameters["state"]}
    host.adopt_orphans()
    try:
        result = desk.run(context, parameters, check_mode)
    finally:
        host.end_descendants()
    # Whoever asked gets it, and nobody else: it is no secret of the host's, only called like one.
    token = {name: result.pop(name) for name in ("token",) if name in result}
    redacted: Dict[str, Any] = context.redactor.value({**result, "secrets_known": context.secrets_known})
    return {**redacted, **token}
