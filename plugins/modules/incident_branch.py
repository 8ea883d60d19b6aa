#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_branch
short_description: Put the note of an incident on a branch of a local clone
version_added: 0.1.0
description:
  - Makes the branch C(incident/ID) in a local clone of the service's repository. It holds one commit upon the clone's
    C(origin/main), or upon its HEAD if there is no C(origin/main), with the note below C(docs/operations/incidents) and
    its line in the C(README.md) there.
  - Nothing is fetched and nothing is pushed. The working tree, the index, HEAD and every other branch stay as they are,
    and no hook, filter or other program that the clone's configuration names is run.
  - What the note rules exclude is left out and listed in RV(removed), that is secrets, ping URLs, private addresses and
    hosts, and more than 50 lines of a log. Secrets are found by their form. Read the branch before you push it.
  - The author is whom git would commit as in the clone.
  - Runs on the controller only.
author:
  - HealthArchive remediation maintainers (@healtharchive)
options:
  repository:
    description: The top directory of the clone. It must be clean, without untracked files.
    type: str
    required: true
  output_directory:
    description:
      - The directory that M(healtharchive.remediation.incident_note) wrote to; a relative one is taken from where Ansible
        was started.
    type: str
    required: true
  incident:
    description: The incident, as M(healtharchive.remediation.incident) returned it.
    type: dict
    required: true
  leave_out:
    description:
      - More texts to leave out, for example the names and addresses of the inventory.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: Can run in check mode and say what it would change. Nothing is written to the clone, not even an object.
    support: full
  diff_mode:
    description: Shows how the files of the branch differ from what it begins from.
    support: full
  platform:
    description: Runs on the controller.
    platforms: all
requirements:
  - git 2.31 or newer on the controller
seealso:
  - module: healtharchive.remediation.incident_note
"""

EXAMPLES = r"""
- name: Put the note on a branch
  healtharchive.remediation.incident_branch:
    repository: ~/healtharchive
    output_directory: incidents
    incident: "{{ closed.incident }}"
    leave_out: ["{{ inventory_hostname }}"]
"""

RETURN = r"""
branch:
  description: The branch.
  returned: success
  type: str
  sample: incident/2026-11-23-api-502
base:
  description: The commit that it begins from.
  returned: success
  type: str
commit:
  description: Its commit; null in check mode if it would be made.
  returned: success
  type: str
removed:
  description: What was left out, each with the C(line) of the note on the controller and C(what) it was.
  returned: success
  type: list
  elements: dict
problems:
  description: What a person should look at before the branch is pushed, each with C(code) and C(message).
  returned: success
  type: list
  elements: dict
code:
  description:
    - Why it was refused. One of V(bad_incident), V(note_missing), V(note_unreadable), V(not_a_clone),
      V(identity_missing), V(tree_dirty), V(no_commit), V(not_the_service), V(not_a_file), V(branch_differs),
      V(branch_checked_out), V(branch_not_created), V(nothing_to_publish), V(clone_unreadable).
  returned: failure
  type: str
next_step:
  description: What to do then.
  returned: failure
  type: str
"""
