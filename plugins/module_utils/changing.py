# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules do that change a host: their options, one act, a result as Ansible wants it. Private to this collection.

The rules are in :mod:`.change`. This file only carries to them what was said, and back what became of it.
"""

from __future__ import annotations

import signal
import time
from typing import Any, Callable, Dict, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule

from . import change, contexts, detached, host, settings
from .probe import Context
from .settings import BadInput

GOOD = ("planned", "running", "applied", "nothing_to_do")
_TOKEN = "NOT SHOWN: IT OPENS THE HOST FOR CHANGES."
# Of what people typed, only the record has the secrets left out.
_TEXT = "NOT SHOWN: A TEXT MAY HOLD A SECRET. THE RECORD HAS WHAT WAS SAID."
_TYPED = ("budget_override_reason", *change.CALLER)
# Of each run, what is kept for settling, writing the record, ending processes and reporting, in seconds.
_RESERVE_SECONDS = 120
# Before anything else is known: a look at the settings and the secrets of the host.
_CONTEXT_SECONDS = 60


class Module(AnsibleModule):
    """Ansible's, without the line in the host's journal that has every text as it was typed. Options with no_log would leave
    that out, and with it what an error says of them."""

    def _log_invocation(self) -> None:
        self.log("Invoked to change the host; the record has what was said and done")


def shown(parameters: Mapping[str, Any], typed: Sequence[str] = ()) -> Dict[str, Any]:
    """What Ansible may show of a call with -vvv. ``typed``: further options that hold what people typed."""
    hidden = {**dict.fromkeys((*_TYPED, *typed), _TEXT), "clearance": _TOKEN}
    return {name: hidden[name] if name in hidden and value else value for name, value in parameters.items()}


def run_module(
    make: Callable[[Mapping[str, Any]], change.Action],
    argument_spec: Mapping[str, Any],
    typed: Sequence[str] = (),
    **rules: Any,
) -> None:
    """Be the module that does this kind of change. ``make``: the class of its action; ``argument_spec``: its options beside those
    that all share, and ``typed`` those of them that hold what people typed; ``rules``: further arguments for AnsibleModule."""
    module = Module(
        argument_spec={**settings.ARGUMENT_SPEC, **change.ARGUMENT_SPEC, **argument_spec},
        supports_check_mode=True,
        **rules,
    )
    result = answer(module.params, make, module.check_mode)
    if not result.pop("secrets_known", True):
        module.warn("The host's secrets could not be read: only what looks like a secret was left out of the record.")
    difference = result.pop("diff", None)
    if module._diff and difference:
        result["diff"] = difference
    result["invocation"] = {"module_args": shown(module.params, typed)}
    if result["outcome"] in GOOD:
        module.exit_json(**result)
    module.fail_json(msg=" ".join(result[part] for part in ("detail", "next_step") if result.get(part)), **result)


def answer(
    parameters: Mapping[str, Any], make: Callable[[Mapping[str, Any]], change.Action], check_mode: bool
) -> Dict[str, Any]:
    """The result of one run, without secrets. What is approved goes on to its end also when the caller is gone."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_CONTEXT_SECONDS)
    try:
        where = settings.from_parameters(parameters)
        action = make(parameters)
        context = contexts.context(where, time.monotonic() + _CONTEXT_SECONDS)
    except BadInput as error:
        return {**change.refused(error), "incident": parameters["incident"]}
    seconds = 2 * (action.plan_seconds + action.observe_seconds) + action.seconds + _RESERVE_SECONDS
    signal.alarm(seconds + _CONTEXT_SECONDS)

    def work() -> Dict[str, Any]:
        return _result(context, parameters, action, check_mode)

    if check_mode or parameters["approve"] is None:
        return work()
    result = detached.run(work, seconds)
    return _cut_off(parameters, seconds) if result is None else result


def _result(context: Context, parameters: Mapping[str, Any], action: change.Action, check_mode: bool) -> Dict[str, Any]:
    host.adopt_orphans()
    try:
        result = change.run(context, parameters, action, check_mode)
    finally:
        host.end_descendants()
    redacted: Dict[str, Any] = context.redactor.value({**result, "secrets_known": context.secrets_known})
    return redacted


def _cut_off(parameters: Mapping[str, Any], seconds: int) -> Dict[str, Any]:
    return {
        "outcome": "unknown",
        "changed": True,
        "incident": parameters["incident"],
        "code": "cut_off",
        "detail": "What acts on the host ended without an answer, or was ended after %d seconds." % seconds,
        "next_step": "Run triage, which says what was begun and not ended; then run the same command again.",
        "evidence": {},
    }
