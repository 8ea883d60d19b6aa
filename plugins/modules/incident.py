#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident
short_description: Open, change and end an incident in the record of a HealthArchive host
version_added: 0.1.0
description:
  - Appends what is new to the audit log C(remediation/audit.jsonl) in O(ops_directory), and writes the incident's note
    beside it from that log. Opening the same incident again, or recording the same event again, changes nothing.
  - An event is on the disk before this module returns. If it cannot be, nothing is done and the module fails.
  - The log is only ever appended to. Each line has the digest of the one before, so that an edit shows; see
    M(healtharchive.remediation.incident_info).
  - In the note, only what stands between its markers is written again. A note that cannot be written does not keep an
    event from being recorded; RV(ignore:note.problems) says why.
  - Secrets of the host are replaced in every text before it is recorded.
extends_documentation_fragment:
  - healtharchive.remediation.host
options:
  incident:
    description:
      - The id of an incident that is open or has ended.
      - Without it, one is opened, from O(title).
    type: str
  state:
    description:
      - V(open) opens an incident, or goes on with one that is open.
      - V(closed) ends it for good. Needs O(trigger) and O(underlying), a verification that passed and is newer than the
        last change of the host by whatever incident, and no action of this incident whose end is not recorded.
      - V(contained) ends it without a known cause, or with something not done. Needs O(reason). It can be closed later.
    type: str
    choices: [open, closed, contained]
    default: open
  title:
    description:
      - What is wrong, in a few words. Needed to open an incident.
      - An open incident of the last 24 hours with the same title is the same incident, unless O(started_at) says otherwise.
    type: str
  slug:
    description:
      - The words of the id after its date, from a to z and 0 to 9 with single dashes, at most 60 characters.
      - By default they are made from O(title). When the id exists already, C(-a), C(-b) and so on is put behind.
    type: str
  severity:
    description:
      - How grave it is. Needed to open an incident. Another one later is recorded as a change.
    type: str
    choices: [sev0, sev1, sev2, sev3]
  severity_reason:
    description: Why it is that grave, a sentence of the rubric.
    type: str
  area:
    description: The primary area. It is recorded when the incident is opened, and stays.
    type: str
    choices: [crawl, indexing, storage, api, replay, search, infra]
  owner:
    description: Who is in charge. It is recorded when the incident is opened, and stays.
    type: str
  environment:
    description:
      - The name of the environment. It is recorded when the incident is opened, and stays.
      - By default what C(HEALTHARCHIVE_ENV) says in O(env_file).
    type: str
  started_at:
    description:
      - When it began, with a zone, for example C(2026-11-23T17:50:00Z). The id has its UTC date.
      - By default it begins now.
    type: str
  reason:
    description: Why the incident is called contained, or why its severity changes.
    type: str
  trigger:
    description: What set the incident off. Needed to close it.
    type: str
  underlying:
    description: Why that could happen. Needed to close it.
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
  events:
    description:
      - What else is to be recorded, in this order, before the incident ends.
      - An event with an RV(ignore:event_id) that is in the log already, or without one but with the same content, is not
        recorded again.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description:
          - V(remark), V(triage_run) and V(verified) tell what was said and seen.
          - V(incident_opened) opens an incident that was opened elsewhere while this host could not be reached.
          - V(severity_changed) can only be O(events[].late); what was decided here since then stays.
          - V(action_finished) says of an action of this incident whose end nobody recorded that its outcome is not known.
        type: str
        choices: [incident_opened, remark, triage_run, verified, action_finished, severity_changed]
        required: true
      data:
        description:
          - What the event says. C(docs/incident-record.md) lists the fields of each kind; another one is refused.
        type: dict
        required: true
      event_id:
        description: 16 hexadecimal digits that no other event has. By default they are made from the content.
        type: str
      at:
        description: When it happened, with a zone. By default now.
        type: str
      late:
        description: Whether it was written down elsewhere first, while this host could not be reached.
        type: bool
        default: false
      by:
        description:
          - Who wrote it down elsewhere, C(operator), C(controller) and C(run), if it is O(events[].late). Who records it now
            stands beside it as C(joined_by).
        type: dict
attributes:
  check_mode:
    description: Says what would change and returns the events and the note as they would be; creates nothing.
    support: full
  diff_mode:
    description: Returns the note before and after.
    support: full
notes:
  - Needs root on the host (C(become=true)). O(ops_directory) must exist; only its folder C(remediation) is made, with
    the owner and the mode of the service's own.
seealso:
  - module: healtharchive.remediation.incident_info
  - module: healtharchive.remediation.triage_info
author:
  - HealthArchive remediation maintainers (@healtharchive)
"""

EXAMPLES = r"""
- name: Open an incident
  healtharchive.remediation.incident:
    title: API down after the deploy
    severity: sev1
    severity_reason: usable but badly degraded
    area: api
    operator: "{{ lookup('ansible.builtin.env', 'USER') }}"
  become: true
  register: result

