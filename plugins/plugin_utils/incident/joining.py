# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was written down while a host could not be reached, brought into its record. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ...module_utils.settings import BadInput
from . import caller, notes
from .recording import Host
from .refusal import result as refused
from .scratchpad import Scratchpad, Spoiled, never_joins


def join(action: Any, output_directory: str, variables: Mapping[str, Any]) -> Dict[str, Any]:
    """What became of what waits for the host of a task: ``changed``, ``reached`` (None: nothing waits, the host was not
    asked), ``joined``, ``renamed`` and ``put_aside``, and ``failed`` with ``msg``, ``code`` and ``next_step`` where it could
    not be done. ``action``: the action plugin that is run."""
    outcome: Dict[str, Any] = {"changed": False, "reached": None, "joined": [], "renamed": {}, "put_aside": []}
    check_mode, name = action._task.check_mode, str(variables.get("inventory_hostname", ""))
    try:
        directory = notes.directory_of(output_directory, name)
        scratchpad = Scratchpad(output_directory, name)
        waiting = _waiting(scratchpad, outcome, check_mode)
        if not waiting:
            return outcome
        host = Host(action, variables)
        reason = host.why_not_reached()
        outcome["reached"] = reason is None
        if reason is not None:
            outcome["reason"] = wrap_var(reason)
            return outcome
        for each in waiting:
            result = host.record(
                {"incident": each["incident"], "events": each["events"], **caller.described(action._loader)}
            )
            if never_joins(result.get("code")):
                _put_aside(scratchpad, each["incident"], _refusal(result), outcome, check_mode)
                continue
            if result.get("failed"):
                return {**outcome, **result}
            template = (result.get("template") or {}).get("text")
            notes.write(directory, result["incident"], result["events"], template, each["incident"], check_mode)
            # Only now: until the note has its new name, another run must find what is to be renamed.
            scratchpad.remove(each["incident"], result["confirmed"], check_mode)
            _joined(outcome, each, result["incident"]["id"])
    except BadInput as refusal:
        return {**outcome, **refused(refusal)}
    return outcome


def _joined(outcome: Dict[str, Any], waiting: Mapping[str, Any], name: str) -> None:
    told = {"incident": name, "former_id": waiting["incident"], "events": len(waiting["events"])}
    outcome["joined"] = wrap_var([*outcome["joined"], told])
    outcome["changed"] = True
    if name != waiting["incident"]:
        outcome["renamed"][waiting["incident"]] = name


def _waiting(scratchpad: Scratchpad, outcome: Dict[str, Any], check_mode: bool) -> List[Dict[str, Any]]:
    """What waits for the host, without what can never join; :class:`BadInput`."""
    waiting = []
    for name in scratchpad.names():
        try:
            waiting.append(scratchpad.offered(name))
        except Spoiled as refusal:
            _put_aside(scratchpad, name, refusal, outcome, check_mode)
    return waiting


def _put_aside(
    scratchpad: Scratchpad, name: str, why: BadInput, outcome: Dict[str, Any], check_mode: bool
) -> None:
    """What can never join must not keep everything else from being recorded."""
    aside = scratchpad.put_aside(name, why, check_mode)
    Display().warning(aside.sentence)
    outcome["put_aside"] = wrap_var([*outcome["put_aside"], {**aside._asdict(), "sentence": aside.sentence}])
    outcome["changed"] = True


def _refusal(result: Mapping[str, Any]) -> BadInput:
    """What the module refused with; its message ends with the next step."""
    next_step, said = str(result.get("next_step", "")), str(result.get("msg", ""))
    if next_step and said.endswith(next_step):
        said = said[: -len(next_step)]
    return BadInput(str(result["code"]), said.strip(), next_step)
