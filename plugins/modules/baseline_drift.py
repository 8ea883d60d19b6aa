#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: baseline_drift
short_description: Put a HealthArchive host back to its baseline policy, as far as a program may
version_added: 0.1.0
description:
  - Each failure of the service's drift check is answered by one of three. Owner, group and mode of what the policy names are set
    by this module. What is missing and an installer of the checkout makes is made by that installer. Everything else is a
    person's and is named with the command to begin with (RV(code=needs_person) if there is nothing else).
  - The policy is that of the checkout's HEAD. One that was edited on the host is refused (RV(code=policy_changed)). It is never
    written, and neither is the environment file.
  - The check's report must be whole and agree with its own JSON (otherwise RV(code=drift_unreadable)).
  - A path is reached through no symbolic link, and what is changed is what was looked at. Links, files with several names, mounts
    whose options say whose their files are, and programs that would run with another's rights are left alone.
  - Afterwards the paths are looked at again, and the check is asked again. The outcome is V(applied) only where both agree.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
notes:
  - No process is stopped or started. Of a directory itself owner and mode are set, of nothing that lies in it.
  - C(vps-bootstrap-ops-dirs.sh) is run for missing directories below the ops directory, and C(vps-install-systemd-units.sh) for
    missing units, that one only where it overwrites nothing that somebody has changed.
seealso:
  - module: healtharchive.remediation.baseline_drift_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what would be put back; nothing is changed
  healtharchive.remediation.baseline_drift:
    incident: 2026-11-23-drift
  become: true
  register: planned

- name: Do exactly that
  healtharchive.remediation.baseline_drift:
    incident: 2026-11-23-drift
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
  sample: needs_person
detail:
  description: What was found or, after an act, what the paths and the check show.
  returned: when nothing is planned
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description:
    - What the refusal rests on; with C(findings), the check's message of each, why it is a person's, and the command to begin
      with. Where the plan changed, the plan of now.
  returned: failure
  type: dict
  sample:
    findings:
      env:HEALTHARCHIVE_ENV:
        message: "expected 'production' got 'staging'"
        why: No program writes into the environment file. The line must read HEALTHARCHIVE_ENV=production.
        next_step: sudoedit /etc/healtharchive/backend.env
incident:
  description: The incident in whose name it is done.
  returned: always
  type: str
  sample: 2026-11-23-drift
head:
  description: The commit of the service's checkout, whose policy it is.
  returned: when it was asked for
  type: str
plan:
  description:
    - The change request. Its four fields are C(objective), C(commands), C(expected_impact) and C(rollback); C(subjects),
      C(before), C(after) and C(left_out) say what it is about. C(left_out) has what is a person's. C(by_hand) has the
      same as C(subject), C(why) and C(steps), of which each is a command to C(run) or something to C(see).
  returned: when something is to be done, or was
  type: dict
  sample:
    action: baseline-drift
    objective: Give 1 path the owner and mode of the policy.
    subjects: [path /srv/healtharchive/backups]
    before:
      path /srv/healtharchive/backups: {group: healtharchive, mode: "0755", owner: root}
    after:
      path /srv/healtharchive/backups: {group: healtharchive, mode: "2770", owner: root}
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
  description: What was seen of each path afterwards.
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
from ansible_collections.healtharchive.remediation.plugins.module_utils.baseline import action


def main() -> None:
    changing.run_module(action.BaselineDrift, action.ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
