#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Read which commit a HealthArchive host runs and what is not deployed
version_added: 0.1.0
description:
  - Reads the commit of the checkout, whether its declared dependencies are installed, since when the processes run,
    and the schema of the database.
  - Compares with C(main) of the remote as it is now. Commits that the checkout does not have are fetched into a
    temporary directory below C(/run); nothing in the checkout is written.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.host.reading
seealso:
  - module: healtharchive.remediation.triage_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Read what is deployed
  healtharchive.remediation.deployment_info:
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
      C(database) and C(deployment).
    - Every field is described in C(docs/evidence.md).
  returned: success
  type: dict
  sample:
    schema_version: 1
    probes:
      database: {status: unknown, seconds: 20.0, problems: [{code: timed_out, message: It was ended.}], data: null}
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

PROBES = ("database", "deployment")


def main() -> None:
    run_module(PROBES)


if __name__ == "__main__":
    main()
