# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was true before a recovery of storage and after it, kept on the host beside its record (contract 4.4, steps 1 and 9).

Private to this collection.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict

from .. import directories, probe
from ..change import Host
from ..evidence import PROBES, SCHEMA_VERSION
from ..refusal import Refusal

SECONDS = 30.0
_NAMES = ("storage", "units", "watchdogs", "jobs", "replay", "journal", "database")
_DIRECTORY = "storage-evidence"


def keep(host: Host, moment: str) -> str:
    """Ask the probes and write what they found; the path of the file. :class:`Refusal`, :class:`BadInput`."""
    context = host.context._replace(deadline=min(host.context.deadline, time.monotonic() + SECONDS))
    probes = probe.run_all(context, {name: PROBES[name] for name in _NAMES})
    document: Dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "collected_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "incident": host.incident,
        "action_id": host.action_id,
        "moment": moment,
        "probes": probes,
    }
    content = json.dumps(context.redactor.value(document), indent=1, sort_keys=True).encode("ascii")
    return _write(host, "%s-%s.json" % (host.action_id, moment), content)


def _write(host: Host, name: str, content: bytes) -> str:
    path = os.path.join(host.log.paths.directory, _DIRECTORY)
    try:
        with host.log.directory(create=True) as parent:
            if parent is None:
                raise OSError("it could not be created")
            directory = directories.directory(parent, _DIRECTORY, path, True)
            if directory is None:
                raise OSError("it could not be created")
            try:
                file = directories.created_file(directory, name, os.path.join(path, name), os.O_WRONLY)
                with os.fdopen(file, "wb") as handle:
                    handle.write(content)
                    handle.flush()
                    os.fsync(handle.fileno())
            finally:
                os.close(directory)
    except (OSError, directories.Unsafe) as error:
        raise Refusal(
            "evidence_unwritable",
            "The evidence of before cannot be kept in %s (%s), and nothing is unmounted without it." % (path, error),
            "Make room or see what is there, then plan again.",
        ) from error
    return os.path.join(path, name)
