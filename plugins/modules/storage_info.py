#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_info
short_description: Look at the storage box, the hot paths and the disk of a HealthArchive host
version_added: 0.1.0
description:
  - Looks at the base mount, at every path of the tiering manifest and at every mount below the archive root.
  - Each path is looked at by a process of its own, which is ended when it hangs. Whether something is mounted is read from the kernel's table.
extends_documentation_fragment:
  - healtharchive.remediation.host
seealso:
  - module: healtharchive.remediation.triage_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Look at the storage
  healtharchive.remediation.storage_info:
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
  description: The evidence document, with the probes C(storage). Every field is described in C(docs/evidence.md).
  returned: success
  type: dict
  contains:
    schema_version:
      description: Version of the form of this document.
      type: int
      sample: 1
    collected_at:
      description: When it was collected, by the host's clock, UTC.
      type: str
      sample: "2026-11-23T17:50:00Z"
    duration_seconds:
      description: How long that took, in seconds.
      type: float
      sample: 3.2
    deadline_seconds:
      description: The deadline that held, in seconds.
      type: int
      sample: 60
    host:
      description: Host name, boot id and seconds since boot.
      type: dict
      sample: {hostname: archive, boot_id: 4ff6a0d2-3c0e-4a53-8a5c-2b3e0f0f7c11, uptime_seconds: 86400.5}
    settings:
      description: Where the service was looked for.
      type: dict
      sample: {checkout: /opt/healtharchive, service_user: haadmin}
    probes:
      description: For each probe its C(status) (V(ok), V(partial) or V(unknown)), its C(seconds), its C(problems) with C(code) and C(message), and its C(data), which is null when nothing is known.
      type: dict
      sample: {storage: {status: unknown, seconds: 20.0, problems: [{code: timed_out, message: It gave no answer within 20 s and was ended.}], data: null}}
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

PROBES = ("storage",)


def main() -> None:
    run_module(PROBES)


if __name__ == "__main__":
    main()
