# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page out of a replay index that can be put into a request, or a clear refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.cdxj import Capture, served_page
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

INDEX = (Path(__file__).parents[2] / "transcripts" / "replay-index.cdxj").read_bytes()


def line(**fields: object) -> bytes:
    record = {"url": "https://a.example.org/", "mime": "text/html", "status": "200", **fields}
    return b"org,example,a)/ 20260101000000 " + json.dumps(record).encode() + b"\n"


def test_a_page_that_was_archived_well() -> None:
    assert served_page(INDEX, True) == Capture("20260101000602", "https://hc.example.org/page-1?a=b&c=d")


def test_a_feed_where_there_is_no_page() -> None:
    assert served_page(line(mime="application/rss+xml"), True) == Capture("20260101000000", "https://a.example.org/")


def test_the_first_line_of_a_cut_index_is_not_trusted() -> None:
    torn = b'torn 20260101000000 {"url": "https://torn.example.org/", "mime": "text/html", "status": "200"}\n'
    assert served_page(torn, True) is not None
    assert served_page(torn + line(), False) == Capture("20260101000000", "https://a.example.org/")


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "404"},
        {"status": None},
        {"url": None},
        {"url": "https://a.example.org/\r\nHost: b"},
        {"url": "https://a.example.org/ x"},
        {"url": "https://a.example.org/#part"},
        {"url": "https://a.example.org/\u00e9"},
        {"url": "https://a.example.org/" + "x" * 2000},
        {"url": "file:///etc/passwd"},
        {"url": "urn:text:https://a.example.org/"},
    ],
)
def test_what_cannot_be_asked_for_is_no_page(fields: dict[str, object]) -> None:
    assert served_page(line(**fields), True) is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b'!meta 0 {"format": "cdxj"}\n', "empty"),
        (b"not an index\n", "unparsable"),
        (b"key 2026 {}\n", "unparsable"),
        (b"key 20260101000000 []\n", "unparsable"),
        (b"key 20260101000000 {" + b'"a": ' * 5000 + b"}\n", "unparsable"),
    ],
)
def test_what_is_no_index_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(ParseError) as refusal:
        served_page(content, True)
    assert refusal.value.code == code


@given(st.text(max_size=40), st.text(max_size=20), st.booleans())
def test_whatever_the_address_a_request_has_one_line_of_it(url: str, status: str, whole: bool) -> None:
    content = line(url="https://" + url, status=status) + line(url=url)
    page = served_page(content, whole)
    if page is not None:
        assert page.url.isascii()
        assert page.url.isprintable()
        assert " " not in page.url
