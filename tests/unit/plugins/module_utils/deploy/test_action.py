# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first good start out of a loop of restarts is no part of the loop."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy import action, judge, survey
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import systemd

CONTEXT: Any = SimpleNamespace(seconds=lambda wanted: wanted)


def looks(monkeypatch: pytest.MonkeyPatch, ended: judge.Ended, *states: Any) -> List[Any]:
    """What was slept, and what was seen in the end, where the API is in these states one after another."""
    slept: List[Any] = []
    left = list(states)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(
        survey,
        "seen",
        lambda _context: SimpleNamespace(
            api=None if left[0] is None else SimpleNamespace(state=left.pop(0)), worker=SimpleNamespace(state="active")
        ),
    )
    seen = action._seen(CONTEXT, ended)
    return [*slept, None if seen.api is None else seen.api.state]


def test_a_start_that_may_be_one_of_a_loop_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    long_enough = systemd.RECENT_SECONDS + 1
    well = judge.Ended(judge.OK, 0)
    assert looks(monkeypatch, well, "restarting", "active") == [long_enough, "active"]
    assert looks(monkeypatch, well, "restarting", "restarting") == [long_enough, "restarting"]


@pytest.mark.parametrize(
    ("ended", "state"),
    [
        (judge.Ended(judge.OK, 0), "active"),
        (judge.Ended(judge.OK, 0), None),
        (judge.Ended(judge.CODE, 1), "restarting"),
        (judge.Ended(judge.LOST), "restarting"),
    ],
)
def test_everything_else_is_looked_at_once(monkeypatch: pytest.MonkeyPatch, ended: judge.Ended, state: Any) -> None:
    assert looks(monkeypatch, ended, state) == [state]
