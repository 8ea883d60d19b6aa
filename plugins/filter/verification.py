# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that judges whether a host is well again."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verification
short_description: Say whether a host is well again
version_added: 0.1.0
author:
  - HealthArchive maintainers (@healtharchive)
description:
  - Judges the evidence of M(healtharchive.remediation.triage_info) by checks that are data, with three answers. What was not
    seen is C(unknown), and unknown is no pass.
  - It looks at the evidence alone, and changes nothing.
positional: checks, known_jobs
options:
  _input:
    description: The evidence document.
    type: dict
    required: true
  checks:
    description: The checks, as in C(roles/verify/vars/main.yml).
    type: list
    elements: dict
    required: true
  known_jobs:
    description: Numbers of failed jobs that are known and no part of this.
    type: list
    elements: int
    default: []
"""

EXAMPLES = r"""
- name: Judge
  ansible.builtin.set_fact:
    verify_result: "{{ gathered.evidence | healtharchive.remediation.verification(verify_checks) }}"
"""

RETURN = r"""
_value:
  description:
    - C(passed) is true when every check passed, false when one failed, null when none failed but not everything was seen.
    - C(checks) holds C(check), C(result) and C(detail) of each, C(next) what to look at first, C(verification_id) and C(at)
      name this verification, and C(event) is what M(healtharchive.remediation.incident) records of it.
  type: dict
"""

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import verification as judgement


def verification(evidence: Any, checks: Any, known_jobs: Any = ()) -> Any:
    """The verification; one clear line when the document or a check cannot be used."""
    try:
        result = judgement.judge(evidence, judgement.checks(checks), [int(number) for number in known_jobs])
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError("verification: %s" % error) from error
    result["event"] = {
        "kind": "verified",
        "at": result["at"],
        "data": {name: result[name] for name in ("verification_id", "passed", "checks")},
    }
    # ansible-core before 2.19 would evaluate a text of the host the next time that it passes by in a variable.
    return wrap_var(result)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"verification": verification}
