# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that makes an event of an incident from a triage."""

from __future__ import annotations

DOCUMENTATION = r"""
name: triage_event
short_description: Make an event of an incident from a triage
version_added: 0.1.0
author:
  - HealthArchive maintainers (@healtharchive)
description:
  - What M(healtharchive.remediation.incident) records of a triage. It is the classes with their summaries, the severity that
    triage suggests, and the digest of C(evidence.json) as M(healtharchive.remediation.triage_host) writes it.
positional: result
options:
  _input:
    description: The evidence document.
    type: dict
    required: true
  result:
    description: What P(healtharchive.remediation.classify#filter) made of it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Record a triage
  healtharchive.remediation.incident:
    incident: 2026-11-23-api-down
    events: "{{ [triage_done.evidence | healtharchive.remediation.triage_event(triage_done.result)] }}"
"""

RETURN = r"""
_value:
  description: The event.
  type: dict
"""

from typing import Any, Callable, Dict

from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import event


def triage_event(evidence: Any, result: Any) -> Any:
    """The event; what the host said in it is not evaluated."""
    return wrap_var(event.triage_run(evidence, result))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"triage_event": triage_event}
