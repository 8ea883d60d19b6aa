# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running guests as an Ansible dynamic inventory."""

from __future__ import annotations

import shlex
from typing import Any, Dict, Sequence

from .guest import USER, Guest

GROUP = "healtharchive"


def inventory(guests: Sequence[Guest]) -> Dict[str, Any]:
    """The document that Ansible's `script` inventory plugin expects, all host variables included."""
    return {
        GROUP: {"hosts": [guest.name for guest in guests]},
        "_meta": {"hostvars": {guest.name: _variables(guest) for guest in guests}},
    }


def _variables(guest: Guest) -> Dict[str, Any]:
    folder = guest.home / "ssh"
    known = [
        "-F",
        "none",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        f"UserKnownHostsFile={folder / 'known_hosts'}",
        "-o",
        "GlobalKnownHostsFile=none",
        "-o",
        "StrictHostKeyChecking=yes",
    ]
    return {
        "ansible_host": guest.address,
        "ansible_user": USER,
        "ansible_ssh_private_key_file": str(folder / "id_ed25519"),
        "ansible_ssh_common_args": shlex.join(known),
        "ansible_python_interpreter": "/usr/bin/python3",
        "healtharchive_public_api_base": f"http://{guest.address}",
        "healtharchive_public_frontend_base": f"http://{guest.address}:8080",
        "healtharchive_public_ca_file": str(guest.home / "authority.pem"),
    }
