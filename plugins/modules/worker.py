#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: worker
short_description: Pause or resume the worker of a HealthArchive host
version_added: 0.1.0
description:
  - Stops the worker for a while, or ends that. Before it is stopped, a transient timer of the host's systemd is armed that starts
    it again after O(resume_after) seconds, whatever becomes of the controller, the link or this module.
  - The plan names every job that the stop would interrupt, with how far it is and how often it was tried. Which these are is told
    by who holds the jobs' locks, so jobs without a source and those whose row says otherwise count too. Jobs that run in a unit
    of their own go on.
  - While the locks are looked at for the last time the worker is frozen, so that no job can begin that the plan does not name.
  - A worker that was not stopped by a pause stays stopped.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  state:
    description:
      - V(paused) stops it and arms the timer.
      - V(resumed) starts it, sees that it stays up, and takes the timer away. Of a worker that no pause of this collection has
        stopped, it changes nothing.
    type: str
    choices: [paused, resumed]
    required: true
  resume_after:
    description:
      - After how many seconds a paused worker starts by itself. From 20 to 43200. A stop alone may take 90 seconds.
    type: int
    default: 1800
  accept_interruption_of:
    description:
      - Numbers of jobs that may be interrupted. Without them, a pause that would end the crawl of a job is refused
        (RV(code=would_interrupt)), unless that crawl stands still.
    type: list
    elements: int
    default: []
notes:
  - A reboot ends a pause, for it starts the worker.
  - Which of two pauses it is that is resumed, a record below C(/run/healtharchive-remediation) says.
seealso:
  - module: healtharchive.remediation.stalled_crawl
  - module: healtharchive.remediation.unit_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what a pause would interrupt; nothing is changed
  healtharchive.remediation.worker:
    incident: 2026-11-23-stale-mount
    state: paused
  become: true
  register: planned

- name: Pause it for at most a quarter of an hour
  healtharchive.remediation.worker:
    incident: 2026-11-23-stale-mount
    state: paused
    resume_after: 900
    approve: "{{ planned.plan_id }}"
    clearance: "{{ cleared.token }}"
  become: true
"""

RETURN = r"""
outcome:
  description:
    - V(planned), V(applied) or V(nothing_to_do); where the module fails, V(refused) (nothing was changed), V(failed) or
      V(unknown).
  returned: always
  type: str
  sample: planned
code:
  description: Why it was refused, failed or is not known, a stable word. C(docs/recoveries.md) lists them.
  returned: failure
  type: str
  sample: would_interrupt
detail:
  description:
    - What was found; after a change, whether the worker runs and whether the timer is armed.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description: What the refusal rests on, such as the C(jobs) that would be interrupted. Where the plan changed, the plan of now.
  returned: failure
  type: dict
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-23-stale-mount
head:
  description: The commit of the service's checkout.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about. C(remarks) are for people, with progress and retries of each job.
  returned: when something is to be done, or was
  type: dict
  sample:
    action: worker
    objective: Pause the worker for at most 900 s.
    subjects: [unit healtharchive-worker.service]
plan_id:
  description: The id by which this plan is approved on this host, in this incident, at this commit.
  returned: when something is to be done, or was
  type: str
  sample: 3f9c0a51d2be
action_id:
  description: Under which the record has its beginning and its end.
  returned: when something was begun
  type: str
states:
  description: What was seen of each subject afterwards.
  returned: when something was begun
  type: dict
  sample: {unit healtharchive-worker.service: {state: paused}}
left_out:
  description: Jobs that are not touched, each with the reason.
  returned: when there is nothing to do
  type: dict
unfinished_actions:
  description: What is on record as begun and not as ended.
  returned: without O(approve)
  type: list
  elements: dict
settled:
  description: What of it was of this kind, and is on record as ended now, with what was seen.
  returned: with O(approve)
  type: list
  elements: dict
"""

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing, worker


def main() -> None:
    changing.run_module(worker.Worker, worker.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
