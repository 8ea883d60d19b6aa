# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of the public surface check."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import public_surface
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


def verdict(stdout: bytes, rc: Optional[int], finished: bool) -> dict[str, Any]:
    return public_surface.verification(stdout, rc, finished)


def test_a_report_that_passes() -> None:
    found = verdict(read("public-surface-passes.txt"), 0, True)
    assert found == {"passed": True, "finished": True, "ok": 9, "failures": [], "problem": None}


def test_a_report_with_a_failure() -> None:
    found = verdict(read("public-surface-raw-snapshot-gone.txt"), 1, True)
    assert (found["passed"], found["finished"], found["ok"], found["problem"]) == (False, True, 8, None)
    assert found["failures"] == [
        {
            "check": "raw snapshot",
            "status": 404,
            "detail": "content-type='application/json' url=http://127.0.0.1:8001/api/snapshots/raw/1006",
        }
    ]


def test_failures_without_an_http_answer() -> None:
    found = verdict(read("public-surface-unreachable.txt"), 1, True)
    assert found["passed"] is False
    assert found["failures"][0] == {
        "check": "api health",
        "status": None,
        "detail": "error=URLError: <urlopen error [Errno 111] Connection refused>",
    }
    assert found["failures"][2] == {"check": "no snapshot id available from search", "status": None, "detail": ""}


PASSES = read("public-surface-passes.txt")
FAILS = read("public-surface-raw-snapshot-gone.txt")


@pytest.mark.parametrize(
    ("stdout", "rc", "finished", "passed", "complete"),
    [
        # Killed at the deadline.
        (b"", None, False, None, False),
        (PASSES[:200], None, False, None, False),
        (FAILS[:-12], None, False, False, False),
        (PASSES, None, False, None, False),
        (FAILS, None, False, False, False),
        # Crashed half-way (surprise 35).
        (read("public-surface-crashed.txt"), 1, True, None, False),
        (read("public-surface-crashed-after-a-failure.txt"), 1, True, False, False),
        # The summary, the exit code and the lines disagree.
        (PASSES, 1, True, None, True),
        (FAILS, 0, True, None, True),
        (FAILS.replace(b"FAILURES: 1", b"FAILURES: 2"), 1, True, None, True),
        (FAILS.replace(b"FAILURES: 1", b"FAILURES: 0"), 1, True, None, True),
        (FAILS.replace(b"FAILURES: 1", b"All checks passed."), 0, True, None, True),
        (PASSES.replace(b"All checks passed.", b"FAILURES: 1"), 1, True, None, True),
        (PASSES.replace(b"OK   api stats", b"OOPS api stats"), 0, True, None, True),
        (b"All checks passed.\n", 0, True, None, True),
        # The summary is torn, missing, doubled or not the last line.
        (PASSES[:-1], 0, True, None, False),
        (PASSES[:-10], 0, True, None, False),
        (PASSES + b"OK   one more\n", 0, True, None, False),
        (PASSES + b"All checks passed.\n", 0, True, None, False),
        (FAILS + b"All checks passed.\n", 0, True, False, False),
    ],
)
def test_only_a_report_that_agrees_with_itself_passes(
    stdout: bytes, rc: Optional[int], finished: bool, passed: Optional[bool], complete: bool
) -> None:
    found = verdict(stdout, rc, finished)
    assert (found["passed"], found["finished"]) == (passed, complete)
    assert found["problem"]


@pytest.mark.parametrize(
    ("stdout", "rc", "code"),
    [
        (b"", 1, "empty"),
        (b"\n", 0, "empty"),
        (b"usage: verify_public_surface.py [-h]\n", 2, "unparsable"),
        (b"\xff\n", 0, "unparsable"),
    ],
)
def test_no_report_at_all_is_refused(stdout: bytes, rc: int, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        verdict(stdout, rc, True)
    assert caught.value.code == code


def test_no_beginning_of_a_report_passes() -> None:
    for report in (PASSES, FAILS):
        for length in range(1, len(report)):
            for finished in (True, False):
                try:
                    found = verdict(report[:length], 0, finished)
                except ParseError:
                    continue
                assert found["passed"] is not True
                assert not (finished and found["finished"])


@given(st.data())
def test_no_damage_turns_a_failure_into_a_pass(data: st.DataObject) -> None:
    report = bytearray(FAILS)
    for _change in range(data.draw(st.integers(min_value=1, max_value=4))):
        start = data.draw(st.integers(min_value=0, max_value=len(report)))
        end = data.draw(st.integers(min_value=start, max_value=min(len(report), start + 300)))
        report[start:end] = data.draw(
            st.sampled_from([b"", b"\n", b"All checks passed.\n", b"OK   "]) | st.binary(max_size=8)
        )
    try:
        found = verdict(bytes(report), 1, True)
    except ParseError:
        return
    assert found["passed"] is not True


texts = st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,3}", fullmatch=True)


@given(st.lists(texts, max_size=5), st.lists(st.tuples(texts, st.integers(min_value=0, max_value=599)), max_size=5))
def test_what_the_program_writes_is_read_back(oks: list[str], failures: list[tuple[str, int]]) -> None:
    lines = ["OK   %s status=200" % check for check in oks]
    lines += ["FAIL %s status=%d content-type='text/html'" % failure for failure in failures]
    if not lines:
        return
    lines += ["", "FAILURES: %d" % len(failures) if failures else "All checks passed."]
    found = verdict("".join(line + "\n" for line in lines).encode(), 1 if failures else 0, True)
    assert (found["passed"], found["ok"], found["problem"]) == (not failures, len(oks), None)
    assert [(failure["check"], failure["status"] or 0) for failure in found["failures"]] == failures
