# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that is safe to show."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import text, times
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\r\n\tand a tab", "two\\nlines\\r\\n\\tand a tab"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("nul\0 c1\x9b", "nul\\x00 c1\\x9b"),
        ("\u2028\u2029\u202e\u2066\u200b", "\\u2028\\u2029\\u202e\\u2066\\u200b"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("caf\u00e9 \u4e2d", "caf\u00e9 \u4e2d"),
        (b"bytes", "b'bytes'"),
        (None, "None"),
    ],
)
def test_one_line_escapes_what_is_not_printable(value: object, shown: str) -> None:
    assert text.one_line(value) == shown


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abc\u2026"),
        ("ab\ncd", 5, "ab\\n\u2026"),
        ("abc\n", 4, "abc\u2026"),
        ("\x00", 2, "\u2026"),
        ("a", 1, "a"),
        ("ab", 1, "\u2026"),
    ],
)
def test_one_line_cuts_between_escapes(value: str, limit: int, shown: str) -> None:
    assert text.one_line(value, limit) == shown


def test_one_line_refuses_a_limit_without_room() -> None:
    with pytest.raises(ValueError, match="limit"):
        text.one_line("a", 0)


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_one_line_is_one_printable_line_within_its_limit(value: str, limit: int) -> None:
    shown = text.one_line(value, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    shown.encode("utf-8")
    assert text.one_line(shown, limit) == shown


def test_strip_ansi_removes_sequences_and_keeps_text() -> None:
    coloured = (
        "Worker service: \x1b[33minactive\x1b[0m \x1b]0;title\x07\x1b]8;;http://x.test\x1b\\link \x9b1mbold\x1bcend"
    )
    assert text.strip_ansi(coloured) == "Worker service: inactive link boldend"
    assert text.strip_ansi("no escape [31m here") == "no escape [31m here"


@given(st.binary())
def test_decode_takes_any_bytes_and_gives_text_that_can_be_written(value: bytes) -> None:
    text.decode(value).encode("utf-8")


@given(st.text(st.characters(codec="utf-8")))
def test_decode_changes_nothing_in_utf_8(value: str) -> None:
    assert text.decode(value.encode("utf-8")) == value


def test_a_parse_error_says_its_code_and_one_printable_line() -> None:
    error = ParseError("unparsable", "line \x1b[31m\n" + "x" * 1000)
    assert error.code == "unparsable"
    assert error.message == str(error)
    assert error.message.isprintable()
    assert len(error.message) == 300


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (times.from_zoned, "2026-11-23T15:47:44.067545+00:00", "2026-11-23T15:47:44Z"),
        (times.from_zoned, "2026-11-23T15:47:44Z", "2026-11-23T15:47:44Z"),
        (times.from_zoned, "2026-01-01T00:30:00+05:30", "2025-12-31T19:00:00Z"),
        (times.from_zoned, "2026-01-09T05:00:00-05:00", "2026-01-09T10:00:00Z"),
        (times.from_database, "2026-11-23 15:44:08", "2026-11-23T15:44:08Z"),
        (times.from_epoch, 0, "1970-01-01T00:00:00Z"),
        (times.from_epoch, 1795458250.999, "2026-11-23T18:24:10Z"),
        (times.from_epoch, -0.5, "1969-12-31T23:59:59Z"),
    ],
)
def test_times_become_utc(function, value, expected) -> None:
    assert function(value) == expected


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (times.from_zoned, "2026-11-23T15:47:44"),
        (times.from_zoned, "2026-11-23 15:47:44+00:00"),
        (times.from_zoned, "2026-11-31T15:47:44Z"),
        (times.from_zoned, "2026-11-23T15:47:44+24:00"),
        (times.from_zoned, "0001-01-01T00:00:00+01:00"),
        (times.from_zoned, "9999-12-31T23:59:59-01:00"),
        (times.from_zoned, "2026-11-23T15:47:44Z\n"),
        (times.from_database, "2026-11-23 15:44:08+00"),
        (times.from_database, "2026-11-23 24:44:08"),
        (times.from_database, "\u0662\u0660\u0662\u0666-11-23 15:44:08"),
        (times.from_epoch, 1e18),
        (times.from_epoch, float("nan")),
        (times.from_epoch, float("inf")),
    ],
)
def test_what_is_no_time_is_refused(function, value) -> None:
    with pytest.raises(ValueError, match="not a time|does not match|unconverted|day is out of range"):
        function(value)


@given(st.integers(min_value=-62135596800, max_value=253402300799))
def test_times_survive_the_round_trip(seconds: int) -> None:
    assert times.to_epoch(times.from_epoch(seconds)) == seconds
