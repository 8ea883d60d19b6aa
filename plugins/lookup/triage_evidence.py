# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup that reads the evidence of an earlier triage."""

from __future__ import annotations

DOCUMENTATION = r"""
name: triage_evidence
short_description: Read the evidence of an earlier triage
version_added: 0.1.0
author:
  - HealthArchive maintainers (@healtharchive)
description:
  - Reads files of the controller that hold evidence documents, as P(healtharchive.remediation.triage#role) writes them, so
    that they can be classified again with no host at hand.
  - Nothing in a file is evaluated.
options:
  _terms:
    description: Files; a relative one is taken from where Ansible was started.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Classify again
  ansible.builtin.set_fact:
    triage_result: >-
      {{ lookup('healtharchive.remediation.triage_evidence', 'evidence.json').evidence
      | healtharchive.remediation.classify(triage_rules, triage_required_facts, triage_bad_evidence) }}
"""

RETURN = r"""
_raw:
  description: One for each file. Either C(evidence) holds the document, or C(problem) says in one line why there is none.
  type: list
  elements: dict
"""

from typing import Any, Dict, List, Optional

from ansible.plugins.lookup import LookupBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import evidence_file


class LookupModule(LookupBase):
    """Reads, and never fails: a problem is an answer, so that the one who asked can say it in a line of its own."""

    def run(self, terms: List[Any], variables: Optional[Dict[str, Any]] = None, **kwargs: Any) -> List[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        # ansible-core before 2.19 would evaluate a text of the file the next time that it passes by in a variable.
        return [wrap_var(_read(str(term))) for term in terms]


def _read(path: str) -> Dict[str, Any]:
    try:
        return {"evidence": evidence_file.read(path), "problem": None}
    except evidence_file.BadFile as error:
        return {"evidence": None, "problem": str(error)}
