# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings, read from the process environment once (contract 1.3)."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
OFF_WORDS = ("0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """What a process was started with; ``None`` or the documented default where a variable was absent."""

    database_url: str
    archive_root: Path
    environment: str
    admin_token: str | None
    job_lock_directory: Path
    log_level: str
    tool_command: str
    replay_base_url: str
    replay_preview_directory: str
    replay_collections_directory: Path
    cors_origins: tuple[str, ...]
    exports_enabled: bool
    change_tracking_enabled: bool
    usage_metrics_enabled: bool
    usage_window_days: int
    rate_limiting_enabled: bool
    index_warc_verify_level: int
    pool_size: int
    max_overflow: int
    pool_timeout_seconds: int

    @property
    def admin_token_required(self) -> bool:
        """Whether this environment must not serve admin endpoints without a token."""
        return self.environment in ("production", "staging")


def _switch(name: str, default: bool = True) -> bool:
    value = os.environ.get(name)
    return default if value is None else value.strip().lower() not in OFF_WORDS


def _bounded(name: str, default: int, low: int, high: int) -> int:
    try:
        value = int(os.environ.get(name, default))
    except ValueError:
        return default
    return max(low, min(high, value))


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    env = os.environ
    level = env.get("HEALTHARCHIVE_LOG_LEVEL", "INFO").upper()
    origins = env.get("HEALTHARCHIVE_CORS_ORIGINS", "")
    return Settings(
        # An empty value is not the same as an absent one: only the latter means SQLite.
        database_url=env.get("HEALTHARCHIVE_DATABASE_URL", f"sqlite:///{CHECKOUT}/healtharchive.db"),
        archive_root=Path(env.get("HEALTHARCHIVE_ARCHIVE_ROOT", "/mnt/nasd/healtharchive/jobs")),
        environment=env.get("HEALTHARCHIVE_ENV", "development"),
        admin_token=env.get("HEALTHARCHIVE_ADMIN_TOKEN") or None,
        job_lock_directory=Path(env.get("HEALTHARCHIVE_JOB_LOCK_DIR") or "/tmp/healtharchive-job-locks"),
        log_level=level if level in LOG_LEVELS else "INFO",
        tool_command=env.get("HEALTHARCHIVE_TOOL_CMD") or str(Path(sys.executable).parent / "archive-tool"),
        replay_base_url=env.get("HEALTHARCHIVE_REPLAY_BASE_URL", ""),
        replay_preview_directory=env.get("HEALTHARCHIVE_REPLAY_PREVIEW_DIR", ""),
        replay_collections_directory=Path(
            env.get("HEALTHARCHIVE_REPLAY_COLLECTIONS_DIR") or "/srv/healtharchive/replay/collections"
        ),
        cors_origins=tuple(origin.strip() for origin in origins.split(",") if origin.strip()),
        exports_enabled=_switch("HEALTHARCHIVE_EXPORTS_ENABLED"),
        change_tracking_enabled=_switch("HEALTHARCHIVE_CHANGE_TRACKING_ENABLED"),
        usage_metrics_enabled=_switch("HEALTHARCHIVE_USAGE_METRICS_ENABLED"),
        usage_window_days=_bounded("HEALTHARCHIVE_USAGE_METRICS_WINDOW_DAYS", 30, 1, 365),
        rate_limiting_enabled=_switch("HEALTHARCHIVE_RATE_LIMITING_ENABLED"),
        index_warc_verify_level=_bounded("HEALTHARCHIVE_INDEX_WARC_VERIFY_LEVEL", 0, 0, 2),
        pool_size=_bounded("HEALTHARCHIVE_DB_POOL_SIZE", 5, 1, 50),
        max_overflow=_bounded("HEALTHARCHIVE_DB_MAX_OVERFLOW", 10, 0, 50),
        pool_timeout_seconds=_bounded("HEALTHARCHIVE_DB_POOL_TIMEOUT_SECONDS", 30, 1, 300),
    )
