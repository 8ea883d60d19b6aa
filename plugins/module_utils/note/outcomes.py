# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an action or a verification ended, in words. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from .. import verdict
from ..shapes import counted, records, words
from .wording import comma, said

_CHANGED = {True: "the host was changed", False: "the host was not changed"}
_PASSED = {True: "passed", False: "failed"}
RESULTS = ("failed", "unknown", "passed")


def of_action(data: Mapping[str, Any]) -> str:
    """``applied, the host was changed``, of an ``action_finished``."""
    told = _of_three(_CHANGED, data.get("changed"), "whether the host was changed is not known")
    return "%s, %s" % (said(words(data.get("outcome"))), told)


def of_verification(data: Mapping[str, Any]) -> str:
    """``passed, all 12 checks``, of a ``verified``."""
    checks = by_result(data)
    every = sum(len(names) for names in checks.values())
    told = _of_three(_PASSED, verdict.of(data), "not everything could be seen")
    if every and len(checks["passed"]) == every:
        return "%s, %s" % (told, "its one check" if every == 1 else "all %d checks" % every)
    told += ", %d of %s passed" % (len(checks["passed"]), counted(every, "check", "checks"))
    for result in ("failed", "unknown"):
        if checks[result]:
            told += "; %s: %s" % (result, comma([said(name, 80) for name in checks[result]]))
    return told


def by_result(data: Mapping[str, Any]) -> Dict[str, List[Any]]:
    """The names of the checks by their result. A result that is none of the three is unknown."""
    found: Dict[str, List[Any]] = {result: [] for result in RESULTS}
    for check in records(data.get("checks")):
        found[result_of(check)].append(check.get("check"))
    return found


def result_of(check: Mapping[str, Any]) -> str:
    """One of :data:`RESULTS`."""
    result = check.get("result")
    return result if isinstance(result, str) and result in RESULTS else "unknown"


def _of_three(told: Mapping[bool, str], value: Any, not_known: str) -> str:
    return told[value] if isinstance(value, bool) else not_known
