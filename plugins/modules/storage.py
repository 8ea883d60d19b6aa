#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: storage
short_description: Bring stale and hung hot paths of a HealthArchive host back
version_added: 0.1.0
description:
  - For hot paths that answer Errno 107 or hang because the sshfs mount under them died, for hot paths that are no mount any
    more, and for the tiering unit that failed over them. All of it is one act with one plan.
  - Each path is unmounted on its own, and only if it answers Errno 107 at that moment. The plain C(umount) comes first, and
    C(umount -l) only where that fails and the path still answers Errno 107. A parent of other mounts, a path that answers, one
    that is mounted several times over, and one that neither the manifest nor a job knows are never unmounted. The plan names
    them with what a person can do about them.
  - What hangs is not unmounted. If it hangs with the base mount, the unit of the base mount is restarted, and what answers
    Errno 107 then is unmounted. The base mount is restarted only if it is itself unreadable. If the storage box does not come
    back, no hot path is unmounted.
  - Paths are bound again by the service's own scripts. The one for the manifest is run without its flag for stale mounts, which
    repairs none. The one for annual jobs is run with the production environment, after PostgreSQL was proven and a dry run has
    said that it binds nothing else. What they leave unbound is bound directly to the place that the dead mount showed.
  - Whether it is mended is told by the kernel's table of mounts, a look at each path, and a file that the worker's user writes
    there and takes away, never by what a script says. Only then are jobs given back. Jobs that say running and are run by
    nothing are recovered, those that failed on these paths are retried once, and replay is restarted.
  - Before anything is unmounted the host's own watchdogs are held off and the worker is paused. For both a transient timer is
    armed first that gives them back after O(resume_after) seconds, whatever becomes of the controller, the link or this module.
  - What was true before and after is kept on the host, below C(remediation/storage-evidence) of O(ops_directory). At the end
    storage is judged again from scratch, for what was mended may have been the first layer only.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  accept_interruption_of:
    description:
      - Numbers of jobs that the worker crawls on healthy paths and that may be interrupted by its stop. Without them this is
        refused (RV(code=would_interrupt)). A crawl whose directory is dead needs no such word.
    type: list
    elements: int
    default: []
  resume_after:
    description:
      - After how many seconds the worker and the watchdogs come back by themselves if this does not get to its end. From 960 to
        43200.
    type: int
    default: 1200
notes:
  - No file of the archive is copied, moved or deleted. Where files lie on the local disk in the place of a mount, it refuses
    (RV(code=local_files_in_the_way)).
  - A worker that does not run is not started, unless an act of this kind that was cut off has stopped it.
  - A crawl in a unit of its own is never stopped. On a healthy path it goes on untouched.
  - An act that was cut off is gone on with when this is run again.
seealso:
  - module: healtharchive.remediation.storage_info
  - module: healtharchive.remediation.stale_jobs
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what would be unmounted and bound again; nothing is changed
  healtharchive.remediation.storage:
    incident: 2026-11-23-stale-mounts
  become: true
  register: planned

- name: Do exactly that
  healtharchive.remediation.storage:
    incident: 2026-11-23-stale-mounts
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
  description: Why it was refused, failed or is not known, a stable word. C(docs/storage.md) lists them.
  returned: failure
  type: str
  sample: needs_person
detail:
  description: What was found, and what storage is when it is judged again from scratch.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description:
    - What the refusal rests on; with C(paths), what a person can do about each of them. Where the plan changed, the plan of now.
    - After an act that failed, C(write_test) of each path, C(said) (what did not go as usual), C(remaining) (storage judged
      again) and C(kept) (the files with the evidence).
  returned: failure
  type: dict
  sample:
    paths:
      /srv/healtharchive/jobs/imports/hc-2019:
        why: Mounts lie below it, and a parent is never unmounted.
        next_step: Those first, by hand; then plan again.
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-23-stale-mounts
head:
  description: The commit of the service's checkout.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about. C(left_out) has what is left for a person. C(by_hand) has the
      same as C(subject), C(why) and C(steps), of which each is a command to C(run) or something to C(see).
  returned: when something is to be done, or was
  type: dict
  sample:
    action: storage
    objective: Unmount 2 hot paths that are dead and bind them again.
    subjects: [mount /srv/healtharchive/jobs/imports/hc-2019, unit healtharchive-worker.service]
    before:
      mount /srv/healtharchive/jobs/imports/hc-2019:
        state: stale
        shows: /srv/healtharchive/storagebox/jobs/imports/hc-2019
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
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import action


def main() -> None:
    changing.run_module(action.Storage, action.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
