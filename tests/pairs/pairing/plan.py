# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pairs there are, and in which order a pair is broken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Tuple

ROOT = Path(__file__).resolve().parents[3]
FAULT_FILES = ROOT / "tests" / "sandbox" / "faults"

Pair = Tuple[str, str]

# What needs more of a sound host is broken first: crawls that the worker must end, crawls of their own, jobs that wait
# behind a busy worker, what stops the worker, what is about code, what is about configuration, and then what takes the
# database or the mounts away. A pair that cannot be had in this order is tried in the other one.
ORDER = (
    "large_journal", "replay_target_failing", "completed_never_indexed", "warc_truncated",
    "bad_crawler_option", "poisoned_resume", "output_dir_not_writable",
    "unpushed_commit", "two_lock_directories",
    "stalled_crawl", "idle_watchdog",
    "stale_beside_healthy", "annual_options_drifted", "campaign_metadata_lost", "sourceless_job", "unlistable_row",
    "output_dir_on_root_disk", "disk_nearly_full", "several_stale_rows", "stale_running_row", "worker_inactive",
    "undeployed_commits", "dirty_checkout", "unit_disabled", "baseline_drift", "deploy_running",
    "tiering_unit_failed", "missing_column", "pending_migration", "api_missing_dependency",
    "wrong_database_password", "postgresql_down", "public_proxy_broken", "api_stopped", "env_file_unreadable",
    "hot_path_stale", "hot_path_hung",
)  # fmt: skip


def faults() -> List[str]:
    """The names of all faults, in the order in which they are broken; one that is not in ORDER comes first.

    What only looks like a fault, and has no class, is none of them.
    """
    every = sorted(path.stem for path in FAULT_FILES.glob("*.sh"))
    names = [name for name in every if _header(name, "class") != "none"]
    return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else -1)


def expected_classes() -> Dict[str, str]:
    """The class that each fault's file names in its header."""
    return {name: _header(name, "class") for name in faults()}


def _header(fault: str, key: str) -> str:
    found = re.search(r"^# %s: (.+)$" % key, (FAULT_FILES / (fault + ".sh")).read_text(), re.MULTILINE)
    if found is None:
        raise ValueError("%s has no line '# %s: ...'" % (fault, key))
    return found.group(1).strip()


def pairs(classes: Dict[str, str]) -> List[Pair]:
    """Every pair once, (broken first, broken second); pairs with a storage fault come before the others."""
    names = faults()
    found = [(first, second) for at, first in enumerate(names) for second in names[at + 1 :]]
    return sorted(found, key=lambda pair: "storage" not in (classes[pair[0]], classes[pair[1]]))


def rows(wanted: List[Pair]) -> List[Tuple[str, List[str]]]:
    """The pairs by the fault that is broken first: it is broken once for all of them."""
    found: Dict[str, List[str]] = {}
    for first, second in wanted:
        found.setdefault(first, []).append(second)
    return list(found.items())
