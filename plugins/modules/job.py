#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Have one crawl job of a HealthArchive host tried again
version_added: 0.1.0
description:
  - Retries one job that failed, gives it its attempts back, or both. What it is now and what became of it is read from the admin
    API or, where that is down, from the service's table of jobs.
  - What the service's commands answer is not believed. C(retry-job) ends with 0 when it changed nothing, and
    C(reset-retry-count) ends with 1 when the count is 0 already.
  - A job is retried once for each deployed commit. When it fails again in the same way it is parked, and a further retry is
    refused (RV(code=parked)) until another commit is deployed.
  - A crawl that could only fail again is refused. RV(code=storage_first) is told of an output directory that the service cannot
    write, RV(code=needs_repo_change) of options that the crawler rejected, as long as nothing was deployed since,
    RV(code=poisoned_resume) of a broken state that was not reset, and RV(code=evidence_missing) where that cannot be seen.
  - Refused are jobs that run, whose lock is held, that were indexed, that are not there, and that cannot be read.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  job_id:
    description: The number of the job.
    type: int
    required: true
  state:
    description:
      - V(retryable) has a C(failed) job crawled again. A job whose crawl went well and whose indexing failed (C(index_failed))
        becomes C(completed) by it, which the plan says, and is indexed by nobody until M(healtharchive.remediation.indexing)
        does it.
      - A job that waits already is left as it is.
      - At least one of O(state) and O(retry_count) is needed.
    type: str
    choices: [retryable]
  retry_count:
    description:
      - V(0) gives the job all its attempts back. Without that, a job that has used them up gets a single one by a retry.
    type: int
    choices: [0]
seealso:
  - module: healtharchive.remediation.job_info
  - module: healtharchive.remediation.change_summary
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what a retry would do; nothing is changed
  healtharchive.remediation.job:
    incident: 2026-11-23-crawl-failed
    job_id: 12
    state: retryable
  become: true
  register: planned

- name: Do exactly that, with the clearance that the role precondition was granted
  healtharchive.remediation.job:
    incident: 2026-11-23-crawl-failed
    job_id: 12
    state: retryable
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
  description: Why it was refused, failed or is not known, a stable word. C(docs/changes.md) lists them.
  returned: failure
  type: str
  sample: plan_changed
detail:
  description: What was found, in a line.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description: What the refusal rests on. Where the plan changed, the plan of now and its id.
  returned: failure
  type: dict
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-23-crawl-failed
head:
  description: The commit of the service's checkout.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about. C(remarks) are for people.
  returned: when something is to be done, or was
  type: dict
  sample:
    action: job_retry
    objective: Have job 12 (hc, hc-20261123) crawled again.
    commands: [[/opt/healtharchive/.venv/bin/healtharchive, retry-job, --id, "12"]]
    subjects: [job 12]
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
left_out:
  description: Subjects that are not touched, each with the reason.
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

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing, job


def main() -> None:
    changing.run_module(job.Job, job.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
