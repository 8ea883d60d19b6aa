#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: triage_summary
short_description: Print what triage has to say on the terminal
version_added: 0.1.0
description:
  - Prints summaries of M(healtharchive.remediation.triage_host) as they are, or one line that says why there is none.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  texts:
    description:
      - Summaries, printed one after the other with nothing in between.
      - Excludes O(failure); one of the two is needed.
    type: list
    elements: str
  failure:
    description: Why there is no triage; printed as one line after the host's name, and the task fails with it.
    type: str
extends_documentation_fragment:
  - healtharchive.remediation.summary
seealso:
  - module: healtharchive.remediation.triage_host
"""

EXAMPLES = r"""
- name: Print the summary
  healtharchive.remediation.triage_summary:
    texts: ["{{ triage_done.text }}"]
"""

RETURN = r"""#"""
