# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal entries and the signatures in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import journal
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


FIRST = 1795458252.189711


def entry(message: Optional[str], at: float = FIRST) -> dict[str, Any]:
    return {"at": at, "unit": "healtharchive-api.service", "priority": 6, "message": message}


def signatures_of(message: str) -> list[tuple[str, Optional[str]]]:
    return [(found["code"], found["subject"]) for found in journal.signatures([entry(message)], FIRST)]


def test_an_entry_has_its_time_unit_and_message() -> None:
    found = journal.entries(read("journal-api-restart-loop.jsonl"))
    assert len(found) == 8
    assert found[0] == {
        "at": FIRST,
        "unit": "healtharchive-api.service",
        "priority": 6,
        "message": "Traceback (most recent call last):",
    }
    assert journal.newest_at(found) == "2026-11-23T18:24:19Z"


def test_fields_that_are_no_plain_text() -> None:
    found = journal.entries(read("journal-awkward-fields.jsonl"))
    assert [record["message"] for record in found] == [
        "\\xff\\xfe no UTF-8",
        None,
        "said twice\nand \x1b[31mred\nhi\0",
        "",
    ]
    assert [record["priority"] for record in found] == [3, None, None, None]
    assert found[1]["unit"] == "healtharchive-worker.service\nother.service"
    assert journal.signatures(found, FIRST) == []
    assert journal.tail(found) == ["\\xff\\xfe no UTF-8", "(too long)", "said twice\\nand red\\nhi\\x00", ""]


def test_no_output_is_no_entry() -> None:
    assert journal.entries(b"") == []
    assert journal.newest_at([]) is None
    assert journal.tail([]) == []


def test_a_torn_last_line_is_left_out_only_when_it_was_announced() -> None:
    torn = read("journal-api-restart-loop.jsonl")[:-30]
    with pytest.raises(ParseError) as caught:
        journal.entries(torn)
    assert caught.value.code == "truncated"
    assert len(journal.entries(torn, truncated=True)) == 7


@given(st.data())
def test_entries_are_the_same_in_whatever_pieces_they_come(data: st.DataObject) -> None:
    whole = read("journal-awkward-fields.jsonl") + b'{"torn'
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    reader = journal.Reader()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(whole)]):
        found += reader.feed(whole[start:end])
    assert found == journal.entries(read("journal-awkward-fields.jsonl"))
    assert reader.rest == b'{"torn'


@pytest.mark.parametrize(
    "line",
    [
        b"-- No entries --",
        b"[]",
        b"{}",
        b'{"__REALTIME_TIMESTAMP":1795458252189711}',
        b'{"__REALTIME_TIMESTAMP":"-1"}',
        b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":{}}',
        b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":5}',
        b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":[[[1]]]}',
        b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":[1.5]}',
        b'{"__REALTIME_TIMESTAMP":"999999999999999999"}',
    ],
)
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        journal.entries(line + b"\n")
    assert caught.value.code == "unparsable"


def test_a_restart_loop_for_a_missing_module() -> None:
    now = FIRST + 100
    found = journal.signatures(journal.entries(read("journal-api-restart-loop.jsonl")), now)
    assert [(record["code"], record["count"], record["subject"]) for record in found] == [
        ("missing_module", 2, "slowapi"),
        ("traceback", 2, None),
    ]
    assert found[0]["sample"] == "ModuleNotFoundError: No module named 'slowapi'"
    assert found[0]["last_seen_at"] == "2026-11-23T18:24:19Z"
    assert found[0]["age_seconds"] == pytest.approx(93, abs=0.01)


def test_a_column_that_the_schema_does_not_have() -> None:
    found = journal.signatures(journal.entries(read("journal-api-undefined-column.jsonl")), FIRST)
    assert [(record["code"], record["subject"]) for record in found] == [
        ("undefined_column", "snapshots.deduplicated"),
        ("traceback", None),
    ]


def test_stale_job_directories_count_together_and_name_the_newest() -> None:
    (found,) = journal.signatures(journal.entries(read("journal-worker-transport-endpoint.jsonl")), FIRST + 90)
    assert (found["code"], found["count"]) == ("transport_endpoint", 3)
    assert found["subject"] == "/srv/healtharchive/jobs/cihr/20260101T000502Z__cihr-20260101"
    assert found["age_seconds"] == 0.0


