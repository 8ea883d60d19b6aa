# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a combined log: counters, since when, and what stands in the way."""

from __future__ import annotations

import json

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import crawl_log
from hypothesis import given
from hypothesis import strategies as st

EMPTY_WARC = b"1 WARC file(s) is unprocessable and looks probably mostly empty\n"


def status(crawled: object, at: str = "2026-11-23T10:00:00.123Z", total: int = 3209, failed: int = 0) -> bytes:
    details = {"crawled": crawled, "total": total, "pending": 1, "failed": failed, "limit": {"max": 0, "hit": False}}
    line = {
        "timestamp": at,
        "logLevel": "info",
        "context": "crawlStatus",
        "message": "Crawl statistics",
        "details": details,
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read(*lines: bytes, whole: bool = True) -> dict:
    return crawl_log.crawl_log(b"".join(lines), whole)


def test_an_empty_log_says_nothing() -> None:
    assert read() == {
        "counters": None,
        "changed_at": None,
        "navigation_timeouts": 0,
        "http2_errors": 0,
        "poisoned_resume": False,
        "rejected_options": None,
    }


def test_the_last_change_of_the_counter_counts() -> None:
    log = read(
        status(436, "2026-11-23T10:00:00Z"),
        status(437, "2026-11-23T11:00:00.9Z"),
        status(437, "2026-11-23T12:00:00Z", total=3210),
        b"Navigation timeout of 90000 ms exceeded\n",
        status(437, "2026-11-23T13:00:00+00:00"),
    )
    assert log["counters"] == {"crawled": 437, "total": 3209, "pending": 1, "failed": 0}
    assert log["changed_at"] == "2026-11-23T11:00:00Z"


def test_a_cut_first_line_is_not_read() -> None:
    cut = status(1)[30:] + status(2, "2026-11-23T12:00:00Z")
    assert read(cut, whole=False)["counters"]["crawled"] == 2
    assert read(b"unrecognized arguments: --x\n", status(3), whole=False)["rejected_options"] is None
    assert read(b"unrecognized arguments: --x\n", status(3))["rejected_options"] == "--x"


def test_what_stands_in_the_way_is_counted() -> None:
    log = read(
        b"Navigation timeout of 90000 ms exceeded\n" * 3,
        b'{"logLevel":"error","message":"Page Load Failed: retry limit reached net::ERR_HTTP2_PROTOCOL_ERROR"}\n' * 2,
    )
    assert (log["navigation_timeouts"], log["http2_errors"]) == (3, 2)


@pytest.mark.parametrize(
    ("lines", "poisoned"),
    [
        ([status(0, total=2, failed=2), EMPTY_WARC], True),
        ([EMPTY_WARC], True),
        ([status(0, total=2, failed=2)], False),
        ([status(12), EMPTY_WARC], False),  # one empty file beside real ones is no poisoned resume
    ],
)
def test_a_poisoned_resume_needs_the_phrase_and_nothing_crawled(lines: list[bytes], poisoned: bool) -> None:
    assert read(*lines)["poisoned_resume"] is poisoned


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            b"zimit: error: unrecognized arguments: --extraChromeArgs --disable-http2\n",
            "--extraChromeArgs --disable-http2",
        ),
        (b"error: Unknown option: --new\n", "--new"),
        (b"unknown options\n", ""),
    ],
)
def test_the_options_that_the_crawler_rejects(line: bytes, said: str) -> None:
    assert read(line)["rejected_options"] == said


@pytest.mark.parametrize("crawled", [None, -1, "437", 1.5, True, [1]])
def test_a_counter_that_is_none_is_no_status(crawled: object) -> None:
    assert read(status(crawled))["counters"] is None


def test_a_status_without_a_time_is_of_no_age() -> None:
    log = read(status(5, "yesterday"))
    assert log["counters"]["crawled"] == 5
    assert log["changed_at"] is None


def test_a_site_cannot_forge_a_status_within_another_line() -> None:
    page = {"context": "page", "message": status(9).decode(), "details": {"note": "crawlStatus"}}
    assert read(json.dumps(page).encode() + b"\n")["counters"] is None


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes(content: bytes, whole: bool) -> None:
    log = crawl_log.crawl_log(content, whole)
    assert set(log) == set(read())
    assert log["counters"] is None


@given(st.lists(st.one_of(st.binary(max_size=80), st.just(status(7)), st.just(EMPTY_WARC)), max_size=20))
def test_lines_of_any_kind_between_statuses(lines: list[bytes]) -> None:
    log = crawl_log.crawl_log(b"\n".join(lines), True)
    if log["counters"] is not None:
        assert log["counters"]["crawled"] == 7
        assert log["poisoned_resume"] is False


def test_a_mebibyte_takes_no_time() -> None:
    log = read((status(7) + b"Navigation timeout of 90000 ms exceeded\n" + b"x" * 800 + b"\n") * 1000)
    assert log["navigation_timeouts"] == 1000
