#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: clearance
short_description: Grant, renew or release the clearance to change a HealthArchive host
version_added: 0.1.0
description:
  - Proves on the host that the commit which a change depends on is deployed and live. That is, it is on the disk and on C(main)
    of the remote, the working tree is clean, the virtual environment has what the commit declares, the schema of the database is
    at its head, and the API and the worker were started after code and environment last changed.
  - Then takes the service's own deploy lock, and holds it in a transient systemd unit until the clearance is released or expires.
    The service's deploy script is refused meanwhile, and the host's watchdogs, which respect that lock, stand still.
  - What it returns, RV(token), is what the modules that change a host want as their option C(clearance). Each of them checks it
    again on the host, right before it acts.
  - A clearance belongs to one incident, one checkout and one boot of the host. There is one at a time.
extends_documentation_fragment:
  - healtharchive.remediation.host
options:
  incident:
    description:
      - The id of an open incident, in whose name the host is to be changed. Needed unless something is O(state=released).
    type: str
  state:
    description:
      - V(granted) gives a new one.
      - V(renewed) makes O(clearance) last O(ttl_minutes) from now on. The lock is not let go in between.
      - V(released) ends O(clearance), or with O(force_reason) whichever there is.
    type: str
    choices: [granted, renewed, released]
    default: granted
  required_commit:
    description:
      - The commits that the change depends on, each with all its 40 digits or with so many of the first that it is the only one,
        at least 7. Each must be what is deployed, or come before it. No branch and no tag, since those move.
      - Either this or O(no_repo_change_reason) must be given.
    type: list
    elements: str
  no_repo_change_reason:
    description:
      - Why the repository needs no change for this. Then what is deployed and live is only recorded; a checkout that cannot be
        read or a deploy that runs is refused all the same.
    type: str
  ttl_minutes:
    description: How long it lasts, in minutes, from 1 to 240. With renewals it lasts 240 minutes at most.
    type: int
    default: 30
  clearance:
    description: The RV(token) of the clearance that is to be renewed or released.
    type: str
  force_reason:
    description:
      - Why somebody else's clearance is taken away. The record says so. It cannot be taken away while somebody acts under it.
    type: str
  replaces:
    description:
      - The C(clearance_id) of a clearance of the same incident, operator and controller whose run is known to have ended. The
        action plugin of this module gives it.
    type: str
  operator:
    description: Who runs this, as they say themselves. The account on the host is recorded beside it.
    type: str
  controller:
    description: From where this is run.
    type: str
  run:
    description: By which run of a playbook or job.
    type: str
attributes:
  check_mode:
    description: Says whether it would be granted, renewed or released, and why not; takes no lock and records nothing.
    support: full
  diff_mode:
    description: Returns what a change would look like.
    support: none
    details: [What changes is a lock and a permit; the result names both.]
notes:
  - Needs root on the host (C(become=true)). git runs as the owner of O(checkout), the lock is held as O(service_user).
  - The guide is C(docs/clearance.md).
seealso:
  - module: healtharchive.remediation.deployment_info
  - module: healtharchive.remediation.incident
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Change the host only if the commit with the fix is deployed and live
  healtharchive.remediation.clearance:
    incident: 2026-11-23-api-down
    required_commit: [5a48b22]
  become: true
  register: result

- name: Give it back
  healtharchive.remediation.clearance:
    incident: 2026-11-23-api-down
    state: released
    clearance: "{{ result.token }}"
  become: true
"""

RETURN = r"""
outcome:
  description: V(applied), V(nothing_to_do), V(planned) in check mode, or V(refused).
  returned: always
  type: str
  sample: applied
token:
  description: What opens the host for changes until the clearance ends. The host keeps only a digest of it.
  returned: when it was granted
  type: str
clearance:
  description: The clearance, C(clearance_id), C(incident), C(holder), C(granted_at), C(expires_at), C(head) and others.
  returned: when there is one
  type: dict
  sample:
    clearance_id: clearance-1f2e3d4c5b6a
    holder: alice on laptop
    expires_at: "2026-11-23T18:20:00Z"
not_recorded:
  description: Why the release is not on record; null when it is. Whoever asks for a clearance next records that it ended.
  returned: when it was released
  type: str
facts:
  description: What the host showed, the commits on the disk, in the environment, in the schema and in the processes.
  returned: when it was looked at
  type: dict
  sample: {head: 5a48b2210c0a6f5d1f7ee8f1c4c02b4fe3d5a111, clean: true, schema_at_head: true}
behind:
  description: Which of V(disk), V(environment), V(schema) and V(process) is not at the commit.
  returned: when it was looked at
  type: list
  elements: str
  sample: [process]
remarks:
  description: What is not as it would have to be for a O(required_commit), each with C(code), C(message) and C(next_step).
  returned: when it was looked at
  type: list
  elements: dict
  sample: []
code:
  description: Why it was refused, a stable word. C(docs/clearance.md) lists them.
  returned: failure
  type: str
  sample: process_behind
detail:
  description: What was found, in a line.
  returned: failure
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
evidence:
  description: What was found, C(refusals), C(facts) and others.
  returned: failure
  type: dict
"""

from ansible_collections.healtharchive.remediation.plugins.module_utils import clearing


def main() -> None:
    clearing.run_module()


if __name__ == "__main__":
    main()
