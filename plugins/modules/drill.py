#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drill
short_description: Break a host on purpose, where it says that it is not the production host
version_added: 0.1.0
description:
  - Runs a command of yours as root that breaks the host, so that an incident can be practised from its note to its end.
  - It is refused unless E(HEALTHARCHIVE_ENV) in O(env_file), as the service, a shell and the drift check all read it, is one
    plain word that means another environment than production. The file is read on the host, by the module that breaks it.
  - Without O(command) nothing is run. Whether a drill may be held here is said all the same.
extends_documentation_fragment:
  - healtharchive.remediation.host
options:
  command:
    description: The program, by its path, and its arguments. No shell is involved.
    type: list
    elements: str
    default: []
  seconds:
    description: How long it may take, in seconds, from 1 to 600. Then it is ended.
    type: int
    default: 120
attributes:
  check_mode:
    description: Says whether it may be run, and runs nothing.
    support: full
  diff_mode:
    description: Returns what a change would look like.
    support: none
    details: [What the command changes is not known.]
notes:
  - Needs root on the host (C(become=true)).
  - It is no recovery and needs neither an incident nor a clearance. Nothing of it is in the record.
seealso:
  - module: healtharchive.remediation.triage_info
author:
  - HealthArchive maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Stop the API of the staging host
  healtharchive.remediation.drill:
    command: [/usr/bin/systemctl, stop, healtharchive-api.service]
  become: true
"""

RETURN = r"""
outcome:
  description: V(applied), V(nothing_to_do) without a command, V(planned) in check mode, V(refused), or V(unknown).
  returned: always
  type: str
  sample: applied
environment:
  description: What the host calls its environment.
  returned: when it may be broken
  type: str
  sample: staging
detail:
  description: What was done, or why not.
  returned: always
  type: str
output:
  description: What the command printed, in one line of at most 2000 characters, without secrets of the host.
  returned: when a command was run
  type: str
code:
  description: V(production), V(environment_unknown), V(not_broken), V(bad_input).
  returned: failure
  type: str
next_step:
  description: What to do about it.
  returned: failure
  type: str
"""

from ansible_collections.healtharchive.remediation.plugins.module_utils import drilling


def main() -> None:
    drilling.run_module()


if __name__ == "__main__":
    main()
