# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence document: which probes there are, and how one run of them becomes one document (docs/evidence.md).

Private to this collection.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Dict, Mapping, Optional, Sequence

from . import contexts, host, probe, settings
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


def gather(parameters: Mapping[str, Any], names: Sequence[str]) -> Dict[str, Any]:
    """Run the named probes and return the evidence document; :class:`settings.BadInput` before anything is touched."""
    started = time.monotonic()
    _check_range("deadline", parameters["deadline"], MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS)
    # Whatever blocks this process itself, on a mount or a pipe, is ended with it.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(parameters["deadline"] + _RESERVE_SECONDS)
    where = settings.from_parameters(parameters)
    _check_range("stale_after", parameters["stale_after"], 60, 7 * 24 * 3600)
    context = contexts.context(
        where,
        started + parameters["deadline"] - _RESERVE_SECONDS,
        stale_after_seconds=parameters["stale_after"],
        baseline_mode=parameters["baseline_mode"],
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
    return context.redactor.value(document)


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise settings.BadInput(
            "out_of_range",
            "%s must be from %d to %d seconds, not %d." % (name, low, high, value),
            "Give a value in that range, or leave it out.",
        )


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