def test_a_directory_that_cannot_be_written_is_more_than_a_permission() -> None:
    (found,) = journal.signatures(journal.entries(read("journal-worker-output-not-writable.jsonl")), FIRST)
    assert found["code"] == "output_dir_not_writable"
    assert found["subject"] == "/srv/healtharchive/jobs/phac/20260101T000502Z__phac-20260101"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("ModuleNotFoundError: No module named 'ha_backend.api'", ("missing_module", "ha_backend.api")),
        ("ImportError: cannot import name 'Limiter' from 'slowapi' (/x.py)", ("import_error", "slowapi")),
        ("ImportError: libpq library not found", ("import_error", "libpq")),
        ('psycopg.errors.UndefinedColumn: column "x" of relation "jobs" does not exist', ("undefined_column", "x")),
        ("sqlite3.OperationalError: no such column: jobs.x", ("undefined_column", "jobs.x")),
        ('(psycopg.errors.UndefinedTable) relation "pages" does not exist', ("undefined_table", "pages")),
        ("sqlite3.OperationalError: no such table: archive_jobs", ("undefined_table", "archive_jobs")),
        (
            'connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "u"',
            ("database_authentication", "u"),
        ),
        (
            'connection to server at "127.0.0.1", port 5432 failed: Connection refused',
            ("database_unreachable", "127.0.0.1"),
        ),
        ("FATAL:  the database system is starting up", ("database_unreachable", None)),
        ("OSError: [Errno 107] Transport endpoint is not connected: '/srv/x'", ("transport_endpoint", "/srv/x")),
        ("ls: cannot access '/srv/x': Transport endpoint is not connected", ("transport_endpoint", None)),
        ("OSError: [Errno 5] Input/output error: '/srv/x'", ("input_output_error", "/srv/x")),
        ("PermissionError: [Errno 13] Permission denied: '/srv/x'", ("permission_denied", "/srv/x")),
        (
            "PermissionError: [Errno 13] Permission denied: '/srv/x/.writable_test_9'",
            ("output_dir_not_writable", "/srv/x"),
        ),
        ("Output directory /srv/x is invalid or not writable", ("output_dir_not_writable", "/srv/x")),
        ("OSError: [Errno 28] No space left on device", ("disk_threshold", None)),
        ("Disk usage 91% is above the threshold of 85%", ("disk_threshold", None)),
        ("zimit: error: unrecognized arguments: --extraChromeArgs", ("unrecognized_arguments", "--extraChromeArgs")),
        ("[Errno 98] error while attempting to bind on address", ("address_in_use", None)),
        ("Traceback (most recent call last):", ("traceback", None)),
        (
            "2026-11-23 15:47:14 [ERROR] \x1b[31mModuleNotFoundError: No module named 'x'\x1b[0m",
            ("missing_module", "x"),
        ),
        ("first line\nModuleNotFoundError: No module named 'x'", ("missing_module", "x")),
    ],
)
def test_each_signature_names_its_subject(message: str, expected: tuple[str, Optional[str]]) -> None:
    assert signatures_of(message) == [expected]


@pytest.mark.parametrize(
    "message",
    [
        "",
        'INFO:     127.0.0.1:0 - "GET /api/search?q=page HTTP/1.1" 200 OK',
        "No queued jobs found",
        "Indexed 28 pages in 107 s",
        "disk image written",
        "[Errno 1070] of something else",
    ],
)
def test_ordinary_lines_have_no_signature(message: str) -> None:
    assert signatures_of(message) == []


def test_the_newest_line_is_the_sample_whatever_the_order() -> None:
    lines = [entry("ModuleNotFoundError: No module named '%s'" % at, at=FIRST + at) for at in (2, 9, 5)]
    (found,) = journal.signatures(lines, FIRST)
    assert (found["subject"], found["count"]) == ("9", 3)
    assert found["age_seconds"] == 0.0, "the host's clock went back: not a negative age"
    assert [line[-2] for line in journal.tail(lines, count=2)] == ["5", "9"]


def test_a_line_of_tomorrow_is_of_no_known_age() -> None:
    lines = [entry("ModuleNotFoundError: No module named 'x'", at=FIRST)]
    assert journal.signatures(lines, FIRST - 86400)[0]["age_seconds"] is None
    assert journal.signatures(lines, FIRST + 86400)[0]["age_seconds"] == 86400.0


def test_samples_are_short_and_printable() -> None:
    (found,) = journal.signatures([entry("ModuleNotFoundError: No module named 'x'\x07" + "y" * 1000)], FIRST)
    assert len(found["sample"]) == journal.SAMPLE_LIMIT
    assert found["sample"].isprintable()


@given(st.lists(st.tuples(st.none() | st.text(), st.integers(min_value=0, max_value=2**50)), max_size=5))
def test_what_the_journal_holds_is_read_back(written: list[tuple[Optional[str], int]]) -> None:
    lines = [json.dumps({"MESSAGE": text, "__REALTIME_TIMESTAMP": str(stamp)}) for text, stamp in written]
    found = journal.entries("".join(line + "\n" for line in lines).encode())
    assert [record["at"] for record in found] == [stamp / 1e6 for _text, stamp in written]
    assert [record["message"] for record in found] == [
        text if text is None else text.encode("utf-8", "backslashreplace").decode() for text, _stamp in written
    ]
    for record in journal.signatures(found, FIRST):
        assert record["sample"].isprintable()
