# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A number and its word."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import shapes
from ansible_collections.healtharchive.remediation.plugins.module_utils.note import (
    artifacts,
    commands,
    outcomes,
    shortened,
    wording,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.history import actions, read
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note import samples


@pytest.mark.parametrize(("many", "told"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (12345, "12,345 lines")])
def test_the_word_goes_with_the_number(many: int, told: str) -> None:
    assert shapes.counted(many, "line", "lines") == told


@pytest.mark.parametrize(
    ("checks", "told"),
    [(1, "passed, its one check"), (2, "passed, all 2 checks")],
)
def test_a_verification_of_one_check(checks: int, told: str) -> None:
    passed = [{"check": str(number), "result": "passed", "detail": None} for number in range(checks)]
    assert outcomes.of_verification({"passed": True, "checks": passed}) == told
    failed = [{**each, "result": "failed"} for each in passed]
    expected = "0 of 1 check passed" if checks == 1 else "0 of 2 checks passed"
    assert expected in outcomes.of_verification({"passed": False, "checks": failed})


def test_one_that_is_left_out() -> None:
    assert shortened.left_out(1, "event", "events") == "1 event is left out here; the log of the host has it."
    assert shortened.left_out(2, "event", "events") == "2 events are left out here; the log of the host has them."
    assert shortened.newest(["a", "b"], 1, "triage", "triages")[0].startswith("- 1 earlier triage is left out")


def test_one_line_more_of_a_long_text() -> None:
    assert wording.said_in_lines("\n".join("x" * 13))[-1].startswith("and 1 more line (")
    assert wording.said_in_lines("\n".join("x" * 14))[-1].startswith("and 2 more lines (")


def test_one_command_more_of_a_long_action() -> None:
    for more, told in ((1, "# and 1 more command"), (2, "# and 2 more commands")):
        argv = [["true"]] * (40 + more)
        begun = samples.event("action_begun", "18:00", action_id="a", action="worker", argv=argv, subjects=[])
        assert told in commands.lines(actions(read([begun])))


def test_one_commit_more_of_many() -> None:
    for more, told in ((1, "and 1 other before these"), (2, "and 2 others before these")):
        heads = ["%040x" % number for number in range(artifacts._MOST + more)]
        events = [{**samples.event("remark", "18:00", text="x"), "head": head} for head in heads]
        assert any(line.endswith(told) for line in artifacts.lines(read(events)))
