# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a host on which all is well, to be changed by a test."""

from __future__ import annotations

from typing import Any

from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.unit_ends import End
from ansible_collections.healtharchive.remediation.plugins.module_utils.services import decide
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.facts import Facts, Unit
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.seen import API, WORKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import ARGUMENT_SPEC, Settings

WHERE = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
INCIDENT = "2026-11-23-api-down"
HEAD = "837e455ffe20210c8d34929e94846e0026695b91"
UP = Unit("up", "active", "success", started_at="2026-11-23T17:00:00Z")


def down(how: str = "stopped", word: str = "inactive", result: str = "success", by: Any = None, **more: Any) -> Unit:
    return Unit("down", word, result, end=End(how, "2026-11-23T18:00:00Z", by), **more)


LOOPING = Unit("looping", "activating", "exit-code")
WELL = Facts(
    api=UP, worker=UP, postgresql=UP, docker=UP, deploy="none", environment="ok", database="ok", database_detail="",
    api_answer="ok", missing_dependencies=(), schema_at_head=True, absent=(), storage_trouble=(), full_disks=(),
    root_critical=False, rejected_options=(), running_jobs=(), dead_clusters={}, pause=None,
    fresh_environment={API: False, WORKER: False}, head=HEAD, repair_commit=HEAD, undeployed=0, unseen=(),
)  # fmt: skip
# What is seen of the rest while PostgreSQL does not run.
WITHOUT_DATABASE = {"database": "refused", "schema_at_head": None, "api_answer": "database_error", "running_jobs": None}


def decided(facts: Facts = WELL, start_worker: bool = False, accept: Any = (), **changes: Any) -> Any:
    wish = decide.Wish(INCIDENT, start_worker, frozenset(accept))
    return decide.decide(facts._replace(**changes), wish, WHERE)
