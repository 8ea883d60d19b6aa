#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_summary
short_description: Print what became of an incident
version_added: 0.1.0
description:
  - Prints an incident, what is on record of it, where its note is, and the one command to type next.
  - Fails with one line when O(failure) is given, and when the incident is written down on the controller alone.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  recorded:
    description: What M(healtharchive.remediation.incident_record) returned.
    type: dict
  note:
    description: What M(healtharchive.remediation.incident_note) returned.
    type: dict
  joined:
    description: What M(healtharchive.remediation.incident_join) returned.
    type: dict
    default: {}
  branch:
    description: What M(healtharchive.remediation.incident_branch) returned.
    type: dict
  failure:
    description: The result of the task that failed.
    type: dict
  doing:
    description: What was not done, if O(failure) is given.
    type: str
    default: It was not done
extends_documentation_fragment:
  - healtharchive.remediation.summary
seealso:
  - module: healtharchive.remediation.incident_record
"""

EXAMPLES = r"""
- name: Print the summary
  healtharchive.remediation.incident_summary:
    recorded: "{{ incident_recorded }}"
    note: "{{ incident_noted }}"
"""

RETURN = r"""
text:
  description: What was printed.
  returned: always
  type: str
"""
