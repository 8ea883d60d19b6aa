# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host shows of the commit that it runs: the facts that a decision is made from. Private to this collection.

None is "not known" everywhere, and never "fine".
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

# What became of a commit that is demanded.
IN_HEAD, UNDEPLOYED, ELSEWHERE, UNKNOWN, AMBIGUOUS, UNREADABLE = (
    *("in_head", "undeployed", "elsewhere", "unknown", "ambiguous", "unreadable"),
)
# Not in HEAD, or not in the checkout at all, and origin/main could not be asked.
BEYOND, UNASKED = "beyond", "unasked"
# Of the deploy lock. ``foreign``: its file belongs to somebody who could take it away from under a lock.
FREE, HELD, FOREIGN, LOCK_UNKNOWN = "free", "held", "foreign", "unknown"


class Commit(NamedTuple):
    """``asked`` as it was said; ``sha`` the full id if the checkout has it."""

    asked: str
    sha: Optional[str]
    state: str


class Process(NamedTuple):
    """``here``: it runs from the checkout. ``current``: it was started after the last change of code and environment."""

    unit: str
    running: Optional[bool]
    started_at: Optional[str]
    here: Optional[bool]
    current: Optional[bool]


class Facts(NamedTuple):
    """``*_problem`` is one line on why something is not known."""

    checkout: str
    head: Optional[str]
    git_problem: Optional[str]
    required: Tuple[Commit, ...]
    clean: Optional[bool]
    differing: Tuple[str, ...]
    on_origin_main: Optional[bool]
    origin_main: Optional[str]
    origin_main_from: Optional[str]
    origin_problem: Optional[str]
    dependencies_met: Optional[bool]
    missing: Tuple[str, ...]
    environment_changed_at: Optional[str]
    environment_problem: Optional[str]
    schema_at_head: Optional[bool]
    schema_current: Tuple[str, ...]
    schema_heads: Tuple[str, ...]
    schema_problem: Optional[str]
    code_changed_at: Optional[str]
    processes: Tuple[Process, ...]
    processes_problem: Optional[str]
    deploys: Tuple[str, ...]
    lock_file: str
    lock: str
    lock_holders: Tuple[str, ...]

    def described(self) -> Dict[str, Any]:
        """As a module returns it."""
        return {
            **self._asdict(),
            "required": [each._asdict() for each in self.required],
            "processes": [each._asdict() for each in self.processes],
            **{
                name: list(getattr(self, name))
                for name in ("differing", "missing", "schema_current", "schema_heads", "deploys", "lock_holders")
            },
        }
