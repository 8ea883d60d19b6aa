# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that classifies the evidence of one host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: classify
short_description: Say what is wrong with a HealthArchive host, from its evidence
version_added: 0.1.0
author:
  - HealthArchive maintainers (@healtharchive)
description:
  - Takes the evidence document that M(healtharchive.remediation.triage_info) returns and gives the classes of faults
    that it shows, ranked, each with what speaks for and against it and one next command.
  - A pure function. Nothing that comes from the host is evaluated; what was not seen is never taken for a good or a bad
    sign.
  - The guide is C(docs/triage.md) in the collection.
positional: rules, required_facts, bad_evidence
options:
  _input:
    description: The evidence document.
    type: dict
    required: true
  rules:
    description:
      - The rules. Those of the role P(healtharchive.remediation.triage#role) are C(triage_rules) in its file C(vars/rules.yml);
        the other two tables are in C(vars/facts.yml).
    type: list
    elements: dict
    required: true
  required_facts:
    description: The facts without which nothing is not "nothing found".
    type: list
    elements: dict
    required: true
  bad_evidence:
    description: What makes evidence worthless.
    type: list
    elements: dict
    required: true
  extra_rules:
    description: Rules of the site. One with the C(id) of another takes its place.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Read what the role knows
  ansible.builtin.include_vars:
    file: "roles/triage/vars/{{ item }}.yml"
  loop: [rules, facts]

- name: Classify what was gathered
  ansible.builtin.set_fact:
    triage_result: >-
      {{ triage_evidence
      | healtharchive.remediation.classify(triage_rules, triage_required_facts, triage_bad_evidence) }}
"""

RETURN = r"""
_value:
  description:
    - C(verdict) is V(found), V(nothing_found) or V(unknown); C(classes) is ranked, the first one is where to begin.
    - C(first_layer_warning) is a text when there are classes, C(undeployed) holds the C(count) and C(commits) of origin/main
      that the host does not have.
    - C(bad_evidence) says what makes the evidence worthless, C(not_seen) what the probes could not see, and
      C(not_established) which facts are missing for V(nothing_found).
  type: dict
"""

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import classification


def classify(evidence: Any, rules: Any, required_facts: Any, bad_evidence: Any, extra_rules: Any = ()) -> Any:
    """The classification; one clear line when the document or a rule cannot be used."""
    try:
        result = classification.classify(evidence, rules, required_facts, bad_evidence, extra_rules)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    # ansible-core before 2.19 would evaluate a text of the host the next time that it passes by in a variable.
    return wrap_var(result)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"classify": classify}
