#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_info
short_description: Read the jobs of a HealthArchive host that are not finished
version_added: 0.1.0
description:
  - Reads the jobs from the admin API where that answers, and from the CLI otherwise. The result says which, and
    what that source cannot show.
  - Says of every running job whether its lock is held, how old its log is, and whether the row is stale.
  - Uses neither C(show-job) nor a dry-run of C(recover-stale-jobs), since both write.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.host.reading
seealso:
  - module: healtharchive.remediation.triage_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Read the open jobs
  healtharchive.remediation.job_info:
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
      C(environment) and C(jobs).
    - Every field is described in C(docs/evidence.md).
  returned: success
  type: dict
  sample:
    schema_version: 1
    probes:
      environment: {status: unknown, seconds: 20.0, problems: [{code: timed_out, message: It was ended.}], data: null}
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

PROBES = ("environment", "jobs")


def main() -> None:
    run_module(PROBES)


if __name__ == "__main__":
    main()
