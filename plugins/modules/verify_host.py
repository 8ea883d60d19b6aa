#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_host
short_description: Verify a HealthArchive host, and record the verdict
version_added: 0.1.0
description:
  - Gathers the evidence of a host as M(healtharchive.remediation.triage_info) does, asks the public addresses from the controller
    meanwhile, and judges both by checks with three answers. What was not seen is C(unknown), and unknown is no pass.
  - If the extra variable C(incident) names an incident, or the play has opened one, the verdict is recorded in it, with the extra
    variable C(remark) if it is given. What waits on the controller for this host joins before, and the note on the controller is
    written again. The record gets what this task itself got from the host. No variable can take its place.
  - Does not fail when the host is not well, or when the verdict could not be recorded. RV(result) and RV(recorded) say so, and
    M(healtharchive.remediation.verify_summary) fails.
  - This is what the role P(healtharchive.remediation.verify#role) calls.
author:
  - HealthArchive maintainers (@healtharchive)
options:
  outside_view:
    description:
      - Whether the controller also asks O(public_api_base) and O(public_frontend_base), for at most 10 seconds, as
        M(healtharchive.remediation.outside_view_info) does.
    type: bool
    default: true
  public_ca_file:
    description:
      - A PEM file on the controller with certificate authorities to trust for O(outside_view), besides those of the system.
    type: path
  checks_file:
    description: A YAML file of the controller whose C(verify_checks) are the checks; the role brings it.
    type: str
    required: true
  known_jobs:
    description: Numbers of failed jobs that are known and no part of this. The record names them.
    type: list
    elements: int
    default: []
  output_directory:
    description: The directory of the notes on the controller; a relative one is taken from where Ansible was started.
    type: str
    default: incidents
extends_documentation_fragment:
  - healtharchive.remediation.host
  - healtharchive.remediation.host.reading
seealso:
  - module: healtharchive.remediation.triage_info
  - module: healtharchive.remediation.verify_summary
"""

EXAMPLES = r"""
- name: Verify
  healtharchive.remediation.verify_host:
    checks_file: "{{ role_path }}/vars/checks.yml"
  become: true
  register: verify_done
"""

RETURN = r"""
evidence:
  description: The evidence document, with what the public addresses answered as its probe C(outside_view).
  returned: success
  type: dict
result:
  description:
    - C(passed) is true when every check passed, false when one failed, null when none failed but not everything was seen.
    - C(checks) holds C(check), C(result) and C(detail) of each, C(next) what to look at first, C(verification_id) and C(at)
      name this verification.
  returned: success
  type: dict
incident:
  description: The incident that was named; empty for none.
  returned: success
  type: str
recorded:
  description:
    - What M(healtharchive.remediation.incident) returned, or C(failed) and why. Null when no incident was named.
    - C(note_failed) says why the note on the controller could not be written, if it could not.
  returned: success
  type: dict
outside_view:
  description: What the public addresses answered, when the host gave no evidence.
  returned: failure
  type: dict
code:
  description: Why the host was not verified, a stable word.
  returned: when it was refused
  type: str
  sample: checkout_missing
"""
