# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules share which change a host."""

from __future__ import annotations


class ModuleDocFragment:
    """How a change is planned, approved and recorded."""

    DOCUMENTATION = r"""
options:
  incident:
    description:
      - The id of an open incident of this host. Without one, nothing is changed.
    type: str
    required: true
  approve:
    description:
      - The id of the plan that is to be carried out, RV(ignore:plan_id) of an earlier run without it.
      - Without it the plan is returned and nothing is changed. With it the plan is made again, and only if it is still the same
        plan is it carried out.
      - V(auto), for drills, carries out the plan of now whatever it is. It is refused unless E(HEALTHARCHIVE_ENV) in O(env_file)
        of the host says in a plain word that this is not the production host.
    type: str
  clearance:
    description:
      - The permit that the role C(precondition) was granted. Needed with O(approve), where the
        module does not say otherwise.
      - It is shown by no verbosity and is in no log.
    type: str
  budget_override_reason:
    description:
      - Why it is right to do this once more, after it was done as often as its budget allows. It is recorded.
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
    description:
      - Returns the plan, as without O(approve), and changes nothing. V(changed) says then whether there is something to do.
    support: full
  diff_mode:
    description: Returns the state of each subject before and after; of a plan, what it shall be after.
    support: full
notes:
  - Needs root on the host (C(become=true)), and drops to O(service_user) for the service's commands.
  - One change at a time is made on a host. What is begun is on record before it begins, and goes on to its end and its record
    also when the link to the host is cut.
  - Run from a playbook, it refuses settings of the controller that would hide a refusal, such as C(ignore_errors). What holds it
    back on the host is in the module itself.
  - The guide is C(docs/changes.md).
"""
