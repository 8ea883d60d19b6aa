#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stale_jobs
short_description: Recover stale jobs of a HealthArchive host
version_added: 0.1.0
description:
  - Makes jobs C(retryable) that are marked C(running) while nothing runs them, with the service's own command
    C(recover-stale-jobs).
  - The directories where job locks lie are compared first, by the account of the environment file as systemd and as a shell reads
    it, of the units, and of every program of the service that runs. If they are not one, no lock says anything and it is refused
    (RV(code=lock_directories_differ)).
  - The candidates are those of the command's own dry run. They must fit the rows of the admin API or, where that is down, of the
    service's table of jobs.
  - The command knows no numbers of jobs. While it runs, the locks of all other running jobs are held, by their crawls or by this
    module, which keeps it away from them. A job that cannot be kept out in this way is a reason to leave others of its source
    alone (RV(code=cannot_be_separated)).
  - Afterwards the rows are read again. If others than the planned jobs have changed, the outcome is V(unknown), with
    RV(code=changed_otherwise).
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  older_than_minutes:
    description:
      - A job must have been running for longer than that, by its row. From 5 to 100000.
      - The default is the runbook's. The worker itself heals such rows after 10 minutes.
    type: int
    default: 180
  no_progress_seconds:
    description:
      - For how long a job's log must have told of no progress. From 300 to 1000000.
      - A log that tells nothing counts as no progress.
      - The default is what the worker itself uses.
    type: int
    default: 300
  include_missing_started_at:
    description: Whether jobs are meant as well that are marked running and have no time of their start.
    type: bool
    default: true
  jobs:
    description: Numbers of jobs. Others are left alone. By default all are meant that are stale.
    type: list
    elements: int
    default: []
  pickup_seconds:
    description:
      - How long to look, afterwards, whether the worker takes the jobs up. From 0 to 600. It looks for work every 30 seconds.
      - It is not waited for where something keeps the worker from them, which the answer then says.
    type: int
    default: 45
notes:
  - A plan leaves nothing behind. The command's dry run makes lock files, so for a plan it is given a lock directory of its own,
    which is removed afterwards. Locks are looked at without creating anything.
  - Jobs without a source are left alone, for the worker would not take them up.
seealso:
  - module: healtharchive.remediation.job_info
  - module: healtharchive.remediation.stalled_crawl
  - module: healtharchive.remediation.change_summary
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See which jobs would be recovered; nothing is changed
  healtharchive.remediation.stale_jobs:
    incident: 2026-11-23-jobs-stuck
  become: true
  register: planned

- name: Recover exactly these, with the clearance that the role precondition was granted
  healtharchive.remediation.stale_jobs:
    incident: 2026-11-23-jobs-stuck
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
  sample: lock_directories_differ
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
      which has C(taken_up), C(code) and C(why_not), and C(worker_journal).
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
  sample: 2026-11-23-jobs-stuck
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
    action: stale-jobs
    objective: Make 1 job retryable that is marked running while nothing runs it.
    subjects: [job 12]
    left_out: {job 13: "Its lock is held: something runs it."}
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

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing, stale_jobs


def main() -> None:
    changing.run_module(stale_jobs.StaleJobs, stale_jobs.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
