# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all read-only modules do: some probes, one evidence document. Private to this collection."""

from __future__ import annotations

from typing import Sequence

from ansible.module_utils.basic import AnsibleModule

from . import evidence
from .settings import BadInput


def run_module(names: Sequence[str]) -> None:
    """Be the module that runs the named probes."""
    module = AnsibleModule(argument_spec=evidence.ARGUMENT_SPEC, supports_check_mode=True)
    try:
        document = evidence.gather(module.params, names)
    except BadInput as error:
        module.fail_json(msg="%s %s" % (error, error.next_step), code=error.code, next_step=error.next_step)
    module.exit_json(changed=False, evidence=document)
