# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any text as Markdown that shows exactly it, also where HTML in Markdown would be shown. Private to this collection.

Every function takes printable lines: :func:`.parse.text.one_line` makes them.
"""

from __future__ import annotations

import re
from typing import List, Sequence

# An underscore between letters or digits means nothing, and names are full of them.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>|#~&$^]|(?<![^\W_])_|_(?![^\W_]))")
# What would begin a list or a rule at the beginning of a line.
_BEGINNING = re.compile(r"^(?:(?=[-+=])|\d+(?=[.)](?:\s|$)))")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(@)")


def text(value: str) -> str:
    """One printable line as Markdown that shows exactly it, within a line."""
    return _ADDRESS.sub(r"\\\g<0>", _SPECIAL.sub(r"\\\1", value))


def line(value: str) -> str:
    """The same at the beginning of a line."""
    return _BEGINNING.sub(r"\g<0>\\", text(value), count=1)


def code(lines: Sequence[str]) -> List[str]:
    """Shell commands, each on its line, in a fence that none of them can end."""
    longest = max((len(run) for each in lines for run in re.findall("`+", each)), default=0)
    fence = "`" * max(longest + 1, 3)
    return [fence + "sh", *lines, fence]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> List[str]:
    """The lines of a table of texts."""
    lines = ["| %s |" % " | ".join(columns), "|%s|" % "|".join(" --- " for _column in columns)]
    return lines + ["| %s |" % " | ".join(text(cell) for cell in row) for row in rows]
