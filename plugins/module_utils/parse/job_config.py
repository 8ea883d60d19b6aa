# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's configuration as the admin API shows it (contract 1.11): what of it is wrong, and what campaign it belongs to."""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional

from .text import one_line

# Options that are numbers. The service checks the names of options, not the types of their values, and one that is no
# number makes every listing a traceback (contract 2.4, 2.7).
NUMERIC_OPTIONS = ("initial_workers", "max_container_restarts", "page_limit", "depth")

_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_ANNUAL_NAME = re.compile(r"(?P<source>.+)-(?P<year>[0-9]{4})0101")
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


def wrong_options(config: Any) -> list[str]:
    """``option=value`` for each tool option that should be a number and is none; the column is free JSON."""
    if not isinstance(config, Mapping):
        return ["config=" + one_line(config, 100)]
    options = config.get("tool_options")
    if options is None:
        return []
    if not isinstance(options, Mapping):
        return ["tool_options=" + one_line(options, 100)]
    return ["%s=%s" % (name, one_line(options[name], 100)) for name in NUMERIC_OPTIONS if _is_wrong(options.get(name))]


def _is_wrong(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is None
    return isinstance(value, (list, dict))


def campaign_year(source: Optional[str], name: str, config: Any) -> Optional[int]:
    """The year of the annual campaign that a job belongs to, None when it belongs to none.

    By its metadata, or, since its first run or a patch drops that, by its name (contract 2.2, 2.8).
    """
    if has_campaign_metadata(config):
        year = config.get("campaign_year")
        if isinstance(year, int) and not isinstance(year, bool) and _FIRST_YEAR <= year <= _LAST_YEAR:
            return year
    match = _ANNUAL_NAME.fullmatch(name)
    if match is None or source is None or match.group("source") != source:
        return None
    year = int(match.group("year"))
    return year if _FIRST_YEAR <= year <= _LAST_YEAR else None


def has_campaign_metadata(config: Any) -> bool:
    """Whether annual tiering would know the job for one of a campaign (contract 3.5)."""
    return isinstance(config, Mapping) and config.get("campaign_kind") == "annual"
