# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify a host: evidence, judgement, record (documented in plugins/modules/verify_host.py)."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import asking, mistyped, verification, yaml_file
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import (
    caller,
    forged,
    joining,
    named,
    notes,
    recording,
)
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import result as refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.meanwhile import Meanwhile
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.said import NotSaid, said

_OWN: Dict[str, Dict[str, Any]] = {
    "outside_view": {"type": "bool", "default": True},
    "public_ca_file": {"type": "path"},
    "checks_file": {"type": "str", "required": True},
    "known_jobs": {"type": "list", "elements": "int", "default": []},
    "output_directory": {"type": "str", "default": "incidents"},
}
# What Ansible wants to see of a module's result where it shows it.
_SHOWN = ("warnings", "deprecations")


class ActionModule(ActionBase):
    """The verdict is made and recorded in one task: between two, a variable could take its place."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        outcome.update(changed=False, recorded=None)
        variables = task_vars or {}
        _validation, parameters = self.validate_argument_spec(argument_spec={**asking.OF_HOST, **_OWN})
        own = {name: parameters.pop(name) for name in _OWN}
        try:
            forged.check(self._loader)
            mistyped.check(self._loader)
            typed = said(self._loader, ("incident", "remark"))
            opened = named.opened(variables)
            if opened is not None:
                typed.setdefault("incident", opened)
            checks = verification.checks(yaml_file.variables(own["checks_file"]).get("verify_checks"))
            if not 10 <= parameters["deadline"] <= 600:
                raise NotSaid("verify_deadline must be from 10 to 600 seconds, not %d." % parameters["deadline"])
        except Refused as refusal:
            outcome.update(refused(refusal))
            return outcome
        except (NotSaid, yaml_file.Unreadable, verification.BadCheck) as error:
            outcome.update(failed=True, code="bad_input", msg=str(error))
            return outcome
        look = Meanwhile(lambda: asking.look(parameters, own["public_ca_file"]) if own["outside_view"] else None)
        answer = asking.ask(self, parameters, variables, [look])
        seen = look.result()
        if seen is not None:
            answer["outside_view"] = seen
        if answer.get("failed") or answer.get("unreachable"):
            outcome.update(answer)
            return outcome
        evidence = answer["evidence"]
        if seen is not None:
            evidence["probes"]["outside_view"] = seen
        try:
            result = verification.judge(evidence, checks, own["known_jobs"])
        except ValueError as error:
            outcome.update(failed=True, code="bad_evidence", msg=wrap_var("%s." % error))
            return outcome
        outcome.update(evidence=wrap_var(evidence), result=wrap_var(result), incident=wrap_var(typed.get("incident", "")))
        if "incident" in typed:
            recorded = self._recorded(typed, result, own["output_directory"], variables, outcome)
            outcome["changed"] = bool(recorded.get("changed"))
            outcome["recorded"] = wrap_var(recorded)
        return outcome

    def _recorded(
        self,
        typed: Mapping[str, str],
        result: Mapping[str, Any],
        output_directory: str,
        variables: Mapping[str, Any],
        outcome: Dict[str, Any],
    ) -> Dict[str, Any]:
        """What the record says afterwards; ``failed`` with ``msg`` where it was not recorded, ``note_failed`` with a line where
        only the note here could not be written."""
        joined = joining.join(self, output_directory, variables)
        if joined.get("failed"):
            return joined
        events: List[Dict[str, Any]] = [verification.event_of(result)]
        if "remark" in typed:
            events.append({"kind": "remark", "data": {"text": typed["remark"]}})
        name = joined["renamed"].get(typed["incident"], typed["incident"])
        wish = {"incident": name, "events": events, **caller.described(self._loader)}
        recorded = recording.keep(recording.Host(self, variables), wish)
        outcome.update({key: recorded.pop(key) for key in _SHOWN if key in recorded})
        diff = recorded.pop("diff", None)
        if recorded.get("failed"):
            return recorded
        diffs = [diff] if diff else []
        try:
            directory = notes.directory_of(output_directory, str(variables.get("inventory_hostname", "")))
            template = (recorded.get("template") or {}).get("text")
            written = notes.write(
                directory, recorded["incident"], recorded["events"], template, None, self._task.check_mode
            )
            diffs += [notes.diff(written)] if written.changed else []
            recorded["changed"] = bool(recorded.get("changed")) or written.changed
        except BadInput as refusal:
            recorded["note_failed"] = "%s %s" % (refusal, refusal.next_step)
        if self._task.diff:
            outcome["diff"] = wrap_var(diffs)
        return {**recorded, "joined": joined["joined"]}
