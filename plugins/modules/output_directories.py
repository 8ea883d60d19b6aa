#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: output_directories
short_description: Mend output directories of jobs on a HealthArchive host, as far as a program may
version_added: 0.1.0
description:
  - For output directories of jobs that are not finished which the worker's user cannot write, which are on the local disk and
    not on the storage box, or whose job has lost the campaign metadata by which the annual tiering knows it.
  - An empty directory of an annual job on the local disk is bound to its place on the storage box by the service's own script,
    if a dry run says that it binds that and nothing else. The kernel's table of mounts and a file that the worker's user writes
    there say whether it is mended.
  - A job whose attempts failed because its directory could not be written, and whose directory can be written now, gets its
    attempts back, and is retried if it has failed. That it failed of that is told by the worker's journal since its last crawl
    began, and by a log that this crawl did not write.
  - All else is a person's, and comes with the exact commands and checks for each directory, in RV(plan) under C(left_out), or as
    a refusal (RV(code=needs_person)). What would copy, move or delete files of the archive, or give them another owner, is never
    carried out.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
notes:
  - No worker and no crawl is stopped. A directory whose job runs, or whose lock something holds, is left alone.
  - As long as a directory does not answer, nothing is planned (RV(code=storage_first)).
seealso:
  - module: healtharchive.remediation.storage
  - module: healtharchive.remediation.job
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what would be done; nothing is changed
  healtharchive.remediation.output_directories:
    incident: 2026-11-28-not-writable
  become: true
  register: planned

- name: Do exactly that
  healtharchive.remediation.output_directories:
    incident: 2026-11-28-not-writable
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
  description: Why it was refused, failed or is not known, a stable word. C(docs/output-directories.md) lists them.
  returned: failure
  type: str
  sample: needs_person
detail:
  description: What was found.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description:
    - What the refusal rests on. With C(directories), of each job why a person is needed, the commands and the checks. After an
      act C(write_test) of each path, and C(said), what did not go as usual.
  returned: failure, or when something was begun
  type: dict
  sample:
    directories:
      "12":
        path: /srv/healtharchive/jobs/cihr/20260105T000000Z__cihr
        why: haadmin may not write in it.
        commands: [sudo namei -l /srv/healtharchive/jobs/cihr/20260105T000000Z__cihr]
        checks: [Nothing may crawl it meanwhile.]
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-28-not-writable
head:
  description: The commit of the service's checkout.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about. C(by_hand) has what only a person may do, each as
      C(subject), C(why) and C(steps), of which each is a command to C(run) or something to C(see).
  returned: when something is to be done, or was
  type: dict
  sample:
    action: output_directories
    objective: Give job 12 its attempts back, whose directory can be written again.
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
from ansible_collections.healtharchive.remediation.plugins.module_utils.outputs import action


def main() -> None:
    changing.run_module(action.OutputDirectories, action.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
