#!/usr/bin/python
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: outside_view_info
short_description: Ask the public API and site from the controller
version_added: 0.1.0
description:
  - Resolves the name, connects, checks the certificate and sends one request to each address, both at once, and says how
    far it came.
  - Runs on the controller only, and needs nothing of the host. So a host that cannot be reached, a proxy that is broken
    and a service that is broken can be told apart.
  - Proxies that the environment of the controller names are not used.
author:
  - HealthArchive remediation maintainers (@healtharchive)
options:
  api_base:
    description:
      - The public URL of the API.
      - Without it the API is not asked.
    type: str
  frontend_base:
    description:
      - The public URL of the site.
      - Without it the site is not asked.
    type: str
  ca_file:
    description:
      - A PEM file on the controller with certificate authorities to trust besides those of the system.
    type: path
  seconds:
    description:
      - In how many seconds it must have ended. From 1 to 60.
    type: int
    default: 10
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: Can run in check mode and return what it would return without it.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  platform:
    description: Runs on the controller.
    platforms: all
seealso:
  - module: healtharchive.remediation.triage_info
  - module: healtharchive.remediation.public_surface_info
"""

EXAMPLES = r"""
- name: See what the public sees
  healtharchive.remediation.outside_view_info:
    api_base: https://api.archive.example.org
    frontend_base: https://archive.example.org
  register: result

- name: Show how long the API's certificate is valid
  ansible.builtin.debug:
    msg: "{{ result.outside_view.data.api.certificate.days_left }} days"
"""

RETURN = r"""
outside_view:
  description:
    - A record like that of a probe, with C(status), C(seconds), C(problems) and C(data). Every field is described in
      C(docs/evidence.md).
  returned: success
  type: dict
  sample:
    status: ok
    seconds: 0.2
    problems: []
    data:
      sound: true
      api:
        url: https://api.archive.example.org/api/health
        stage: answer
        failure: null
        status: 200
"""
