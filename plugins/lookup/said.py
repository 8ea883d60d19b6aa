# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup that reads extra variables as they were typed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: said
short_description: Read an extra variable as it was typed
version_added: 0.1.0
author:
  - HealthArchive maintainers (@healtharchive)
description:
  - Returns what was given with C(-e), without evaluating anything in it. Ansible itself evaluates C({{ }}) in an extra variable
    as soon as it is named in a task.
  - A variable from anywhere else, for example the inventory, is not found.
  - What is no text, such as C(true) or a list, is returned as it is written in JSON, for whoever reads it to refuse.
options:
  _terms:
    description: Names of extra variables.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Look at an incident, if one was named
  healtharchive.remediation.incident_info:
    incident: "{{ lookup('healtharchive.remediation.said', 'incident') }}"
  when: lookup('healtharchive.remediation.said', 'incident') | length > 0
"""

RETURN = r"""
_raw:
  description: One text for each name, empty where nothing was said.
  type: list
  elements: str
"""

from typing import Any, Dict, List, Optional

from ansible.plugins.lookup import LookupBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.said import written


class LookupModule(LookupBase):
    """Reads the command line's variables, nothing else."""

    def run(self, terms: List[Any], variables: Optional[Dict[str, Any]] = None, **kwargs: Any) -> List[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        names = [str(term) for term in terms]
        found = written(self._loader, names)
        # ansible-core before 2.19 would evaluate it the next time that it passes by in a variable.
        return [wrap_var(found.get(name, "")) for name in names]
