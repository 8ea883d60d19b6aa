# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command of an act, and what went wrong with it on one line. Private to this collection."""

from __future__ import annotations

from typing import Optional, Sequence

from .change import ActFailed
from .probe import Context, complaint, failed


def problem(context: Context, argv: Sequence[str], seconds: float) -> Optional[str]:
    """What went wrong, on one line; None: it ended well."""
    result = context.run(argv, seconds)
    if result.failure is not None:
        return failed(result, " ".join(argv)).message.rstrip(".")
    if result.rc != 0:
        said = complaint(result.stderr) or complaint(result.stdout)
        return "%s ended with %d: %s" % (" ".join(argv), result.rc, said.rstrip("."))
    return None


def run(context: Context, argv: Sequence[str], seconds: float) -> None:
    """:class:`ActFailed` where it does not end well."""
    found = problem(context, argv, seconds)
    if found is not None:
        raise ActFailed(found + ".")
