#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_record
short_description: Record on the host what the operator said
version_added: 0.1.0
description:
  - Runs M(healtharchive.remediation.incident) on the host. Texts that were given with C(-e) reach it as they were typed; no
    C({{ }}) in them is evaluated, on any ansible-core. For that they are named in O(said) and nowhere else.
  - A host that is not reached has recorded nothing. With O(scratchpad_directory) it is then written down on the controller,
    and M(healtharchive.remediation.incident_join) brings it into the record later. When the link breaks while the host
    records, this fails and says so.
  - The extra variable C(remark), if it is given, becomes a line of the timeline.
extends_documentation_fragment:
  - healtharchive.remediation.host
options:
  wish:
    description:
      - Options of M(healtharchive.remediation.incident), evaluated as everywhere in Ansible.
      - Of its C(events) only the kinds V(remark) and V(action_finished) are taken. What was seen of the host is not for a
        variable to say.
    type: dict
    default: {}
  events:
    description: More events, of any kind that M(healtharchive.remediation.incident) takes, from the task itself.
    type: list
    elements: dict
    default: []
  said:
    description: For each option of M(healtharchive.remediation.incident) the name of the extra variable that holds its text.
    type: dict
    default: {}
  keep_state:
    description: Whether the incident keeps the state that it has, also when it has ended.
    type: bool
    default: false
  renamed:
    description: What M(healtharchive.remediation.incident_join) returned under that name.
    type: dict
    default: {}
  triage_directory:
    description:
      - Where M(healtharchive.remediation.triage_host) wrote on the controller. The newest triage of this host there, if it is
        at most six hours old, gives the severity of an incident that is opened without one, and becomes a part of its record.
      - The extra variable C(triage) names another C(result.json) or its directory.
    type: str
  scratchpad_directory:
    description: Where to write down what happened when the host cannot be reached. Without it the task fails then.
    type: str
attributes:
  check_mode:
    description: Says what would change.
    support: full
  diff_mode:
    description: Returns the host's note before and after.
    support: full
notes:
  - Needs root on the host (C(become=true)).
seealso:
  - module: healtharchive.remediation.incident
  - module: healtharchive.remediation.incident_join
author:
  - HealthArchive maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Open an incident with what was said on the command line
  healtharchive.remediation.incident_record:
    said: {title: title, severity: severity}
    triage_directory: triage
    scratchpad_directory: incidents
  become: true
  register: recorded
"""

RETURN = r"""
reached:
  description: Whether the host was reached. If not, RV(incident) and RV(events) are what was written down on the controller.
  returned: success
  type: bool
reason:
  description: Why it was not.
  returned: when the host was not reached
  type: str
severity_from:
  description: The file of the triage whose severity was taken; null if none was.
  returned: success
  type: str
incident:
  description: As M(healtharchive.remediation.incident) returns it, and so is all the rest.
  returned: success
  type: dict
events:
  description: All events of the incident.
  returned: success
  type: list
  elements: dict
code:
  description: Why it was refused, a stable word.
  returned: failure
  type: str
  sample: link_broke
"""
