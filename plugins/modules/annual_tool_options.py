#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: annual_tool_options
short_description: Reconcile the options of annual jobs of a HealthArchive host with the deployed code
version_added: 0.1.0
description:
  - Annual jobs keep the options that they were scheduled with, and lose the metadata of their campaign by their first run and by
    every patch. The service's own command C(reconcile-annual-tool-options) sets both anew. This plans it by its dry run, with
    each key of each job as it is and as it shall be, and runs it for just these jobs, one by one.
  - What a value is now is read from the job's row through the admin API, and must be what the command says (otherwise
    RV(code=evidence_contradictory)). What it shall be must be of the kind that belongs there. A job that has a text where a
    number belongs, or would get one, is left alone and named with the key (RV(code=wrong_type) if there is no other).
  - The command ends with 0 also when it passed over a job. What it says on its standard error is part of the answer, and what
    became of each job is read from its row. If a row has something else than what was planned, the outcome is V(unknown), with
    RV(code=changed_otherwise).
  - Lost metadata that the command does not put back is named for a person (RV(code=needs_person) if there is nothing else).
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  jobs:
    description:
      - Numbers of annual jobs, whatever their status is. Others are left alone. By default all are meant that run, wait or
        failed, of which 20 are looked at, those first that are annual by their name. More cannot be named at once.
    type: list
    elements: int
    default: []
notes:
  - No process is stopped or started. A crawl that runs keeps what it was started with until its next start; the plan names it.
  - A job that the worker starts for the first time just then loses its metadata again (RV(code=started_meanwhile)). Planned
    again, it keeps it.
seealso:
  - module: healtharchive.remediation.job_info
  - module: healtharchive.remediation.job
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See which options of which jobs would be set; nothing is changed
  healtharchive.remediation.annual_tool_options:
    incident: 2026-11-23-options-drifted
  become: true
  register: planned

- name: Do exactly that
  healtharchive.remediation.annual_tool_options:
    incident: 2026-11-23-options-drifted
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
  description: Why it was refused, failed or is not known, a stable word. C(docs/configuration.md) lists them.
  returned: failure
  type: str
  sample: wrong_type
detail:
  description: What was found or, after an act, what the rows have.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description: What the refusal rests on; with C(jobs), why each of them is left alone. Where the plan changed, the plan of now.
  returned: failure
  type: dict
  sample:
    jobs:
      job 7: "A text stands where a number belongs: initial_workers=abc."
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-23-options-drifted
head:
  description: The commit of the service's checkout, whose options they are.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about, each key by the name that the command gives it.
  returned: when something is to be done, or was
  type: dict
  sample:
    action: annual-tool-options
    objective: Tell job 7 what the deployed code wants.
    subjects: [job 7]
    before:
      job 7:
        source: phac
        year: 2026
        status: queued
        tool_options.initial_workers: 1
    after:
      job 7:
        source: phac
        year: 2026
        status: queued
        tool_options.initial_workers: 2
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
  description: What the rows had afterwards.
  returned: when something was begun
  type: dict
left_out:
  description: Jobs that were looked at and are left alone, each with the reason.
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

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing
from ansible_collections.healtharchive.remediation.plugins.module_utils.campaign import action


def main() -> None:
    changing.run_module(action.AnnualToolOptions, action.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
