#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_info
short_description: Read the incidents of a HealthArchive host and check that their record is whole
version_added: 0.1.0
description:
  - Reads the audit log C(remediation/audit.jsonl) in O(ops_directory) from its first line to its last, and says whether
    every line is as it was written and continues the one before, or else which line is the first that is not.
  - A line that was cut short by a power cut or a killed writer is named, and is no break.
  - Lines that were taken off the end leave no trace in the log itself. Compare RV(record.head_digest) with one that was
    kept elsewhere.
extends_documentation_fragment:
  - healtharchive.remediation.host
options:
  incident:
    description: The id of one incident, to see it alone and with its events. Without it, all incidents are returned.
    type: str
attributes:
  check_mode:
    description: Can run in check mode and return what it would return without it.
    support: full
  diff_mode:
    description: Returns what a change would look like.
    support: none
    details: [Nothing is changed.]
notes:
  - Needs root on the host (C(become=true)).
  - Reads only, and creates nothing. The log's lock is held for the moment that it takes to ask for its size.
seealso:
  - module: healtharchive.remediation.incident
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Read the record
  healtharchive.remediation.incident_info:
  become: true
  register: result

- name: See that it is whole
  ansible.builtin.assert:
    that: result.record.verified is true
    fail_msg: "Line {{ result.record.first_broken_line }}: {{ result.record.problems[0].message }}"
"""

RETURN = r"""
incidents:
  description:
    - The incidents in the order in which they were opened, each as the module M(healtharchive.remediation.incident)
      returns it.
  returned: success
  type: list
  elements: dict
  sample:
    - {id: 2026-11-23-api-down, title: API down, severity: sev1, state: open}
events:
  description: The events of the incident that was asked for, in the order of the log; empty when all are returned.
  returned: success
  type: list
  elements: dict
  sample: []
unfinished_actions:
  description:
    - Actions that were begun and whose end is not recorded, each with C(action_id), C(incident), C(action), C(begun_at)
      and C(subjects).
  returned: success
  type: list
  elements: dict
  sample:
    - action_id: deploy-7
      incident: 2026-11-23-api-down
      action: deploy
      begun_at: "2026-11-23T17:50:00Z"
      subjects: [healtharchive-api.service]
record:
  description: The log itself.
  returned: success
  type: dict
  contains:
    path:
      description: Where it is.
      type: str
      sample: /srv/healtharchive/ops/remediation/audit.jsonl
    size_bytes:
      description: Its size; 0 when there is none yet.
      type: int
      sample: 5120
    verified:
      description: Whether every line is as it was written and continues the one before.
      type: bool
      sample: true
    lines:
      description: How many lines were read.
      type: int
      sample: 12
    first_broken_line:
      description: The number of the first line that is not, from 1; null when there is none.
      type: int
    broken_lines:
      description: How many are not.
      type: int
      sample: 0
    problems:
      description: The first 20 of them, each with C(line) and C(message).
      type: list
      elements: dict
      sample: []
    torn_lines:
      description: The numbers of lines that were cut short.
      type: list
      elements: int
      sample: []
    torn_end:
      description: Whether the last line is one, so that what it was to say may be lost. The next event continues it.
      type: bool
      sample: false
    head_digest:
      description: SHA-256 of the log's end.
      type: str
      sample: 353b0ed4b2c21da72091a27458fcb0394d3f89e6aa5f8b42e22feca3cf3ea7c8
code:
  description: Why the input was refused, a stable word.
  returned: failure
  type: str
  sample: ops_directory_missing
next_step:
  description: What to do about it.
  returned: failure
  type: str
  sample: Set healtharchive_ops_directory for this host in the inventory, or check that this is the right host.
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.healtharchive.remediation.plugins.module_utils import record
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput


def main() -> None:
    module = AnsibleModule(argument_spec=record.INFO_ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = record.look(module.params)
    except BadInput as error:
        module.fail_json(msg="%s %s" % (error, error.next_step), code=error.code, next_step=error.next_step)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
