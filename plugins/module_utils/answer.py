# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a read-only module answers, whatever carries it to the host: a result as Ansible wants it. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

from . import evidence
from .settings import BadInput


def answer(parameters: Mapping[str, Any], names: Optional[Sequence[str]] = None) -> Dict[str, Any]:
    """The evidence of the named probes, by default of all, or why the input cannot be used."""
    try:
        document = evidence.gather(parameters, tuple(evidence.PROBES) if names is None else names)
    except BadInput as error:
        message = "%s %s" % (error, error.next_step)
        return {"failed": True, "msg": message, "code": error.code, "next_step": error.next_step}
    return {"changed": False, "evidence": document}
