#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: triage_info
short_description: Gather all evidence of a HealthArchive host at once
version_added: 0.1.0
description:
  - Runs every probe of the collection at once, each with a deadline of its own and all under O(deadline).
  - A probe that fails or hangs costs itself only.
  - This is what the role P(healtharchive.remediation.triage#role) calls. To classify the evidence, use
    P(healtharchive.remediation.classify#filter).
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.host.reading
seealso:
  - module: healtharchive.remediation.job_info
  - module: healtharchive.remediation.public_surface_info
  - module: healtharchive.remediation.baseline_drift_info
  - module: healtharchive.remediation.unit_info
  - module: healtharchive.remediation.storage_info
  - module: healtharchive.remediation.deployment_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Gather everything
  healtharchive.remediation.triage_info:
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
  description: The evidence document. Every field is described in C(docs/evidence.md).
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
      description:
        - For each of the probes C(environment), C(database), C(api), C(public_surface), C(units), C(journal),
          C(jobs),
          C(baseline_drift), C(storage), C(deployment), C(watchdogs), C(replay) and C(record)
          its C(status) (V(ok), V(partial) or V(unknown)), its C(seconds), its C(problems) with C(code) and C(message),
          and its C(data), which is null when nothing is known.
      type: dict
      sample:
        jobs: {status: unknown, seconds: 20.0, problems: [{code: timed_out, message: It was ended.}], data: null}
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

PROBES = (
    "environment",
    "database",
    "api",
    "public_surface",
    "units",
    "journal",
    "jobs",
    "baseline_drift",
    "storage",
    "deployment",
    "watchdogs",
    "replay",
    "record",
)


def main() -> None:
    run_module(PROBES)


if __name__ == "__main__":
    main()
