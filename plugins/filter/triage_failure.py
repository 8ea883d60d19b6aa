# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that says in one line why a host could not be triaged."""

from __future__ import annotations

DOCUMENTATION = r"""
name: triage_failure
short_description: Say in one line why a host could not be triaged
version_added: 0.1.0
author:
  - HealthArchive maintainers (@healtharchive)
description:
  - Takes what was registered of M(healtharchive.remediation.triage_info) when it failed or did not reach the host, and
    says what failed, why, and the next safe step.
options:
  _input:
    description: The registered result.
    type: dict
    required: true
  what:
    description: What was not done.
    type: str
    default: Triage was not done
  outside:
    description:
      - What the public addresses answered, the C(outside_view) of M(healtharchive.remediation.outside_view_info).
      - By default that of the registered result.
    type: dict
"""

EXAMPLES = r"""
- name: Say why
  healtharchive.remediation.triage_summary:
    failure: "{{ triage_gathered | healtharchive.remediation.triage_failure }}"
"""

RETURN = r"""
_value:
  description: One printable line.
  type: str
"""

from typing import Any, Callable, Dict

from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import failure


def triage_failure(registered: Any, outside: Any = None, what: str = "Triage was not done") -> Any:
    """One line; what the host or ssh said in it is not evaluated."""
    return wrap_var(failure.line(registered, outside, what))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"triage_failure": triage_failure}
