#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: triage_report
short_description: Write the files of a triage on the controller
version_added: 0.1.0
description:
  - Writes C(evidence.json), C(result.json), C(triage.md) and C(triage.html) into O(output_directory)/HOST/STAMP/ on the
    controller, where HOST is the name in the inventory and STAMP the moment of the evidence in UTC.
  - The last one is one file that reads no other, for a browser, a phone or paper. Everything from the host is text in it.
  - Runs on the controller only. Each file is there whole or not at all, with mode 0600; the directories it makes have
    mode 0700.
  - RV(ignore:changed) is always false, because it tells about the host.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  evidence:
    description: The evidence document of M(healtharchive.remediation.triage_info).
    type: dict
    required: true
  result:
    description: What P(healtharchive.remediation.classify#filter) made of it.
    type: dict
    required: true
  evidence_file:
    description:
      - Where the evidence was read from, if no host was asked. HOST is then the name that the evidence gives its host.
    type: str
  output_directory:
    description: A directory of the controller; a relative one is taken from where Ansible was started.
    type: str
    required: true
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: Writes nothing in check mode, and says so.
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
- name: Write the files
  healtharchive.remediation.triage_report:
    evidence: "{{ triage_evidence }}"
    result: "{{ triage_result }}"
    output_directory: triage
"""

RETURN = r"""
directory:
  description: The directory with the files, absolute; null in check mode.
  returned: success
  type: str
"""
