# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""patch-job-config, reconcile-annual-tool-options: change what a job's crawler is told."""

from __future__ import annotations

import argparse
from typing import Any

from healtharchive.annual import CANONICAL_TOOL_OPTIONS, campaign, find_annual_job
from healtharchive.cli.common import Commands, add, fail, find_job
from healtharchive.database import session_scope
from healtharchive.job_config import (
    EXECUTION_POLICY_NAMES,
    TOOL_OPTION_NAMES,
    ExecutionPolicy,
    ToolOptions,
    parse,
    without_campaign,
)
from healtharchive.models import PATCHABLE_STATUSES, ArchiveJob
from healtharchive.sources import SOURCE_CODES

BOOLEANS = {"true": True, "false": False}
GROUPS = (
    ("tool_options", TOOL_OPTION_NAMES, vars(ToolOptions())),
    ("execution_policy", EXECUTION_POLICY_NAMES, vars(ExecutionPolicy())),
)


def register(commands: Commands) -> None:
    """Add the sub-commands."""
    patch = add(commands, "patch-job-config", patch_job_config, "Change options of one job.")
    patch.add_argument("--id", type=int, required=True)
    patch.add_argument("--set-tool-option", metavar="KEY=VALUE", action="append", default=[])
    patch.add_argument("--set-execution-policy", metavar="KEY=VALUE", action="append", default=[])
    patch.add_argument("--apply", action="store_true")
    reconcile = add(commands, "reconcile-annual-tool-options", reconcile_annual, "Bring annual jobs to their options.")
    reconcile.add_argument("--year", type=int, required=True)
    reconcile.add_argument("--sources", nargs="+", default=list(SOURCE_CODES))
    reconcile.add_argument("--limit", type=int)
    reconcile.add_argument("--apply", action="store_true")


def patch_job_config(arguments: argparse.Namespace) -> int:
    """Checks the names of keys, not the types of values; applying drops campaign metadata."""
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        if job.status not in PATCHABLE_STATUSES:
            return fail(
                f"Cannot patch job in status {job.status!r}. Only jobs in status {PATCHABLE_STATUSES} can be patched."
            )
        config, changes = without_campaign(job.config), []
        for (group, names, defaults), words in zip(
            GROUPS, (arguments.set_tool_option, arguments.set_execution_policy), strict=True
        ):
            values = dict(config[group])
            for word in words:
                key, separator, text = word.partition("=")
                if not separator or key not in names:
                    return fail(f"Unknown key {key!r} for {group}; known keys: {', '.join(names)}.")
                old, new = values.get(key, defaults[key]), _value(text)
                if old != new:
                    changes.append(f"  {key}: {old} -> {new}")
                values[key] = new
            config[group] = values
        print("Config changes:")
        print("\n".join(changes) if changes else "  (no changes)")
        if not arguments.apply:
            print("[DRY RUN] No changes applied. Use --apply to save changes.")
        elif changes:
            job.config = config
            print(f"Applied config changes to job {job.id}.")
    return 0


def _value(text: str) -> bool | int | str:
    return BOOLEANS[text] if text in BOOLEANS else int(text) if text.isdigit() else text


def reconcile_annual(arguments: argparse.Namespace) -> int:
    """Also restores campaign metadata, found by the job's name."""
    unknown = [source for source in arguments.sources if source not in SOURCE_CODES]
    if unknown:
        return fail(f"Unknown source(s): {', '.join(unknown)}.")
    with session_scope() as session:
        for source in arguments.sources[: arguments.limit]:
            job = find_annual_job(session, source, arguments.year)
            if job is None:
                print(f"{source}: no annual job for {arguments.year}")
                continue
            try:
                parse(job.config)
            except ValueError as error:
                fail(f"job_id={job.id} source={source}: invalid configuration: {error}")
                continue
            _reconcile(job, arguments.year, arguments.apply)
    return 0


def _reconcile(job: ArchiveJob, year: int, apply: bool) -> None:
    config: dict[str, Any] = {**(job.config or {})}
    options = config.get("tool_options") or {}
    wanted = CANONICAL_TOOL_OPTIONS[job.source_code]
    changes = [(f"tool_options.{key}", options.get(key), new) for key, new in wanted.items()]
    changes += [(key, config.get(key), new) for key, new in campaign(year).items()]
    changes = [change for change in changes if change[1] != change[2]]
    word = "UNCHANGED" if not changes else "UPDATED" if apply else "WOULD UPDATE"
    print(f"{job.source_code}: job_id={job.id} name={job.name} {word}")
    for key, old, new in changes:
        print(f"  {key}: {old} -> {new}")
    if changes and apply:
        job.config = {**config, **campaign(year), "tool_options": {**options, **wanted}}
