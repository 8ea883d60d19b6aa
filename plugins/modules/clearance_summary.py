#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: clearance_summary
short_description: Print what became of a clearance
version_added: 0.1.0
description:
  - Prints what was required of a host, what was found there, layer by layer, and what to run, from what
    M(healtharchive.remediation.clearance) returned.
  - Fails, with one line, when the clearance was refused.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  result:
    description: What M(healtharchive.remediation.clearance) returned, or the result of the task that failed.
    type: dict
    required: true
extends_documentation_fragment:
  - healtharchive.remediation.summary
seealso:
  - module: healtharchive.remediation.clearance
"""

EXAMPLES = r"""
- name: Say what became of it
  healtharchive.remediation.clearance_summary:
    result: "{{ precondition_granted }}"
"""

RETURN = r"""
text:
  description: What was printed. Of what fails, Ansible itself prints the whole result, and would print this once more.
  returned: when it does not fail
  type: str
outcome:
  description: The outcome that it told of.
  returned: always
  type: str
  sample: applied
code:
  description: Why it was refused; null when it was not.
  returned: always
  type: str
detail:
  description: What was found, in a line.
  returned: always
  type: str
next_step:
  description: What to do about a refusal; null when there is none.
  returned: always
  type: str
incident:
  description: The incident in whose name it was asked for.
  returned: always
  type: str
state:
  description: What was asked for.
  returned: always
  type: str
  sample: granted
"""
