#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: triage_host
short_description: Triage a HealthArchive host
version_added: 0.1.0
description:
  - Gathers the evidence of a host as M(healtharchive.remediation.triage_info) does, judges it by rules as
    P(healtharchive.remediation.classify#filter) does, and writes C(evidence.json), C(result.json), C(triage.md) and
    C(triage.html) on the controller into O(output_directory)/HOST/STAMP/, where HOST is the name in the inventory and STAMP
    the moment of the evidence in UTC.
  - While the host answers, the controller asks the public addresses and gets the rules ready.
  - With pipelining and a named C(ansible_python_interpreter) nothing is written on the host, not even to run this. Otherwise
    Ansible unpacks M(healtharchive.remediation.triage_info) there in its own way.
  - Each file is there whole or not at all, with mode 0600; the directories it makes have mode 0700. Everything from the host
    is text in them.
  - This is what the role P(healtharchive.remediation.triage#role) calls.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  outside_view:
    description:
      - Whether the controller also asks O(public_api_base) and O(public_frontend_base), for at most 10 seconds, as
        M(healtharchive.remediation.outside_view_info) does.
    type: bool
    default: true
  public_ca_file:
    description:
      - A PEM file on the controller with certificate authorities to trust for O(outside_view), besides those of the system.
    type: path
  evidence_file:
    description:
      - Evidence of an earlier triage, on the controller. It is judged again, and no host is asked. HOST is then the name that
        the evidence gives its host.
    type: str
  rules_file:
    description: A YAML file of the controller whose C(triage_rules) are the rules; the role brings it.
    type: str
    required: true
  facts_file:
    description:
      - A YAML file of the controller with C(triage_required_facts), without which nothing is not "nothing found", and
        C(triage_bad_evidence), which makes evidence worthless; the role brings it.
    type: str
    required: true
  extra_rules:
    description: Rules of the site. One with the C(id) of another takes its place.
    type: list
    elements: dict
    default: []
  output_directory:
    description: A directory of the controller; a relative one is taken from where Ansible was started.
    type: str
    default: triage
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.host.reading
seealso:
  - module: healtharchive.remediation.triage_info
  - module: healtharchive.remediation.triage_summary
"""

EXAMPLES = r"""
- name: Triage
  healtharchive.remediation.triage_host:
    rules_file: "{{ role_path }}/vars/rules.yml"
    facts_file: "{{ role_path }}/vars/facts.yml"
  become: true
  register: triage_done
"""

RETURN = r"""
evidence:
  description: The evidence document, with what the public addresses answered as its probe C(outside_view).
  returned: success
  type: dict
result:
  description: What the rules make of it.
  returned: success
  type: dict
text:
  description: The summary for a terminal.
  returned: success
  type: str
directory:
  description: The directory with the files, absolute; null in check mode.
  returned: success
  type: str
outside_view:
  description: What the public addresses answered, also when the host gave no evidence.
  returned: with O(outside_view)
  type: dict
reached:
  description: Whether the host was reached.
  returned: when it was not
  type: bool
  sample: false
code:
  description: Why there is no triage, a stable word.
  returned: when it was refused
  type: str
  sample: checkout_missing
"""
