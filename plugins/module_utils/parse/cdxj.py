# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of a replay collection (contract 1.10): ``KEY TIMESTAMP {JSON}`` on each line."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, Optional

from .errors import EMPTY, UNPARSABLE, ParseError

_LINE = re.compile(rb"[^ ]+ ([0-9]{14}) (\{.*\})")
# What can be put into a request as it is; without a fragment, which a request does not have.
_URL = re.compile(r"https?://[!-\"$-~]{1,1000}")
# Longer lines are not looked at: the index is text of unknown origin.
_LINE_LIMIT = 16 * 1024


class Capture(NamedTuple):
    """One page that replay must be able to serve: when it was archived (14 digits, UTC) and its address."""

    timestamp: str
    url: str


def served_page(content: bytes, whole: bool) -> Optional[Capture]:
    """A page that was archived with status 200, an HTML page if there is one; None: no line names one.

    ``whole`` false: the content is the end of a longer file, and its first line may be torn. Raises ParseError:
    ``empty``, ``unparsable`` (no line follows the grammar).
    """
    lines = content.split(b"\n")
    if not whole:
        lines = lines[1:]
    lines = [line for line in lines if line.strip() and not line.startswith(b"!")]
    if not lines:
        raise ParseError(EMPTY, "the index has no line")
    found: Optional[Capture] = None
    understood = False
    for line in lines:
        match = _LINE.fullmatch(line.rstrip(b"\r")) if len(line) <= _LINE_LIMIT else None
        fields = None if match is None else _fields(match.group(2))
        if match is None or fields is None:
            continue
        understood = True
        url = fields.get("url")
        if str(fields.get("status")) != "200" or not isinstance(url, str) or _URL.fullmatch(url) is None:
            continue
        found = Capture(match.group(1).decode("ascii"), url)
        if fields.get("mime") == "text/html":
            return found
    if not understood:
        raise ParseError(UNPARSABLE, "no line of the index is a key, a time and a JSON object")
    return found


def _fields(text: bytes) -> Optional[dict[str, Any]]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None
