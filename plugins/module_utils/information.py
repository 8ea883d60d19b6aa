# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all read-only modules do: some probes, one evidence document. Private to this collection."""

from __future__ import annotations

from typing import Sequence

from ansible.module_utils.basic import AnsibleModule

from .answer import answer
from .options import ARGUMENT_SPEC


def run_module(names: Sequence[str]) -> None:
    """Be the module that runs the named probes."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    found = answer(module.params, names)
    (module.fail_json if found.get("failed") else module.exit_json)(**found)
