#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: unit_info
short_description: Read the systemd units of a HealthArchive host and what their journals say
version_added: 0.1.0
description:
  - Reads state, restarts and start times of the service's units, and the last 200 journal lines of the API and the
    worker.
  - Known faults in the journal are named by a code, with how often and how long ago they were seen. An old line is
    not a present fault.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.host.reading
seealso:
  - module: healtharchive.remediation.triage_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Read the units and journals
  healtharchive.remediation.unit_info:
  become: true
  register: result

- name: Show what is not known, and why
  ansible.builtin.debug:
    msg: "{{ item.key }}: {{ item.value.problems | map(attribute='message') | join(' ') }}"
  loop: "{{ result.evidence.probes | ansible.builtin.dict2items }}"
  when: item.value.status != 'ok'
"""

RETURN = r"""
evidence:
  description:
    - The evidence document, as M(healtharchive.remediation.triage_info) returns it, with the probes
      C(units) and C(journal).
    - Every field is described in C(docs/evidence.md).
  returned: success
  type: dict
  sample:
    schema_version: 1
    probes:
      units: {status: unknown, seconds: 20.0, problems: [{code: timed_out, message: It was ended.}], data: null}
code:
  description: Why the input was refused, a stable word.
  returned: failure
  type: str
  sample: checkout_missing
next_step:
  description: What to do about it.
  returned: failure
  type: str
  sample: Set healtharchive_checkout for this host in the inventory, or check that this is the right host.
"""

from ansible_collections.healtharchive.remediation.plugins.module_utils.information import run_module

PROBES = ("units", "journal")


def main() -> None:
    run_module(PROBES)


if __name__ == "__main__":
    main()
