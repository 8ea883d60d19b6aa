# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three ways in which the host writes a time, all turned into ``2026-11-23T15:44:08Z``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_ZONED = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DATABASE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def from_epoch(seconds: float) -> str:
    """Seconds since 1970. ValueError when that is no time between the years 1 and 9999."""
    try:
        moment = datetime.fromtimestamp(seconds // 1, timezone.utc)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("not a time") from error
    return _write(moment)


def from_zoned(value: str) -> str:
    """``2026-11-23T10:44:08.067545-05:00`` (contract 1.11).

    The zone is required, a fraction is dropped. ValueError otherwise.
    """
    match = _ZONED.fullmatch(value)
    if match is None:
        raise ValueError("not a time with a zone")
    moment = datetime.strptime(match.group(1) + " " + match.group(2), "%Y-%m-%d %H:%M:%S")
    if match.group(3) is not None:
        hours, minutes = int(match.group(4)), int(match.group(5))
        if hours > 23 or minutes > 59:
            raise ValueError("not a time zone")
        offset = timedelta(hours=hours, minutes=minutes)
        try:
            moment = moment - offset if match.group(3) == "+" else moment + offset
        except OverflowError as error:
            raise ValueError("not a time") from error
    return _write(moment)


def from_database(value: str) -> str:
    """``2026-11-23 15:44:08``, which carries no zone: it is UTC because the caller sets PGTZ=UTC (contract 2.4).

    ValueError otherwise.
    """
    if _DATABASE.fullmatch(value) is None:
        raise ValueError("not a time")
    return _write(datetime.strptime(value, "%Y-%m-%d %H:%M:%S"))


def to_epoch(value: str) -> float:
    """The way back: seconds since 1970 of a string that one of the functions above returned. ValueError otherwise."""
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


def _write(moment: datetime) -> str:
    return moment.replace(tzinfo=None, microsecond=0).isoformat() + "Z"
