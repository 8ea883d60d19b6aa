# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence document: which probes there are, and how one run of them becomes one document (docs/evidence.md).

Private to this collection.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from . import envfile, files, host, known_secrets, probe, settings
from .probes import (
    api,
    baseline_drift,
    database,
    deployment,
    environment,
    jobs,
    journal,
    public_surface,
    record,
    replay,
    storage,
    units,
    watchdogs,
)
from .redact import Redactor

SCHEMA_VERSION = 1

PROBES: Mapping[str, probe.Probe] = {
    "environment": environment.probe,
    "database": database.probe,
    "api": api.probe,
    "public_surface": public_surface.probe,
    "units": units.probe,
    "journal": journal.probe,
    "jobs": jobs.probe,
    "baseline_drift": baseline_drift.probe,
    "storage": storage.probe,
    "deployment": deployment.probe,
    "watchdogs": watchdogs.probe,
    "replay": replay.probe,
    "record": record.probe,
}

# Of the deadline, what is kept for ending processes, redacting and reporting, in seconds.
_RESERVE_SECONDS = 5
MIN_DEADLINE_SECONDS = 10
MAX_DEADLINE_SECONDS = 600
_FILE_CAP_BYTES = 1024 * 1024


def gather(parameters: Mapping[str, Any], names: Sequence[str]) -> Dict[str, Any]:
    """Run the named probes and return the evidence document; :class:`settings.BadInput` before anything is touched."""
    started = time.monotonic()
    _check_range("deadline", parameters["deadline"], MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS)
    # Whatever blocks this process itself, on a mount or a pipe, is ended with it.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(parameters["deadline"] + _RESERVE_SECONDS)
    where = settings.from_parameters(parameters)
    _check_range("stale_after", parameters["stale_after"], 60, 7 * 24 * 3600)
    variables, problem = _environment_file(where.env_file)
    secrets = known_secrets.collect(where.env_file, [units.API, units.WORKER])
    redactor = Redactor(secrets)
    context = probe.Context(
        settings=where,
        environment=variables,
        environment_problem=problem,
        redactor=redactor,
        secrets_known=bool(secrets),
        deadline=started + parameters["deadline"] - _RESERVE_SECONDS,
        stale_after_seconds=parameters["stale_after"],
        baseline_mode=parameters["baseline_mode"],
        turn=probe.Turn(),
    )
    host.adopt_orphans()
    try:
        probes = probe.run_all(context, {name: PROBES[name] for name in names})
    finally:
        host.end_descendants()
    document = {
        "schema_version": SCHEMA_VERSION,
        "collected_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "duration_seconds": round(time.monotonic() - started, 3),
        "deadline_seconds": parameters["deadline"],
        "host": _host(),
        "settings": where.described(),
        "probes": probes,
    }
    return redactor.value(document)


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise settings.BadInput(
            "out_of_range",
            "%s must be from %d to %d seconds, not %d." % (name, low, high, value),
            "Give a value in that range, or leave it out.",
        )


def _environment_file(path: str) -> Tuple[Optional[envfile.EnvironmentFile], Optional[probe.Problem]]:
    try:
        content = files.read_regular(path, _FILE_CAP_BYTES + 1)
    except FileNotFoundError:
        return None, probe.Problem("bad_evidence", "The environment file %s does not exist." % path)
    except OSError as error:
        return None, probe.Problem("bad_evidence", "The environment file cannot be read: %s" % error)
    if len(content) > _FILE_CAP_BYTES:
        return None, probe.Problem("bad_evidence", "%s is larger than %d bytes." % (path, _FILE_CAP_BYTES))
    return envfile.parse(content), None


def _host() -> Dict[str, Any]:
    return {
        "hostname": os.uname().nodename,
        "boot_id": _boot_id(),
        "uptime_seconds": round(time.clock_gettime(time.CLOCK_BOOTTIME), 1),
    }


def _boot_id() -> Optional[str]:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as handle:
            return handle.read().strip()
    except (OSError, ValueError):
        return None
