# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's configuration: its shape, its defaults and the rewriting that drops campaign metadata (contract 2.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

KEPT_KEYS = ("seeds", "zimit_passthrough_args", "tool_options", "execution_policy")
CAMPAIGN_KEYS = ("campaign_kind", "campaign_year", "campaign_date", "scheduler_version")
BACKENDS = ("browsertrix", "http_warc", "playwright_warc")


@dataclass(frozen=True)
class ToolOptions:
    """What the crawler is told. The ``simulated_*`` options exist only in this stand-in; see the README."""

    initial_workers: int = 1
    max_container_restarts: int = 20
    page_limit: int = 0
    depth: int = 0
    simulated_seconds: int = 0
    simulated_pages: int = 0
    simulated_stall_after_pages: int = 0
    simulated_exit_code: int = 0


@dataclass(frozen=True)
class ExecutionPolicy:
    """How failures are handled; ``primary_backend`` is filled in when the job first starts."""

    primary_backend: str | None = None
    capture_backend: str | None = None
    fallback_backend: str | None = None
    resume_policy: str = "auto"

    @property
    def active_backend(self) -> str:
        """The backend that captures."""
        return self.capture_backend or self.primary_backend or BACKENDS[0]


TOOL_OPTION_NAMES = tuple(item.name for item in fields(ToolOptions))
EXECUTION_POLICY_NAMES = tuple(item.name for item in fields(ExecutionPolicy))


@dataclass(frozen=True)
class JobConfig:
    """A parsed configuration."""

    seeds: tuple[str, ...] = ()
    passthrough: tuple[str, ...] = ()
    tool_options: ToolOptions = field(default_factory=ToolOptions)
    policy: ExecutionPolicy = field(default_factory=ExecutionPolicy)


def parse(config: dict[str, Any] | None) -> JobConfig:
    """Parse a row's configuration; ``ValueError`` when an option is not a number.

    Listings call this for every row they print, so one bad row ends them in a traceback (contract 2.4).
    """
    config = config or {}
    options = config.get("tool_options") or {}
    policy = config.get("execution_policy") or {}
    return JobConfig(
        seeds=tuple(config.get("seeds") or ()),
        passthrough=tuple(config.get("zimit_passthrough_args") or ()),
        tool_options=ToolOptions(**{name: int(options[name]) for name in TOOL_OPTION_NAMES if name in options}),
        policy=ExecutionPolicy(**{name: policy[name] for name in EXECUTION_POLICY_NAMES if name in policy}),
    )


def without_campaign(config: dict[str, Any] | None) -> dict[str, Any]:
    """The configuration as it is rewritten: the four known keys, nothing else."""
    config = config or {}
    empty: dict[str, Any] = {"seeds": [], "zimit_passthrough_args": [], "tool_options": {}, "execution_policy": {}}
    return {key: config.get(key) or empty[key] for key in KEPT_KEYS}


def started(config: dict[str, Any] | None) -> dict[str, Any]:
    """The configuration after the job's first start: unchanged when a primary backend was already chosen."""
    if parse(config).policy.primary_backend:
        return config or {}
    rewritten = without_campaign(config)
    rewritten["execution_policy"] = {**rewritten["execution_policy"], "primary_backend": BACKENDS[0]}
    return rewritten
