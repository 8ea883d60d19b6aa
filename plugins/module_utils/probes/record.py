# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of incidents: is it whole, what was begun and never finished, which incidents are open (design 8)?"""

from __future__ import annotations

import time
from typing import Any, Dict, List

from ..audit import AuditLog, Paths
from ..events import Origin
from ..parse import times
from ..parse.audit import Chain
from ..probe import Context, Finding, Problem
from ..recorded import Action, Record
from ..settings import BadInput
from ..shapes import counted

# Some thousand events. Of what is older only those are read that tell of actions and incidents.
CHECKED_BYTES = 4 * 1024 * 1024
READ_BYTES = 64 * 1024 * 1024
MOST_ITEMS = 50
_MARKS = (b'"kind":"action_', b'"kind":"incident_')
_CODES = {"ops_directory_missing": "not_found", "audit_unsafe": "bad_evidence"}


def probe(context: Context) -> Finding:
    """Actions and incidents of the whole log; the chain of its newest part."""
    log = AuditLog(Paths(context.settings.ops_directory), Origin(), context.redactor)
    problems: List[Problem] = []
    try:
        with log.reading() as snapshot:
            checked, read = snapshot.cut(CHECKED_BYTES), snapshot.cut(READ_BYTES)
            record, chain = Record(), Chain(from_start=checked == 0)
            unbelieved = 0
            for event in snapshot.marked(_MARKS, read, checked):
                if event is None:
                    unbelieved += 1
                else:
                    record.add(event)
            for event in snapshot.events(chain, checked):
                record.add(event)
            size = snapshot.size
    except BadInput as error:
        return Finding(None, [Problem(_CODES.get(error.code, "permission_denied"), str(error))])
    if read:
        message = "Only the newest %d bytes of %s were read: what began before is not seen." % (
            READ_BYTES,
            log.paths.log,
        )
        problems.append(Problem("output_truncated", message))
    if unbelieved:
        changed = counted(unbelieved, "line was", "lines were")
        message = "%s changed in %s after it was written." % (changed, log.paths.log)
        problems.append(Problem("bad_evidence", message))
    now = time.time()
    unfinished = list(record.unfinished.values())
    return Finding(
        {
            "path": log.paths.log,
            "size_bytes": size,
            "checked_bytes": size - checked,
            "whole": chain.verified if size else None,
            # Of a part of the log the numbers of its lines are not known.
            "first_broken_line": chain.first_broken_line if checked == 0 else None,
            "torn_end": chain.torn_end,
            "unfinished_actions": [_action(action, now) for action in unfinished[-MOST_ITEMS:]],
            "unfinished_count": None if read or unbelieved else len(unfinished),
            "open_incidents": [each.id for each in record.incidents.values() if each.state == "open"][-MOST_ITEMS:],
        },
        problems,
    )


def _action(action: Action, now: float) -> Dict[str, Any]:
    return {
        "incident": action.incident,
        "action": action.action,
        "action_id": action.action_id,
        "begun_at": action.begun_at,
        "age_seconds": round(now - times.to_epoch(action.begun_at), 1),
        "subjects": list(action.subjects[:MOST_ITEMS]),
    }
