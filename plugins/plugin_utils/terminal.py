# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for a terminal: printable whatever is in them, with a label at the left. Private to this collection."""

from __future__ import annotations

import textwrap
from typing import List

from ..module_utils.parse.text import one_line

WIDTH = 100
LABEL = 10
COMMAND_LIMIT = 4000
_LINE_LIMIT = 400
_WHY_LIMIT = 2000


def headline(host: str, words: str) -> str:
    """``=== HOST: WORDS ===``."""
    return "=== %s: %s ===" % (one_line(host, 80), one_line(words, 160))


def labelled(label: str, text: str, limit: int = _LINE_LIMIT, whole_words: bool = False) -> str:
    """``label     text``, wrapped; with ``whole_words`` a path that is longer than a line stays whole, for it is copied."""
    return textwrap.fill(
        one_line(text, limit),
        WIDTH,
        initial_indent=label.ljust(LABEL) if len(label) < LABEL else label + " ",
        subsequent_indent=" " * LABEL,
        break_on_hyphens=False,
        break_long_words=not whole_words,
    )


def pasted(why: str, command: str, where: str = "") -> List[str]:
    """What to do next, and the one command for it; only a command can be longer than WIDTH, for it is copied."""
    lines = ["", labelled("next", why, _WHY_LIMIT)]
    return lines + ["", where or "To paste:", "    " + one_line(command, COMMAND_LIMIT), ""]
