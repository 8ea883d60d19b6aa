# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether exactly the planned jobs changed, by the rows and not by what the command says."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import effect
from hypothesis import given
from hypothesis import strategies as st

BEFORE = {"status": "running", "started_at": "2026-11-23T10:00:00Z", "crawler_stage": None}
RECOVERED = {**BEFORE, "status": "retryable", "crawler_stage": "recovered_stale_running"}
AGAIN = {**BEFORE, "started_at": "2026-11-23T12:00:00Z"}
DONE = {**BEFORE, "status": "indexed"}

# Rows of the planned jobs 1 and 2 and of job 9 beside them afterwards, what the command names, whether the worker runs.
TABLE = [
    ([RECOVERED, RECOVERED, BEFORE], [1, 2], False, "applied", True),
    ([RECOVERED, AGAIN, BEFORE], [1, 2], True, "applied", True),
    ([DONE, RECOVERED, BEFORE], [1, 2], True, "applied", True),
    ([BEFORE, BEFORE, BEFORE], [1, 2], False, "failed", False),
    ([BEFORE, BEFORE, BEFORE], [], False, "failed", False),
    ([RECOVERED, BEFORE, BEFORE], [1], False, "unknown", True),
    ([RECOVERED, BEFORE, BEFORE], [1, 2], False, "unknown", True),
    # The command names one too many, or another one is recovered by nobody who would.
    ([RECOVERED, RECOVERED, RECOVERED], [1, 2, 9], True, "unknown", True),
    ([RECOVERED, RECOVERED, BEFORE], [1, 2, 9], True, "unknown", True),
    ([RECOVERED, RECOVERED, RECOVERED], [1, 2], False, "unknown", True),
    ([RECOVERED, RECOVERED, {**RECOVERED, "crawler_stage": None}], [1, 2], False, "unknown", True),
    # The worker heals such rows as well, and a crawl beside it may end.
    ([RECOVERED, RECOVERED, RECOVERED], [1, 2], True, "applied", True),
    ([RECOVERED, RECOVERED, {**RECOVERED, "crawler_stage": "fresh_failed"}], [1, 2], False, "applied", True),
    ([RECOVERED, RECOVERED, DONE], [1, 2], False, "applied", True),
    ([RECOVERED, RECOVERED, AGAIN], [1, 2], False, "applied", True),
    ([RECOVERED, RECOVERED, BEFORE], [1], True, "applied", True),
    ([RECOVERED, RECOVERED, BEFORE], [1], False, "unknown", True),
    ([None, RECOVERED, BEFORE], [1, 2], False, "unknown", None),
    ([None, None, None], [1, 2], False, "unknown", None),
]  # fmt: skip


def judged(rows: List[Optional[Dict[str, Any]]], claimed: List[int], worker_runs: bool) -> Any:
    now = {job: row for job, row in zip((1, 2, 9), rows) if row is not None}
    return effect.judge(effect.of({1: BEFORE, 2: BEFORE}, {9: BEFORE}, now), claimed, worker_runs)


@pytest.mark.parametrize(("rows", "claimed", "worker_runs", "outcome", "changed"), TABLE, ids=range(len(TABLE)))
def test_judged_by_the_rows(rows: Any, claimed: Any, worker_runs: bool, outcome: str, changed: Any) -> None:
    found = judged(rows, claimed, worker_runs)
    assert found[:2] == (outcome, changed)


def test_another_set_shouts_and_names_it() -> None:
    assert (
        "NOT WHAT WAS PLANNED. Changed as well: job 9." in judged([RECOVERED, RECOVERED, RECOVERED], [1, 2, 9], True)[2]
    )
    assert "NOT WHAT WAS PLANNED. Still marked running: job 2." in judged([RECOVERED, BEFORE, BEFORE], [1, 2], True)[2]


some_row = st.sampled_from([None, BEFORE, RECOVERED, AGAIN, DONE, {**BEFORE, "status": "failed"}])


@given(st.lists(some_row, min_size=3, max_size=3), st.lists(st.sampled_from([1, 2, 9, 77]), unique=True), st.booleans())
def test_applied_is_never_said_of_what_was_not_seen(rows: Any, claimed: List[int], worker_runs: bool) -> None:
    outcome, changed, sentence = judged(rows, claimed, worker_runs)
    assert sentence
    if outcome == "applied":
        assert changed is True
        assert all(row not in (None, BEFORE) for row in rows[:2])
        assert set(claimed) <= {1, 2}
    if changed is False:
        assert rows[:2] == [BEFORE, BEFORE]
