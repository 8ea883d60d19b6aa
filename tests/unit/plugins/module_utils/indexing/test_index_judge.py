# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an indexing ended, by every combination of what its unit, its output and the rows say."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing import decide, judge, unit
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing.facts import Rows, Snapshots
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing.judge import Begun, End
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import indexing as parse
from ansible_collections.healtharchive.remediation.plugins.module_utils.transient_unit import shown

sys.path.insert(0, str(Path(__file__).parent))

from index_samples import NONE, job, snapshots

WHOLE = b"Summary: total=2 checked=2 ok=2 failed=0\nJSON report: /x/y.json\n"
CUT = (
    b"Summary: total=2 checked=2 ok=1 failed=1\nFailures:\n- path=/x/a.warc.gz kind=corrupt_or_unreadable error=ended early\n"
    b"JSON report: /x/y.json\n"
)
REPORTS = {
    "whole": parse.report(WHOLE + b"2026 [INFO] Reading /x/a.warc.gz\n"),
    "cut": parse.report(CUT),
    "nothing": parse.report(b""),
    "none": None,
}
ENDS = [
    End(judge.ENDED, 0),
    End(judge.ENDED, 1),
    End(judge.ENDED, None),
    End(judge.TIMEOUT),
    End(judge.KILLED),
    End(judge.NEVER),
    End(judge.LOST),
]
BEFORE = decide.state_of(job(), NONE)
ROWS = {
    "as before": Rows(job(), NONE, (), None, 0),
    "index_failed": Rows(job(status="index_failed"), NONE, (), None, 0),
    "indexed": Rows(job(status="indexed", indexed_pages=6), snapshots(6), (), None, 0),
    "no page": Rows(job(status="indexed", indexed_pages=0), NONE, (), None, 0),
    "differs": Rows(job(status="indexed", indexed_pages=6), snapshots(5), (), None, 0),
    "other": Rows(job(status="retryable"), NONE, (), None, 0),
    "gone": Rows(None, NONE, (), None, 0),
    "unseen": None,
}


@pytest.mark.parametrize(("rows", "end", "report"), list(itertools.product(ROWS, ENDS, REPORTS)))
def test_every_combination(rows, end, report):
    found = judge.judge(Begun(12, BEFORE), end, REPORTS[report], ROWS[rows])
    expected = {
        "index_failed": ("failed", "index_failed"),
        "no page": ("failed", "nothing_indexed"),
        "differs": ("unknown", "counts_differ"),
        "other": ("unknown", "other_change"),
        "gone": ("unknown", None),
        "unseen": ("unknown", None),
    }
    if rows == "indexed":
        wrong = end.how == judge.ENDED and end.code != 0
        assert (found.outcome, found.changed) == ("unknown" if wrong else "applied", True)
    elif rows == "as before":
        assert found.outcome == ("refused" if report == "cut" else "failed")
        assert found.changed is False
        assert found.code
        assert found.next_step
    else:
        assert (found.outcome, found.code) == expected[rows]
        assert found.changed is not False


def test_its_exit_code_alone_says_nothing():
    found = judge.judge(Begun(12, BEFORE), End(judge.ENDED, 0), REPORTS["whole"], ROWS["as before"])
    assert (found.outcome, found.code, found.changed) == ("failed", "not_changed", False)


def test_a_file_that_was_damaged_is_named():
    found = judge.judge(Begun(12, BEFORE), End(judge.ENDED, None), REPORTS["cut"], ROWS["as before"])
    assert (found.outcome, found.code) == ("refused", "warcs_damaged")
    assert "/x/a.warc.gz: ended early" in found.detail


def test_snapshots_that_were_replaced_are_told():
    before = decide.state_of(job(status="indexed", indexed_pages=6), snapshots(6))
    now = Rows(job(status="indexed", indexed_pages=6), Snapshots(6, 7, 12, {}), (), None, 0)
    found = judge.judge(Begun(12, before), End(judge.ENDED, 0), REPORTS["whole"], now)
    assert (found.outcome, found.changed) == ("applied", True)
    assert "6 snapshots were replaced" in found.detail
    same = Rows(job(status="indexed", indexed_pages=6), snapshots(6), (), None, 0)
    found = judge.judge(Begun(12, before), End(judge.ENDED, 0), REPORTS["whole"], same)
    assert (found.outcome, found.code) == ("failed", "not_changed")


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [("indexed", "applied"), ("as before", "failed"), ("index_failed", "failed"), ("no page", "failed")],
)
def test_of_one_that_only_the_record_knows(rows, outcome):
    found = judge.judge(Begun(12, {}), End(judge.LOST), None, ROWS[rows])
    assert (found.outcome, found.changed) == (outcome, None)


@pytest.mark.parametrize(
    ("found", "printed", "expected"),
    [
        (shown.Shown(shown.GONE, True, None, ""), False, End(judge.NEVER)),
        (shown.Shown(shown.GONE, True, None, ""), True, End(judge.LOST)),
        (shown.Shown(shown.SUCCEEDED, True, 0, "success"), True, End(judge.ENDED, 0)),
        (shown.Shown(shown.FAILED, True, 1, "exit-code"), True, End(judge.ENDED, 1)),
        # What comes before the command has failed: the command has no code.
        (shown.Shown(shown.FAILED, True, None, "exit-code"), True, End(judge.ENDED, None)),
        (shown.Shown(shown.FAILED, True, None, "timeout"), True, End(judge.TIMEOUT)),
        (shown.Shown(shown.FAILED, True, None, "signal"), True, End(judge.KILLED)),
    ],
)
def test_how_its_unit_ended(found, printed, expected):
    assert unit.end_of(found, printed) == expected


def test_what_is_printed():
    found = REPORTS["whole"]
    assert found is not None
    assert found.summary == parse.Summary(2, 2, 2, 0)
    assert [step for step, _line in found.lines] == ["verify", "verify", "index"]
    cut = REPORTS["cut"]
    assert cut is not None
    assert cut.failures == (("/x/a.warc.gz", "corrupt_or_unreadable", "ended early"),)
    assert {step for step, _line in cut.lines} == {"verify"}
    # The last line is not whole yet; what index-job prints is no verdict on files.
    late = parse.report(WHOLE + b"- path=/x kind=a error=b\nSummary: total=9 checked=9 ok=0 failed=9\nhalf")
    assert (late.summary, late.failures) == (parse.Summary(2, 2, 2, 0), ())
    assert late.tail[-1].startswith("Summary: total=9")


@pytest.mark.parametrize(
    ("numbers", "whole"), [((2, 2, 2, 0), True), ((0, 0, 0, 0), False), ((2, 1, 1, 0), False), ((2, 2, 1, 1), False)]
)
def test_every_file_must_be_read_and_whole(numbers, whole):
    assert parse.Summary(*numbers).whole is whole
