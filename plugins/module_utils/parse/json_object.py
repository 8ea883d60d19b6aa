# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON in, one object out, or a ParseError: stricter than ``json.loads``, and never slow."""

from __future__ import annotations

import json
from typing import Any

from .errors import EMPTY, UNPARSABLE, ParseError
from .text import decode

# More than any number that the host sends; the time to read a number grows with the square of its length.
_LONGEST_NUMBER = 40


def json_object(body: bytes, what: str) -> dict[str, Any]:
    """The object. ``what`` names its origin in messages ("the admin API's answer").

    Raises ParseError: ``empty``; ``unparsable`` when it is not UTF-8, not JSON, no object, too deep, holds a key
    twice in one object, NaN or an endless number.
    """
    if not body.strip():
        raise ParseError(EMPTY, what + " is empty")
    try:
        found = json.loads(
            body.decode("utf-8"), parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError) as error:
        raise ParseError(UNPARSABLE, "%s is not JSON: %s" % (what, decode(body[:200]))) from error
    if not isinstance(found, dict):
        raise ParseError(UNPARSABLE, "%s is no JSON object: %s" % (what, decode(body[:200])))
    return found


def _refuse(name: str) -> None:
    raise ValueError("%s is not JSON" % name)


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("the number is too long")
    return int(digits)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found
