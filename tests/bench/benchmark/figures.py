# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the measured seconds: pure functions. A sample is the seconds of one run."""

from __future__ import annotations

import json
from statistics import median
from typing import Any, Dict, List, Mapping, Sequence

# What a result must tell, null where it was not measured.
RATIOS = (
    "triage_vs_runbook_100ms",
    "triage_vs_runbook_loopback",
    "triage_vs_naive_loopback",
    "growth_jobs",
    "growth_log",
    "growth_journal",
    "host_peak_mib",
    "stale_jobs_module_vs_command",
    "change_vs_triage",
    "clearance_grant_vs_triage_on_host",
    "clearance_check_vs_triage_on_host",
    "change_ssh_commands",
    "clearance_ssh_commands",
    "fleet20_vs_one",
    "fleet20_own_cores_vs_one",
)


def rotated(names: Sequence[str], turn: int) -> List[str]:
    """The names in the order of this round: each is first as often as any other, so a drifting machine favours none."""
    start = turn % len(names)
    return [*names[start:], *names[:start]]


def ratio(measured: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the pairs' ratios; a pair is what was measured in one round, side by side.

    ValueError unless there are as many of both, and at least one.
    """
    if not measured or len(measured) != len(reference):
        raise ValueError("%d samples cannot be paired with %d" % (len(measured), len(reference)))
    return round(median(first / second for first, second in zip(measured, reference)), 3)


def seconds(samples: Mapping[str, Sequence[float]]) -> Dict[str, float]:
    """The median of each contender in seconds, under its name with ``_seconds``."""
    return {name + "_seconds": round(median(values), 3) for name, values in samples.items()}


def document(measured: Mapping[str, Any]) -> str:
    """The result: one line, a JSON object in which every ratio is present."""
    return json.dumps({**dict.fromkeys(RATIOS), **measured})
