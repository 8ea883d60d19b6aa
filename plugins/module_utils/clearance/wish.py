# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for, and whether it can be meant. Pure. Private to this collection."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Sequence, Tuple

from ..parse.text import one_line
from ..refusal import Refusal

DEFAULT_MINUTES = 30
LEAST_MINUTES = 1
# Longer than any recovery; meanwhile nothing can be deployed and the host's watchdogs stand still. Renewals count in.
MOST_MINUTES = 240
_MOST_COMMITS = 20
_SHORTEST = 7
# What summaries print where only the operator knows.
COMMIT, REASON, FORCE_REASON = "FULL_COMMIT_ID", "WHY_NO_COMMIT_IS_NEEDED", "WHY_IT_IS_TAKEN_AWAY"
_SHA = re.compile(r"[0-9a-f]{%d,40}" % _SHORTEST)


class Wish(NamedTuple):
    """Either commits, each in full or its first digits, or a reason why none is needed."""

    required: Tuple[str, ...]
    reason: Optional[str]


def wish(required: Optional[Sequence[str]], reason: Optional[str]) -> Wish:
    """None: not said. :class:`Refusal`."""
    if required is None and reason is None:
        raise Refusal(
            "repo_decision_missing",
            "It is not said which commit this depends on.",
            "Say it: -e required_commit=SHA, the commit with the fix; or, if the repository needs no change for this, why: "
            "-e no_repo_change_reason='...'. That decision is yours.",
        )
    if required is not None and reason is not None:
        raise Refusal(
            "repo_decision_double",
            "Both required_commit and no_repo_change_reason are given: either a commit is needed or none is.",
            "Leave one of them out.",
        )
    if reason is not None:
        if not says_something(reason):
            raise Refusal(
                "bad_reason",
                "no_repo_change_reason says nothing.",
                "Say in your own words why the repository needs no change for this.",
            )
        return Wish((), reason)
    return Wish(_commits(required or ()), None)


def says_something(text: str) -> bool:
    """Whether there are words in it, and not only the word that a summary puts in their place."""
    return any(sign.isalnum() for sign in text) and text.strip(" \t\r\n'\".") not in (REASON, FORCE_REASON)


def seconds(minutes: int) -> int:
    """For how long; :class:`Refusal`."""
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise Refusal(
            "bad_ttl",
            "A clearance lasts from %d to %d minutes, not %d." % (LEAST_MINUTES, MOST_MINUTES, minutes),
            "Leave it out for %d minutes: it can be renewed." % DEFAULT_MINUTES,
        )
    return minutes * 60


def _commits(given: Sequence[str]) -> Tuple[str, ...]:
    if not given:
        raise _bad("required_commit is an empty list.")
    if len(given) > _MOST_COMMITS:
        raise _bad("required_commit names %d commits; %d are allowed." % (len(given), _MOST_COMMITS))
    found: List[str] = []
    for each in given:
        sha = each.strip().lower()
        if not sha:
            raise _bad("required_commit is empty.")
        if _SHA.fullmatch(sha) is None:
            raise _bad("required_commit %s is no commit id." % one_line(repr(each), 60))
        # One that begins with the other is the same, or could be two.
        same = next((other for other in found if other.startswith(sha) or sha.startswith(other)), None)
        if same is not None:
            raise _bad("required_commit names %s twice." % (sha if len(sha) > len(same) else same))
        found.append(sha)
    return tuple(found)


def _bad(message: str) -> Refusal:
    return Refusal(
        "bad_required_commit",
        message,
        "Give the id of a commit, %d to 40 digits from 0 to f; several separated by commas. No branch and no tag: those move."
        % _SHORTEST,
    )
