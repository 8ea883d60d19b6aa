#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_note
short_description: Write the note of an incident on the controller
version_added: 0.1.0
description:
  - Renders C(HOST/ID.md) in O(output_directory) from the events of the incident, or renders it again. HOST is the name in the
    inventory.
  - Only what stands between two markers is written again. Everything else in the file is a person's, and stays byte for
    byte. A marker that was deleted, doubled, crossed with another or put around another is reported, and its block is
    left alone.
  - Texts of events are data. They are escaped, and long ones are shortened in the note; the audit log of the host has
    them whole.
  - Runs on the controller only. The file is there whole or as it was before, with mode 0600 if it is new; directories
    that are made have mode 0700.
author:
  - HealthArchive remediation maintainers (@healtharchive)
options:
  incident:
    description: The incident, as M(healtharchive.remediation.incident) returned it.
    type: dict
    required: true
  events:
    description:
      - All of its events, in the order of the log. What is not among them is not in the note afterwards, so without the
        opening of the incident nothing is written.
    type: list
    elements: dict
    required: true
  template:
    description:
      - The host's own template for a new note.
      - Without it, or when it lacks a heading that the service prescribes, the collection's own is used and that is
        reported.
    type: str
  output_directory:
    description: A directory of the controller; a relative one is taken from where Ansible was started.
    type: str
    required: true
  former_id:
    description:
      - The id that the incident had in the scratchpad, if the host gave it another one.
      - Its note, with what was written into it by hand, becomes the note of the incident if that has none yet.
    type: str
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: Can run in check mode and say what it would change, without writing.
    support: full
  diff_mode:
    description: Shows how the note changes.
    support: full
  platform:
    description: Runs on the controller.
    platforms: all
seealso:
  - module: healtharchive.remediation.incident
  - module: healtharchive.remediation.incident_scratchpad
  - module: healtharchive.remediation.incident_branch
"""

EXAMPLES = r"""
- name: Write the note
  healtharchive.remediation.incident_note:
    incident: "{{ opened.incident }}"
    events: "{{ opened.events }}"
    template: "{{ opened.template.text }}"
    output_directory: incidents
"""

RETURN = r"""
path:
  description: The note, absolute.
  returned: success
  type: str
problems:
  description: What kept a part of the note from being written as it should be.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description:
        - One of V(template_unusable), V(markers_missing) (the whole note is left as it is), V(marker_missing),
          V(marker_doubled), V(marker_crossed), V(marker_nested), V(marker_unknown).
      type: str
    message:
      description: The same for people.
      type: str
    block:
      description: The block that is left as it is, null if it is none.
      type: str
public_draft:
  description:
    - A draft of what the public is told, for an incident of severity V(sev0) or V(sev1) that is closed or contained;
      else null. What only a person can know stands in square brackets.
  returned: success
  type: str
code:
  description: Why it was refused, V(bad_incident), V(events_incomplete) or V(note_not_written).
  returned: failure
  type: str
next_step:
  description: What to do then.
  returned: failure
  type: str
"""
