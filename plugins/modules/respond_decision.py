#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: respond_decision
short_description: Say what is to be done about what triage found
version_added: 0.1.0
description:
  - Chooses for the classes that triage ranked the one recovery that comes next, a deploy, a person, or a verification, and prints
    that with its reason. Nothing is done.
  - What nothing here mends holds back what may follow from it. Storage and bad evidence hold back everything about crawls.
  - Fails when a plan was approved and there is nothing that it could be the plan of.
  - This is what the role P(healtharchive.remediation.respond#role) calls.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  evidence:
    description: The evidence document of a triage.
    type: dict
    required: true
  result:
    description: Its result.
    type: dict
    required: true
  answers_file:
    description: A YAML file of the controller with C(respond_answers); the role brings it.
    type: str
    required: true
  incident:
    description: The id of the incident.
    type: str
    required: true
  approve:
    description: What was approved, if something was.
    type: str
    default: ""
extends_documentation_fragment:
  - healtharchive.remediation.summary
seealso:
  - module: healtharchive.remediation.triage_host
  - module: healtharchive.remediation.change_summary
"""

EXAMPLES = r"""
- name: Say what is to be done
  healtharchive.remediation.respond_decision:
    evidence: "{{ triage_done.evidence }}"
    result: "{{ triage_done.result }}"
    answers_file: "{{ role_path }}/vars/answers.yml"
    incident: 2026-11-23-api-down
  register: respond_decided
"""

RETURN = r"""
do:
  description: A role of this collection, V(person), V(wait) or V(verify).
  returned: success
  type: str
  sample: deploy_pinned_ref
rule:
  description: The rule of triage that it answers; null when none did.
  returned: success
  type: str
  sample: dependency_missing
commit:
  description: What is to be deployed, where that is what is to be done.
  returned: success
  type: str
jobs:
  description: The jobs that a recovery is told to look at; empty for all.
  returned: success
  type: list
  elements: int
  sample: []
persons:
  description: What else was found and needs a person, each with C(rule), C(summary) and C(why).
  returned: success
  type: list
  elements: dict
  sample: []
waiting:
  description: What else was found and may wait, in the same way.
  returned: success
  type: list
  elements: dict
  sample: []
text:
  description: What was printed.
  returned: always
  type: str
"""
