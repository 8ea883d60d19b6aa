#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment
short_description: Deploy one commit of the service on a HealthArchive host
version_added: 0.1.0
description:
  - Runs the service's own deploy script for a commit that was proved to be on C(main) of the remote, and sees afterwards by
    another way what is deployed and what is live.
  - What the script does not look at is looked at first, and refused before anything is restarted. That is a short id, a branch,
    a commit that is not on C(main) of the remote, a working tree with changes, a deploy or a clearance that holds the deploy
    lock, a lock file of another account, an environment file that the service user cannot read, a database that does not
    answer, and a service user that may not restart the units with sudo.
  - The script runs in a transient systemd unit as the service user, so that it goes on when the link is cut. The module answers
    while it runs, with RV(outcome=running); its action plugin follows the deploy and prints its steps. Another run with the
    same commit finds a deploy that runs and follows it, and one that has ended without a record of its end is recorded as it is
    seen.
  - The worker is left as it runs when a crawl runs that O(accept_interruption_of) does not name, or when it is not known which
    run. A worker that does not run stays stopped.
  - Nothing is rolled back and nothing is tried again by itself. A commit before a migration can be gone back to. The script
    would fail there, since migrations are never taken back, so it is told to leave the schema as it is.
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.change
options:
  deploy_ref:
    description:
      - The commit, with all its 40 digits. Names move, so a branch or a tag is refused.
    type: str
    required: true
  accept_interruption_of:
    description:
      - Numbers of jobs whose crawl may be interrupted. The worker is restarted only if all that run are among them, when the
        plan is made and again in the moment of the restart, which then follows the script.
    type: list
    elements: int
    default: []
  timeout:
    description: After how many seconds the deploy is ended by systemd, from 60 to 21600.
    type: int
    default: 3600
  install_units:
    description: Whether the script also copies the templates of the units over those of the host.
    type: bool
    default: false
  apply_alerting:
    description: Whether the script also installs the alert rules.
    type: bool
    default: false
  restart_replay:
    description: Whether the script also restarts replay.
    type: bool
    default: false
  skip_public_check:
    description: Whether the script leaves out its check of the public surface, for when the site is down for another reason.
    type: bool
    default: false
  clearance:
    description:
      - Not used. A deploy brings the host to the commit that a clearance is about; it is kept apart from others by the service's
        own deploy lock, which a clearance holds.
    type: str
  follow:
    description:
      - The id of an action or of a plan that was begun. Tells how far it is or how it ended, and begins nothing. For the action
        plugin.
    type: str
  steps_seen:
    description:
      - How many steps the caller knows already. With O(follow), the answer waits for the next one for some seconds.
    type: int
    default: 0
attributes:
  check_mode:
    description: Returns the plan, or how far a deploy is that runs, and changes nothing.
    support: full
  diff_mode:
    description: Returns the state of each subject before and after; of a plan, what it shall be after.
    support: full
seealso:
  - module: healtharchive.remediation.deployment_info
  - module: healtharchive.remediation.clearance
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: See what a deploy would do
  healtharchive.remediation.deployment:
    incident: 2026-11-23-api-down
    deploy_ref: 837e455ffe20210c8d34929e94846e0026695b91
  become: true
  register: planned

- name: Do what was planned and read
  healtharchive.remediation.deployment:
    incident: 2026-11-23-api-down
    deploy_ref: 837e455ffe20210c8d34929e94846e0026695b91
    approve: "{{ planned.plan_id }}"
  become: true

- name: The same, although the crawls of two jobs will be interrupted
  healtharchive.remediation.deployment:
    incident: 2026-11-23-api-down
    deploy_ref: 837e455ffe20210c8d34929e94846e0026695b91
    accept_interruption_of: [12, 13]
  become: true
"""

RETURN = r"""
outcome:
  description:
    - V(planned), V(running), V(applied), V(nothing_to_do), V(refused), V(failed) or V(unknown).
    - V(applied) means that everything was seen to be as it should be, by another way than the script's own words.
  returned: always
  type: str
  sample: applied
plan:
  description: What would be done, or was done.
  returned: when there is one, and not of a deploy that failed; that one's is in the record
  type: dict
plan_id:
  description: The digest of the plan, by which it is approved.
  returned: when there is a plan
  type: str
  sample: 0b7c2f19a4de
action_id:
  description: The id of the deploy in the record.
  returned: when one was begun
  type: str
  sample: deployment-0b7c2f19a4de-5f0e1a2b
commit:
  description: The commit that was to be deployed.
  returned: when one was begun
  type: str
  sample: 837e455ffe20210c8d34929e94846e0026695b91
commit_before:
  description: The commit that was there before.
  returned: when one was begun
  type: str
  sample: c63961ad041d36af462922471ae6672870a688c0
detail:
  description: What was seen, in a sentence.
  returned: always but for a plan
  type: str
  sample: Commit 837e455ffe20210c8d34929e94846e0026695b91 is deployed and live.
told:
  description:
    - What is C(deployed), what is C(live), what is C(not yet), what was C(not seen), and what the script's own checks said
      (C(public), C(drift)), each only where there is something to tell.
  returned: when a deploy ended
  type: dict
  sample:
    deployed: the checkout is at the commit; its declared packages are installed; the schema is at 0015_example
    live: the API
    not yet: "the worker runs code from before: it was not restarted"
    public: the public check passes (38 checks)
steps:
  description: The steps of the script that have begun, each with its C(name) and its C(command).
  returned: when a deploy runs or ended
  type: list
  elements: dict
  sample: [{name: fetch, command: git fetch --prune origin}]
output:
  description: A file on the host with everything that the script printed, until the next boot.
  returned: when a deploy ended
  type: str
  sample: /run/healtharchive-remediation/deploy-deployment-0b7c2f19a4de-5f0e1a2b.log
left_out:
  description: What is not touched, and why.
  returned: when there is nothing to do
  type: dict
settled:
  description: Earlier deploys whose ends were recorded by this run, each with its C(outcome) and C(detail).
  returned: when there were any
  type: list
  elements: dict
next_command:
  description: The playbook that goes back, and its variables, where there is something to go back to.
  returned: when a deploy failed
  type: dict
  sample: {playbook: deploy_pinned_ref, variables: {deploy_ref: c63961ad041d36af462922471ae6672870a688c0}}
code:
  description: Why it was refused or failed, a stable word. C(docs/deploy.md) lists them.
  returned: when it was refused, failed or is unknown
  type: str
  sample: migration_failed
next_step:
  description: What to do about it.
  returned: when it was refused, failed or is unknown
  type: str
  sample: "Read why before anything else; nothing is tried again by itself."
evidence:
  description: What was found; of a failure the C(step), the C(commit_before) and what was C(printed) last.
  returned: when it was refused, failed or is unknown
  type: dict
"""

from ansible_collections.healtharchive.remediation.plugins.module_utils import changing
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy.action import ARGUMENT_SPEC, Deploy


def main() -> None:
    changing.run_module(Deploy, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
