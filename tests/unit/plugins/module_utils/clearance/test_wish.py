# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked for."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import wish
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal

SHA = "5a48b2210c0a6f5d1f7ee8f1c4c02b4fe3d5a111"


@pytest.mark.parametrize(
    ("required", "reason", "code"),
    [
        (None, None, "repo_decision_missing"),
        ([SHA], "why not", "repo_decision_double"),
        ([], "why not", "repo_decision_double"),
        ([SHA], "", "repo_decision_double"),
        ([], None, "bad_required_commit"),
        ([""], None, "bad_required_commit"),
        (["  "], None, "bad_required_commit"),
        ([SHA, ""], None, "bad_required_commit"),
        ([SHA, SHA], None, "bad_required_commit"),
        ([SHA, SHA[:12]], None, "bad_required_commit"),
        ([SHA[:7], SHA], None, "bad_required_commit"),
        (["main"], None, "bad_required_commit"),
        (["HEAD"], None, "bad_required_commit"),
        (["HEAD~1"], None, "bad_required_commit"),
        ([SHA[:6]], None, "bad_required_commit"),
        ([SHA + "0"], None, "bad_required_commit"),
        (["--all"], None, "bad_required_commit"),
        ([SHA + " " + SHA[:7]], None, "bad_required_commit"),
        (["%040x" % number for number in range(21)], None, "bad_required_commit"),
        (["FULL_COMMIT_ID"], None, "bad_required_commit"),
        (None, "", "bad_reason"),
        (None, " ... ", "bad_reason"),
        (None, "WHY_NO_COMMIT_IS_NEEDED", "bad_reason"),
        (None, "'WHY_NO_COMMIT_IS_NEEDED'", "bad_reason"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(required, reason, code):
    with pytest.raises(Refusal) as caught:
        wish.wish(required, reason)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("required", "found"),
    [
        ([SHA], (SHA,)),
        ([SHA.upper()], (SHA,)),
        ([" %s " % SHA[:7]], (SHA[:7],)),
        ([SHA, "b" * 40], (SHA, "b" * 40)),
        (["%040x" % number for number in range(20)], tuple("%040x" % number for number in range(20))),
    ],
)
def test_commits(required, found):
    assert wish.wish(required, None) == (found, None)


def test_a_reason_stays_as_it_was_said():
    assert wish.wish(None, " The disk is full; no commit helps. ") == ((), " The disk is full; no commit helps. ")


@pytest.mark.parametrize("minutes", [0, -1, 241, 1440, 10**9])
def test_a_time_that_is_too_short_or_too_long_is_refused(minutes):
    with pytest.raises(Refusal) as caught:
        wish.seconds(minutes)
    assert caught.value.code == "bad_ttl"


@pytest.mark.parametrize(("minutes", "seconds"), [(1, 60), (30, 1800), (240, 14400)])
def test_times(minutes, seconds):
    assert wish.seconds(minutes) == seconds
