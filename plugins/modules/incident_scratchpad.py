#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_scratchpad
short_description: Keep the events of a host that cannot be reached
version_added: 0.1.0
description:
  - Keeps on the controller what happens while a host cannot be reached, one event a line in
    C(.pending/HOST/ID.jsonl) below O(output_directory). HOST is the name in the inventory.
  - By the rules of M(healtharchive.remediation.incident) an incident can be opened here; opening it again changes
    nothing. It cannot be closed or contained here, for nothing can be verified without the host.
  - When the host can be reached again, RV(pending) is given to M(healtharchive.remediation.incident) as its events, and
    what it has recorded is removed here with O(state=joined). If that does not happen, the same is offered again, and
    the host records each event once.
  - Runs on the controller only. A file is there whole or as it was before.
author:
  - HealthArchive remediation maintainers (@healtharchive)
options:
  state:
    description:
      - V(listed) returns what waits.
      - V(recorded) opens an incident by its O(title), or notes O(events) about one that has been opened.
      - V(joined) removes the incident of that id if all that waits of it is O(confirmed).
    type: str
    choices: [listed, recorded, joined]
    default: listed
  output_directory:
    description: The directory of the notes; a relative one is taken from where Ansible was started.
    type: str
    required: true
  incident:
    description:
      - The id of an incident that was opened before, here or on the host.
      - With O(state=joined), the id that it has here.
    type: str
  title:
    description: What is wrong, in a few words. Needed to open an incident.
    type: str
  severity:
    description: Needed to open an incident. Another one later is recorded as a change.
    type: str
    choices: [sev0, sev1, sev2, sev3]
  severity_reason:
    description: Why this severity.
    type: str
  area:
    description: The part of the service that is hit first.
    type: str
    choices: [crawl, indexing, storage, api, replay, search, infra]
  owner:
    description: Who works on it.
    type: str
  environment:
    description: The environment, for example V(production).
    type: str
  slug:
    description: The words of the id after the date, made from the title if not given.
    type: str
  started_at:
    description: When it began, with a zone, for example V(2026-11-23T17:31:00Z). Now, if not given.
    type: str
  operator:
    description: Who says so.
    type: str
  controller:
    description: The machine on which this runs.
    type: str
  run:
    description: The run of the playbook.
    type: str
  events:
    description:
      - With O(state=recorded), what to note, each with C(kind) (V(remark) or V(triage_run)) and C(data), and with
        C(event_id) and C(at) if they are known.
    type: list
    elements: dict
    default: []
  confirmed:
    description:
      - With O(state=joined), what M(healtharchive.remediation.incident) returned as C(confirmed) when it was given what
        waits here.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: Can run in check mode and say what it would change, without writing.
    support: full
  diff_mode:
    description: Shows what waits before and afterwards.
    support: full
  platform:
    description: Runs on the controller.
    platforms: all
seealso:
  - module: healtharchive.remediation.incident
  - module: healtharchive.remediation.incident_note
"""

EXAMPLES = r"""
- name: Open an incident although the host does not answer
  healtharchive.remediation.incident_scratchpad:
    state: recorded
    output_directory: incidents
    title: The host does not answer
    severity: sev0
    area: infra

- name: See what waits
  healtharchive.remediation.incident_scratchpad:
    output_directory: incidents
  register: waiting

- name: Give it to the host
  healtharchive.remediation.incident:
    incident: "{{ item.incident }}"
    events: "{{ item.events }}"
  loop: "{{ waiting.pending }}"
  register: given

- name: Forget what the host has
  healtharchive.remediation.incident_scratchpad:
    state: joined
    output_directory: incidents
    incident: "{{ item.item.incident }}"
    confirmed: "{{ item.confirmed }}"
  loop: "{{ given.results }}"
"""

RETURN = r"""
pending:
  description: What waits for the host, by incident, as M(healtharchive.remediation.incident) takes it.
  returned: success
  type: list
  elements: dict
  sample:
    - incident: 2026-11-23-the-host-does-not-answer
      events:
        - event_id: 3f1c2a9b8d7e6f50
          kind: incident_opened
          at: "2026-11-23T17:50:00Z"
          late: true
          data: {title: The host does not answer, severity: sev0, started_at: "2026-11-23T17:50:00Z"}
incident_id:
  description: The id of the incident.
  returned: O(state=recorded)
  type: str
incident:
  description:
    - The incident as M(healtharchive.remediation.incident_note) takes it, or null if it was opened on the host. Its
      note must then not be written from here, for most of its events are not here.
  returned: O(state=recorded)
  type: dict
events:
  description: What waits of it, as M(healtharchive.remediation.incident_note) takes it.
  returned: O(state=recorded)
  type: list
  elements: dict
code:
  description: Why it was refused, for example V(scratchpad_unreadable), V(scratchpad_not_written) or V(title_missing).
  returned: failure
  type: str
next_step:
  description: What to do then.
  returned: failure
  type: str
"""
