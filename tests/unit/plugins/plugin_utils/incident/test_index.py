# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line of an incident in the index: in the form that the index has, once, and nothing else of the file changes."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.index import Entry, with_entry
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import HOSTILE, ROOT
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.shown import Page
from hypothesis import given
from hypothesis import strategies as st

STAND_IN = (ROOT / "tests/sandbox/service/docs/operations/incidents/README.md").read_text()
ENTRY = Entry("2026-11-23-api-502", "API answers 502", "sev1", "draft", "api", "anna")
LINE = "| 2026-11-23 | [API answers 502](2026-11-23-api-502.md) | sev1 | draft |\n"
TABLE = "# Notes\n\n| Date | Incident | Sev | Status |\n|------|:--------:|-----|--------|\n%s\nAfter it\n"


def row(day: str, word: str) -> str:
    return "| %s | [%s](%s-%s.md) | sev2 | closed |\n" % (day, word, day, word)


OLD, NEW = row("2026-01-08", "mounts"), row("2026-12-01", "later")


def test_the_index_of_the_stand_in_gets_its_first_line() -> None:
    indexed = with_entry(STAND_IN, ENTRY)
    assert indexed.recognised
    assert indexed.text == STAND_IN + LINE


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", LINE),
        (OLD, OLD + LINE),
        (NEW, LINE + NEW),
        (OLD + NEW, OLD + LINE + NEW),
        (NEW + OLD, NEW + LINE + OLD),
        (row("2026-02-01", "b") + OLD, LINE + row("2026-02-01", "b") + OLD),
    ],
)
def test_a_table_keeps_its_order(rows: str, expected: str) -> None:
    assert with_entry(TABLE % rows, ENTRY).text == TABLE % expected


def test_columns_are_taken_by_their_names() -> None:
    readme = "| Note | Owner | Severity | Area | Start date | Duration |\n| --- | --- | --- | --- | --- | --- |\n"
    line = "| [API answers 502](2026-11-23-api-502.md) | anna | sev1 | api | 2026-11-23 |  |\n"
    assert with_entry(readme, ENTRY).text == readme + line


def test_the_table_with_the_notes_is_taken_and_not_another_one() -> None:
    rubric = "| Severity | Any one of |\n|---|---|\n| sev0 | down |\n\n"
    other = "| Date | Incident |\n|---|---|\n| never | none |\n\n"
    assert with_entry(rubric + other + TABLE % OLD, ENTRY).text == rubric + other + TABLE % (OLD + LINE)


def test_a_line_that_is_there_is_brought_up_to_date_and_keeps_the_words_of_a_person() -> None:
    mine = "| 2026-11-23 | [My \\| title](./2026-11-23-api-502.md) (see also I10) | sev2 | draft |\r\n"
    closed = ENTRY._replace(status="closed")
    expected = mine.replace("sev2", "sev1").replace("draft", "closed")
    indexed = with_entry(TABLE % (OLD + mine), closed)
    assert indexed.text == TABLE % (OLD + expected)
    assert with_entry(indexed.text, closed) == indexed


def test_an_index_that_is_a_list() -> None:
    readme = "# Notes\n\n* [Mounts](2026-01-08-mounts.md)\n* [Later](2026-12-01-later.md)\n\nEnd\n"
    indexed = with_entry(readme, ENTRY)
    line = "* 2026-11-23: [API answers 502](2026-11-23-api-502.md) (sev1, draft)\n"
    assert indexed.text == readme.replace("* [Later", line + "* [Later")
    assert indexed.recognised
    closed = with_entry(indexed.text, ENTRY._replace(status="closed"))
    assert closed.text == indexed.text.replace("(sev1, draft)", "(sev1, closed)")
    # In somebody's own words it stays.
    own = indexed.text.replace("(sev1, draft)", "(sev1, draft), see below")
    assert with_entry(own, ENTRY._replace(status="closed")).text == own


@pytest.mark.parametrize(
    "prose",
    [
        "Written by the template, see [this one](2026-11-23-api-502.md).\n\n",
        "| See also | [x](2026-11-23-api-502.md) |\n\n",
        "- [The earlier one](2026-01-08-mounts.md), unlike [this](2026-11-23-api-502.md)\n\n",
    ],
)
def test_a_link_in_other_words_is_no_entry(prose: str) -> None:
    readme = prose + TABLE % OLD
    indexed = with_entry(readme, ENTRY)
    assert indexed.text == prose + TABLE % (OLD + LINE)
    # The control: the line itself is.
    assert with_entry(indexed.text, ENTRY).text == indexed.text


@pytest.mark.parametrize("readme", [TABLE % OLD, "* [Mounts](2026-01-08-mounts.md)\n"])
@pytest.mark.parametrize("title", ["x](2026-11-23-api-502.md)", "x\\", "x\\](2026-11-23-api-502.md)"])
def test_a_title_is_no_link(readme: str, title: str) -> None:
    hostile = Entry("2026-11-22-first", title, "sev3", "draft", "api", "me")
    before = with_entry(readme, hostile).text
    assert with_entry(before, hostile).text == before
    after = with_entry(before, ENTRY._replace(severity="sev0"))
    assert set(before.splitlines()) < set(after.text.splitlines())


def test_a_row_that_names_another_incident_too_is_that_of_the_first() -> None:
    related = "| 2026-01-08 | [mounts](2026-01-08-mounts.md), again in [502](2026-11-23-api-502.md) | sev2 | closed |\n"
    assert with_entry(TABLE % related, ENTRY).text == TABLE % (related + LINE)


@pytest.mark.parametrize("readme", ["", "# Notes\n", "# Notes", "# Notes\r\n", "| a | b |\n|---|---|\n| c | d |\n"])
def test_an_index_of_unknown_form_gets_the_line_at_its_end(readme: str) -> None:
    indexed = with_entry(readme, ENTRY)
    assert not indexed.recognised
    assert indexed.text.startswith(readme)
    line = "- 2026-11-23: [API answers 502](2026-11-23-api-502.md) (sev1, draft)"
    assert indexed.text[len(readme) :].strip() == line
    assert with_entry(indexed.text, ENTRY).text == indexed.text


@given(
    st.text(alphabet=st.sampled_from("|-# \n\r*[]().ab2026-11-23-x.md"), max_size=200),
    st.sampled_from([STAND_IN, TABLE % OLD, ""]),
)
def test_any_readme_keeps_all_of_its_lines_and_gets_one(text: str, frame: str) -> None:
    for readme in (text, text + "\n" + frame, frame + text):
        once = with_entry(readme, ENTRY)
        left = once.text
        assert left.count("(2026-11-23-api-502.md)") == 1
        kept = [line for line in left.splitlines(keepends=True) if "(2026-11-23-api-502.md)" not in line]
        assert "".join(kept).strip() == readme.strip() or "".join(kept).split() == readme.split()
        assert with_entry(once.text, ENTRY).text == once.text


@pytest.mark.parametrize("title", [text for text in HOSTILE if text.isprintable() and len(text) < 200])
def test_a_hostile_title_stays_within_its_cell(title: str) -> None:
    page = Page(with_entry(TABLE % OLD, ENTRY._replace(title=title, owner=title, area=title)).text)
    assert set(page.columns) == {4}
    assert page.elements <= {*"h1 p a table thead tbody tr th td".split()}
    assert title.strip() in page.text
