#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: change_summary
short_description: Print a plan, or what became of a change
version_added: 0.1.0
description:
  - Prints a plan as a change request with its four fields (objective, exact commands, expected impact, rollback), and the one
    command that approves it; or how a change ended, and what to type next.
  - Fails, with one line that points to what was printed, when something was refused, failed, or is not known. A plan is no
    failure.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  result:
    description: What a changing module returned, or the result of the task that failed.
    type: dict
    required: true
  what:
    description: The change in a few words.
    type: str
    required: true
  playbook:
    description:
      - The playbook of this collection that goes on, without the collection's name.
      - Where the role P(healtharchive.remediation.respond#role) has chosen the change, its playbook C(respond) goes on instead.
    type: str
    required: true
  repeat:
    description:
      - Names of extra variables that the next command needs again, as they were typed.
      - RV(ignore:incident), C(operator), C(required_commit), C(no_repo_change_reason) and C(budget_override_reason) are always
        among them.
    type: list
    elements: str
    default: []
  output_directory:
    description:
      - A directory of the controller, that of the incidents' notes. A plan that is printed is kept there, below the host's name
        in C(plans). When another plan is refused in its name, the two are compared, and what differs is printed.
      - Nothing is decided by what is kept. In check mode nothing is.
    type: str
extends_documentation_fragment:
  - healtharchive.remediation.summary
seealso:
  - module: healtharchive.remediation.job
"""

EXAMPLES = r"""
- name: Print the plan
  healtharchive.remediation.change_summary:
    result: "{{ recover_failed_jobs_planned }}"
    what: Retry of a job
    playbook: recover_failed_jobs
    repeat: [job_id]
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
  sample: planned
code:
  description: Why, where it was neither planned, applied nor found done.
  returned: always
  type: str
"""
