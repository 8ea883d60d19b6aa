# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that checks rules before a host is asked for evidence."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rule_problems
short_description: Check rules of triage
version_added: 0.1.0
author:
  - HealthArchive maintainers (@healtharchive)
description:
  - Says what is wrong with rules for P(healtharchive.remediation.classify#filter), so that a mistake in a site's own
    rule is found before a host is asked.
positional: required_facts, bad_evidence
options:
  _input:
    description: The rules.
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
- name: Check the rules
  ansible.builtin.assert:
    that:
      - triage_rules | healtharchive.remediation.rule_problems([], [], triage_extra_rules) == []
"""

RETURN = r"""
_value:
  description: One line that names the rule and the key; nothing when all can be used.
  type: list
  elements: str
"""

from typing import Any, Callable, Dict, List

from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import rules as triage_rules


def rule_problems(rules: Any, required_facts: Any, bad_evidence: Any, extra_rules: Any = ()) -> List[str]:
    """The first problem, or nothing."""
    try:
        triage_rules.knowledge(rules, required_facts, bad_evidence, extra_rules)
    except triage_rules.BadRule as error:
        return [str(error)]
    return []


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"rule_problems": rule_problems}
