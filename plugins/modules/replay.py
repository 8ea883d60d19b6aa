#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: replay
short_description: Bring replay of a HealthArchive host back
version_added: 0.1.0
description:
  - For replay that does not serve archived pages while its front page is well, because it holds mounts of before the last
    repair; for a replay unit that is dead; for the tiering unit that failed; and for an index that is behind.
  - Storage comes first. As long as the mount of the storage box or a hot path is dead, hangs, or is no mount, this is refused
    (RV(code=storage_first)), for replay would hold on to that.
  - Replay is restarted, once, where the host itself sees the WARC files of a page that replay does not serve, or where replay
    does not answer at all. Where it answers with an error for the local disk too, it is replay's own fault, and nothing is
    planned (RV(code=replay_itself)). A file that the host does not see either is named, for no restart brings it back.
  - The tiering unit is started only while all that its manifest names is mounted, and then the kernel's table of mounts says
    whether it still is.
  - An index is written anew by the service's own C(replay-reconcile), for pages that an index names and replay does not find,
    and for O(jobs), one at a time and only if its dry run says so. It is run as root, as the service does, in a mount name
    space of its own in which nothing below the archive root can be written.
  - Whether it is mended is told by asking replay for pages, one of each mount and of the local disk that has one, and those that
    the plan names. The service's own smoke check is run as well where its unit is installed.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  jobs:
    description:
      - Numbers of jobs whose index is to be written anew, if the service's dry run takes them. At most 20.
    type: list
    elements: int
    default: []
notes:
  - Neither the worker nor the API is touched, and no crawl notices. No file below the archive root is written.
seealso:
  - module: healtharchive.remediation.storage
  - module: healtharchive.remediation.triage_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what would be done; nothing is changed
  healtharchive.remediation.replay:
    incident: 2026-11-28-replay-503
  become: true
  register: planned

- name: Do exactly that
  healtharchive.remediation.replay:
    incident: 2026-11-28-replay-503
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
  description: Why it was refused, failed or is not known, a stable word. C(docs/replay.md) lists them.
  returned: failure
  type: str
  sample: storage_first
detail:
  description: What was found.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description: What the refusal rests on, or after an act, what replay answered for each job in C(pages).
  returned: failure, or when something was begun
  type: dict
  sample:
    pages:
      "1": served
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-28-replay-503
head:
  description: The commit of the service's checkout.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about.
  returned: when something is to be done, or was
  type: dict
  sample:
    action: replay
    objective: Restart replay, which does not serve what the host sees.
    subjects: [unit healtharchive-replay.service, replay job-1]
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
from ansible_collections.healtharchive.remediation.plugins.module_utils.replays import action


def main() -> None:
    changing.run_module(action.Replay, action.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
