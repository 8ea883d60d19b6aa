#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stalled_crawl
short_description: Recover a crawl of a HealthArchive host that stands still
version_added: 0.1.0
description:
  - For a crawl that lives and holds its lock, while its counter has not moved for an hour. It is stopped, its job is made
    C(retryable) with the service's own command, and what runs jobs is started again. All of it is one act with one plan.
  - What has to be stopped is told by who holds the job's lock. That is the worker, or a transient unit of the job's own; then the
    worker goes on. A crawl that a person's session runs is left to that person (RV(code=holder_not_stoppable)).
  - Before the worker is stopped, a transient timer of the host's systemd is armed that starts it again after O(resume_after)
    seconds, whatever becomes of the controller, the link or this module. Once the worker is seen to stay up, the timer is gone.
  - The plan names every job that is interrupted with it, with how far it is and how often it was tried. While the locks are
    looked at for the last time the worker is frozen, so that no job can begin that the plan does not name.
  - Afterwards the rows are read again, and it is looked whether the worker takes the job up and whether its counter moves.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  jobs:
    description: Numbers of jobs. Others that stand still are left alone. By default all are meant that do.
    type: list
    elements: int
    default: []
  accept_interruption_of:
    description:
      - Numbers of jobs that get on and may be interrupted all the same. Without them, what would end their crawls is refused
        (RV(code=would_interrupt)).
    type: list
    elements: int
    default: []
  resume_after:
    description:
      - After how many seconds the worker starts by itself if this does not get to its end. From 20 to 43200.
      - A stop alone may take 90 seconds.
    type: int
    default: 600
  pickup_seconds:
    description:
      - How long to look, afterwards, whether the worker takes the job up. From 0 to 600. It looks for work every 30 seconds.
    type: int
    default: 45
  progress_seconds:
    description: How long to look whether the counter of a job moves that was taken up. From 0 to 600.
    type: int
    default: 90
notes:
  - An act that was cut off is gone on with when this is run again. The worker is started again then, and what was stopped is
    recovered.
  - It is done once a day for a job at most, for what stands still again needs a change of the service's repository.
seealso:
  - module: healtharchive.remediation.stale_jobs
  - module: healtharchive.remediation.worker
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what would be stopped, and what would be interrupted by it; nothing is changed
  healtharchive.remediation.stalled_crawl:
    incident: 2026-11-23-crawl-stalled
  become: true
  register: planned

- name: Do exactly that, and give up the crawl of job 8
  healtharchive.remediation.stalled_crawl:
    incident: 2026-11-23-crawl-stalled
    accept_interruption_of: [8]
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
    - What was found. After a recovery, which jobs changed, and whether the worker took them up or what keeps it from them.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description:
    - What the refusal rests on. Where the plan changed, the plan of now and its id.
    - After a recovery, C(claimed) (the jobs that the command named), C(changed_beside) (other jobs that changed) and C(pickup),
      which has C(taken_up), C(code) and C(why_not), and C(worker_journal); and C(progress) of what was taken up.
  returned: failure, and after a recovery
  type: dict
  sample:
    claimed: [12]
    changed_beside: []
    pickup:
      taken_up: {job 12: "running, began 2026-11-23T15:44:08Z"}
      code: null
      why_not: null
      worker_journal: ["Picked job 12 (phac-20260101)"]
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-23-crawl-stalled
head:
  description: The commit of the service's checkout.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about. C(remarks) are for people, with age, progress, lock and retries
      of each job.
  returned: when something is to be done, or was
  type: dict
  sample:
    action: stalled-crawl
    objective: Stop job 6, which stands still, and have it crawled again.
    subjects: [job 6, job 8, unit healtharchive-worker.service]
    left_out: {job 9: "It is crawled, and made progress less than 3600 seconds ago."}
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
  sample: {job 12: {status: retryable, source: phac, started_at: "2026-11-23T10:44:08Z", retry_count: 0}}
left_out:
  description: Running jobs that are not touched, each with the reason.
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

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing, stalled_crawl


def main() -> None:
    changing.run_module(stalled_crawl.StalledCrawl, stalled_crawl.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
