#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_join
short_description: Bring what was written down on the controller into the host's record
version_added: 0.1.0
description:
  - What happened while the host could not be reached waits in C(.pending/) below O(output_directory). Every event that waits
    for this host is recorded there, in its order and marked as late; it is forgotten here when the host has confirmed it.
  - What can never join (the host refuses it for what it says, or the file is broken) is put aside beside it under another name,
    with a warning, so that it stands in the way of nothing else.
  - If nothing waits, the host is not asked. If it still cannot be reached, nothing is lost and this does not fail.
extends_documentation_fragment:
  - healtharchive.remediation.host
options:
  output_directory:
    description: The directory of the notes on the controller; a relative one is taken from where Ansible was started.
    type: str
    required: true
attributes:
  check_mode:
    description: Says what would be recorded.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
notes:
  - Needs root on the host (C(become=true)).
seealso:
  - module: healtharchive.remediation.incident_record
  - module: healtharchive.remediation.incident_scratchpad
author:
  - HealthArchive maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Bring in what was written down while the host could not be reached
  healtharchive.remediation.incident_join:
    output_directory: incidents
  become: true
  register: joined
"""

RETURN = r"""
reached:
  description: Whether the host was reached; null when it was not asked.
  returned: success
  type: bool
joined:
  description: For each incident its id as C(incident), its C(former_id) on the controller, and how many C(events).
  returned: always
  type: list
  elements: dict
  sample:
    - {incident: 2026-11-23-api-down, former_id: 2026-11-23-api-down, events: 2}
put_aside:
  description:
    - What can never join, each with C(incident), the C(path) where it is kept, C(code) and C(reason), C(next_step) and all of
      it in one C(sentence).
  returned: always
  type: list
  elements: dict
  sample: []
renamed:
  description: Ids on the controller that other incidents of the host had already, with the ids they have now.
  returned: always
  type: dict
  sample: {}
"""
