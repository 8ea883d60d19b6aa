#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service
short_description: Bring back the API, the worker and PostgreSQL of a HealthArchive host where a start is the answer
version_added: 0.1.0
description:
  - Looks at the units, their journals, the database, the API, the deployment and the storage, and plans to start what is dead
    without a cause that outlives a start, in the order PostgreSQL, API, worker. What stopped with PostgreSQL comes back with it,
    for starting PostgreSQL does not bring back the worker.
  - Everything else is refused with what mends it. A missing dependency and a pending migration are answered with the deploy
    (C(deploy_is_the_fix)), something that the deployed code lacks with C(needs_commit), a crawler option that is not known with
    C(needs_repo_change), wrong credentials with C(credentials_refused), a full disk with C(disk_full).
  - A worker that somebody stopped is named and left alone, unless O(start_worker). systemd's own messages tell it from one that
    went down with PostgreSQL.
  - A running unit is restarted for one reason only, namely that it has the environment of before the environment file was
    changed, which the database refuses.
  - Afterwards the units must hold for 8 seconds, and the API and the service's own command must reach the database. What dies
    again is C(failed) and is not tried again.
options:
  start_worker:
    description:
      - Whether a worker that was stopped on purpose, or of which nobody knows why it is down, is started as well.
    type: bool
    default: false
  accept_interruption_of:
    description:
      - Numbers of running jobs that a restart of the worker may interrupt. It is refused as long as others run.
    type: list
    elements: int
    default: []
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
notes:
  - Its budget is one start or restart of a unit in two hours, and three acts on a host in that time.
seealso:
  - module: healtharchive.remediation.unit_info
  - module: healtharchive.remediation.change_summary
author:
  - HealthArchive maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Plan
  healtharchive.remediation.service:
    incident: 2026-11-23-api-down
  become: true
  register: service_planned

- name: Do what was approved
  healtharchive.remediation.service:
    incident: 2026-11-23-api-down
    approve: 0a1b2c3d4e5f
    clearance: "{{ clearance_token }}"
  become: true
"""

RETURN = r"""
outcome:
  description: V(planned), V(applied), V(nothing_to_do), V(refused), V(failed) or V(unknown).
  returned: always
  type: str
  sample: planned
plan:
  description: The plan, with C(objective), C(commands), C(subjects), C(before), C(after), C(expected_impact), C(rollback),
    C(left_out) and C(remarks).
  returned: when there is one
  type: dict
  sample:
    objective: Start postgresql.service; start healtharchive-worker.service.
    commands: [[/usr/bin/systemctl, start, postgresql.service], [/usr/bin/systemctl, start, healtharchive-worker.service]]
    subjects: [unit postgresql.service, unit healtharchive-worker.service]
plan_id:
  description: The id by which the plan is approved.
  returned: when there is a plan
  type: str
  sample: 0a1b2c3d4e5f
detail:
  description: What was seen, or why nothing was done.
  returned: when the outcome is not V(planned)
  type: str
  sample: healtharchive-api.service is active for 8 s. /api/health answers 200. check-db reaches PostgreSQL.
states:
  description: The state of each unit afterwards.
  returned: when it acted
  type: dict
  sample: {unit healtharchive-api.service: {state: active, result: success}}
code:
  description: Why, a stable word. C(docs/recoveries.md) has them all.
  returned: when it was refused, failed, or is not known
  type: str
  sample: deploy_is_the_fix
next_step:
  description: The next safe thing to do.
  returned: when it was refused, failed, or is not known
  type: str
evidence:
  description: What was found, by which it was decided.
  returned: when it was refused, failed, or is not known
  type: dict
  sample: {unit: healtharchive-api.service, missing_dependencies: ["slowapi>=0.1.9,<0.2"]}
"""

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing
from ansible_collections.healtharchive.remediation.plugins.module_utils.services import action


def main() -> None:
    changing.run_module(action.Services, action.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
