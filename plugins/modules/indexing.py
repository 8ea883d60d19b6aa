#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: indexing
short_description: Index a crawl of a HealthArchive host that ended well and was never indexed
version_added: 0.1.0
description:
  - For a job that is C(completed) and that nobody indexes (the worker indexes only what it has crawled just then), and for
    one whose indexing failed (C(index_failed)).
  - The WARC files come first. The mount that they lie on must be proven (RV(code=storage_first)), none that anything names may be
    missing (RV(code=warcs_missing)), and each that can be read to its end within 40 seconds is, for the plan
    (RV(code=warcs_damaged)). For a plan nothing is written.
  - The act is one transient unit of systemd, as the service's user and with the environment of the services. It runs
    C(verify-warcs) over all files and, only if each is whole, C(index-job). A truncated file would be indexed without a word.
  - It goes on when the link is cut. The module returns while it runs, with RV(outcome=running). Its action plugin follows it and
    says what it prints, and what a second connection to the database sees, since all of it is one transaction. Another run for
    the same job finds one that runs and follows it, and one that has ended without a record of its end is recorded as it is seen.
  - How it ended is told by the row and by the snapshots in the database, never by the exit code, which is 0 also for a file that
    was cut and for no page at all.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  job_id:
    description: The number of the job.
    type: int
    required: true
  reindex:
    description:
      - Whether a job that is indexed already is indexed anew. Its snapshots are deleted and made again with other ids, and the
        plan says how many. Without it this is refused (RV(code=job_indexed)).
    type: bool
    default: false
  verify_level:
    description:
      - How deep C(verify-warcs) looks at the files before the indexing. V(1) reads them to their ends, V(2) every record.
    type: int
    default: 1
    choices: [1, 2]
  timeout:
    description: After how many seconds verification and indexing together are ended by systemd, from 60 to 172800.
    type: int
    default: 21600
  follow:
    description:
      - The id of an action or of a plan that was begun. Tells how far it is or how it ended, and begins nothing. For the action
        plugin.
    type: str
  steps_seen:
    description:
      - How many lines the caller knows already. With O(follow), the answer waits for the next one for some seconds.
    type: int
    default: 0
attributes:
  check_mode:
    description: Returns the plan, or how far an indexing is that runs, and changes nothing.
    support: full
  diff_mode:
    description: Returns the state of the job before and after; of a plan, what it shall be after.
    support: full
notes:
  - No WARC file is changed, moved or deleted. What is damaged or missing is a person's.
  - C(verify-warcs) writes its report into the job's directory and, where that has no C(warcs/), the crawl's state.
  - A clearance is needed for the beginning. When it has ended, the unit goes on.
seealso:
  - module: healtharchive.remediation.job_info
  - module: healtharchive.remediation.storage
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See whether a job can be indexed, and from which files; nothing is changed
  healtharchive.remediation.indexing:
    incident: 2026-11-23-never-indexed
    job_id: 12
  become: true
  register: planned

- name: Do exactly that, and follow it to its end
  healtharchive.remediation.indexing:
    incident: 2026-11-23-never-indexed
    job_id: 12
    approve: "{{ planned.plan_id }}"
    clearance: "{{ cleared.token }}"
  become: true
"""

RETURN = r"""
outcome:
  description:
    - V(planned), V(running), V(applied) or V(nothing_to_do); where the module fails, V(refused) (nothing was indexed), V(failed)
      or V(unknown).
  returned: always
  type: str
  sample: planned
code:
  description: Why it was refused, failed or is not known, a stable word. C(docs/indexing.md) lists them.
  returned: failure
  type: str
  sample: warcs_damaged
detail:
  description: What was found, in a line.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description:
    - What the refusal rests on; C(damaged) or C(missing) name the files. Where the plan changed, the plan of now and its id. Of
      what was begun and did not end well, C(printed) are the last lines of what ran.
  returned: failure
  type: dict
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-23-never-indexed
begun_incident:
  description: The incident in whose name an indexing that runs was begun.
  returned: while it runs
  type: str
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
    action: indexing
    objective: Index job 12 (hc, hc-20261123) from its 3 WARC files.
    subjects: [job 12]
    before:
      job 12:
        status: completed
        snapshots: 0
        warc_files: 3
plan_id:
  description: The id by which this plan is approved on this host, in this incident, at this commit.
  returned: when something is to be done, or was
  type: str
  sample: 3f9c0a51d2be
action_id:
  description: Under which the record has its beginning and its end.
  returned: when something was begun
  type: str
job_id:
  description: The job that is indexed.
  returned: when something was begun
  type: int
begun_at:
  description: When it was begun.
  returned: when something was begun
  type: str
unit:
  description: The unit that does it.
  returned: while it runs
  type: str
steps:
  description: What was printed so far, the first 400 lines, each with C(name) (V(verify) or V(index)) and C(command) (the line).
  returned: while it runs
  type: list
  elements: dict
progress:
  description:
    - What a second connection to the database sees of it. C(transactions) that change snapshots, C(open_seconds), C(waits) (for a
      lock), and C(grown_bytes) of the table since it began.
  returned: while it runs
  type: dict
states:
  description: What was seen of the job afterwards.
  returned: when something was begun and has ended
  type: dict
unfinished_actions:
  description: What is on record as begun and not as ended.
  returned: without O(approve)
  type: list
  elements: dict
settled:
  description: What of it was of this kind, and is on record as ended now, with what was seen.
  returned: when there was something
  type: list
  elements: dict
"""

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing import action


def main() -> None:
    changing.run_module(action.Indexing, action.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
