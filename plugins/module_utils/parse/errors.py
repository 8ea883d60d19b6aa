# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which a parser says that it does not know."""

from __future__ import annotations

from .text import one_line

UNPARSABLE = "unparsable"
EMPTY = "empty"
BAD_EVIDENCE = "bad_evidence"
TRUNCATED = "truncated"


class ParseError(Exception):
    """What was read cannot be understood with certainty: the fact is unknown, not absent.

    ``code``: ``unparsable`` (does not follow the grammar), ``empty`` (nothing at all where something must be),
    ``bad_evidence`` (readable, but contradicts itself or comes from the wrong place), ``truncated`` (its end is
    missing). ``message``: one printable line. It may quote input, so redact it before it is shown.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = one_line(message, 300)
        super().__init__(self.message)
