#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_summary
short_description: Print whether a host is well again
version_added: 0.1.0
description:
  - Prints what failed, what could not be seen, what passed, whether it was recorded, and the one command to type next.
  - Fails when not every check passed, and when the result was to be recorded and was not.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  evidence:
    description: The evidence document.
    type: dict
    required: true
  result:
    description: What M(healtharchive.remediation.verify_host) made of it.
    type: dict
    required: true
  recorded:
    description:
      - What M(healtharchive.remediation.verify_host) returned under that name, failures included. Without it the summary says
        that nothing was recorded.
    type: dict
  incident:
    description: The id that was named; empty for none.
    type: str
    default: ""
extends_documentation_fragment:
  - healtharchive.remediation.summary
seealso:
  - module: healtharchive.remediation.verify_host
"""

EXAMPLES = r"""
- name: Print the summary
  healtharchive.remediation.verify_summary:
    evidence: "{{ verify_done.evidence }}"
    result: "{{ verify_done.result }}"
"""

RETURN = r"""
text:
  description: What was printed.
  returned: always
  type: str
"""
