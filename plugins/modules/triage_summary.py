#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: triage_summary
short_description: Print the summary of a triage on the terminal
version_added: 0.1.0
description:
  - Prints what is wrong with a host, how sure that is, what speaks for and against it, what could not be seen, and the
    one command to type next.
  - Runs on the controller only and prints by itself, because every result format of Ansible would quote and escape the
    lines.
  - Whatever the host said is made printable; nothing of it is evaluated.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  evidence:
    description: The evidence document of M(healtharchive.remediation.triage_info).
    type: dict
  result:
    description:
      - What P(healtharchive.remediation.classify#filter) made of it.
      - Needs O(evidence).
    type: dict
  evidence_file:
    description:
      - Where the evidence was read from, if no host was asked. The summary says so, and names the host that the evidence
        names.
    type: str
  directory:
    description:
      - Where M(healtharchive.remediation.triage_report) wrote the files; without it the summary says that none were.
    type: str
  incident:
    description: The id of the incident that the triage was recorded in.
    type: str
  failure:
    description:
      - Why there is no evidence; printed as one line instead of a summary, and the task fails with it.
      - Excludes O(result); one of the two is needed.
    type: str
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: Runs in check mode, as it only prints.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  platform:
    description: Runs on the controller.
    platforms: all
seealso:
  - module: healtharchive.remediation.triage_info
"""

EXAMPLES = r"""
- name: Print the summary
  healtharchive.remediation.triage_summary:
    evidence: "{{ triage_evidence }}"
    result: "{{ triage_result }}"
"""

RETURN = r"""
text:
  description: What was printed.
  returned: always
  type: str
"""