- name: Write down what was seen
  healtharchive.remediation.incident:
    incident: "{{ result.incident.id }}"
    events:
      - kind: remark
        data: {text: A restart of the unit does not help.}
  become: true

- name: Close it, which is refused until a verification has passed after the last change
  healtharchive.remediation.incident:
    incident: 2026-11-23-api-down-after-the-deploy
    state: closed
    trigger: A dependency of the new commit was not installed.
    underlying: The deploy does not compare declared and installed packages.
  become: true
"""

RETURN = r"""
incident:
  description: The incident as it is now, or would be.
  returned: success
  type: dict
  contains:
    id:
      description: Its id, for every other playbook.
      type: str
      sample: 2026-11-23-api-down
    title:
      description: What is wrong.
      type: str
      sample: API down
    severity:
      description: How grave it is.
      type: str
      sample: sev1
    severity_reason:
      description: Why; null when nobody said.
      type: str
    area:
      description: Primary area; null when nobody said.
      type: str
      sample: api
    owner:
      description: Who is in charge; null when nobody said.
      type: str
    environment:
      description: Name of the environment; null when it is not known.
      type: str
      sample: production
    started_at:
      description: When it began, UTC.
      type: str
      sample: "2026-11-23T17:50:00Z"
    state:
      description: V(open), V(contained) or V(closed).
      type: str
      sample: open
    resolved_at:
      description: When it was contained or, if it never was, closed. Null while it is open.
      type: str
    reason:
      description: Why it is contained.
      type: str
    trigger:
      description: What set it off.
      type: str
    underlying:
      description: Why that could happen.
      type: str
    communication_deadline:
      description: Until when the public is to be told, 48 hours after the end of a V(sev0) or V(sev1); null otherwise.
      type: str
events:
  description:
    - All events of this incident in the order of the log, each with C(sequence), C(event_id), C(kind), C(at),
      C(recorded_at), C(late), C(by), C(head), C(data), C(previous).
  returned: success
  type: list
  elements: dict
  sample:
    - sequence: 1
      kind: incident_opened
      at: "2026-11-23T17:50:00Z"
      by: {account: haadmin, operator: somebody, controller: null, run: null}
      data: {title: API down, severity: sev1}
confirmed:
  description:
    - The C(event_id) of each of O(events) that has one. All of them are in the record, a late one perhaps under another id.
  returned: success
  type: list
  elements: str
  sample: []
record:
  description: Whether the log is whole, as M(healtharchive.remediation.incident_info) tells it.
  returned: success
  type: dict
  sample: {verified: true, lines: 12, problems: [], torn_lines: []}
head_digest:
  description: SHA-256 of the log's end. What is kept elsewhere shows later whether lines were taken off the end.
  returned: success
  type: str
  sample: 353b0ed4b2c21da72091a27458fcb0394d3f89e6aa5f8b42e22feca3cf3ea7c8
unfinished_actions:
  description:
    - Actions of this incident, or of none, that were begun and whose end is not recorded, each with C(action_id),
      C(incident), C(action), C(begun_at) and C(subjects).
  returned: success
  type: list
  elements: dict
  sample: []
template:
  description: The host's own template for notes, from its checkout; C(text) is null when C(problem) says why.
  returned: success
  type: dict
  sample: {path: docs/_templates/incident-template.md, text: "# Incident", problem: null}
notes:
  description: The path of the note on the host.
  returned: success
  type: str
  sample: /srv/healtharchive/ops/remediation/incidents/2026-11-23-api-down.md
note:
  description: Whether that note is another one now, and what keeps it from being as it should be.
  returned: success
  type: dict
  sample: {changed: true, problems: []}
code:
  description: Why it was refused, a stable word.
  returned: failure
  type: str
  sample: verification_outdated
next_step:
  description: What to do about it.
  returned: failure
  type: str
  sample: Run the playbook verify with incident=2026-11-23-api-down, then close it again.
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.healtharchive.remediation.plugins.module_utils import record
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput


class _Module(AnsibleModule):
    """Ansible's, without the line in the host's journal that has every text as it was typed. Options with no_log would leave
    that out, and with it what an error says of them."""

    def _log_invocation(self) -> None:
        self.log("Invoked as the record of an incident; the record has what was said")


def main() -> None:
    module = _Module(argument_spec=record.ARGUMENT_SPEC, supports_check_mode=True)
    shown = {"module_args": record.shown(module.params)}
    try:
        outcome = record.change(module.params, module.check_mode)
    except BadInput as error:
        message = "%s %s" % (error, error.next_step)
        module.fail_json(msg=message, code=error.code, next_step=error.next_step, invocation=shown)
    for notice in outcome.notices:
        module.warn(notice)
    result = {**outcome.result, "invocation": shown}
    if module._diff:
        header = result["notes"]
        result["diff"] = {
            "before": outcome.before,
            "after": outcome.after,
            "before_header": header,
            "after_header": header,
        }
    module.exit_json(**result)


if __name__ == "__main__":
    main()
