# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a note that a person may have edited: every byte of it comes back. Private to this collection."""

from __future__ import annotations

import re
from typing import List

_LINE = re.compile("[^\n]*\n|[^\n]+")
_BYTE_ORDER_MARK = "\ufeff"


def decode(content: bytes) -> str:
    """The bytes of a note as text; :func:`encode` gives the same bytes back, whatever they are."""
    return content.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The way back from :func:`decode`."""
    return text.encode("utf-8", "surrogateescape")


def split(text: str) -> List[str]:
    """The lines with their ends, which are a line feed or nothing; joined they are the text."""
    return _LINE.findall(text)


def bare(line: str) -> str:
    """A line without its end, the spaces around it and a byte order mark."""
    return line.lstrip(_BYTE_ORDER_MARK).strip(" \t\r\n")


def ending(line: str) -> str:
    """How the line ends: with a carriage return or without; a last line that does not end, as if it did."""
    return "\r\n" if line.endswith("\r\n") else "\n"
