# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports: nothing in them is more than text, whatever a host says; they refer to nothing outside themselves."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.markdown import line
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.text import one_line
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import html, report
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.digests import TITLES
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import PROBES
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.view import host_name, view
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage import samples
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    FAULTS,
    data,
    healthy_evidence,
    job,
    judge,
    unseen,
)
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.test_properties import (
    changed_evidence,
)
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

RECORDED = sorted((samples.ROLE.parents[1] / "tests" / "unit" / "transcripts").glob("evidence-*.json"))
# What the page is made of; an element that a host brought along would stand out.
ELEMENTS = set(
    "html head meta title style body header div p h1 span main section h2 h3 ul ol li b code pre details summary"
    " table thead tr th tbody td i time dl dt dd footer".split()
)
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "data-label", "aria-hidden"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-->]]></style></title></pre><svg/onload=alert(1)>",
    "{{ lookup('pipe', 'id') }}{% for x in y %}{# z #}",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "\u202eevil\u2066\u200b\ufeff",
    "a\n\n# heading\n\n| row |",
    "[link](javascript:alert(1)) `code` **bold** https://example.org www.example.org <https://example.org>",
    "| cell | \\| \\",
    "x" * 10000,
    "\ud800",
)


class Page(HTMLParser):
    """What a browser sees: the elements, their attributes, the text and the style."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, Optional[str]]] = []
        self.text: list[str] = []
        self.style = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.style += data
        else:
            self.text.append(data)


def pages(evidence: Any, host: str = "archive", source: Optional[str] = None) -> tuple[str, str]:
    contents = report.files(host, evidence, judge(evidence), source)
    return contents["triage.html"], contents["triage.md"]


def check(evidence: Any, host: str = "archive") -> tuple[Page, str]:
    """Both reports, seen to hold nothing but text."""
    source, document = pages(evidence, host)
    page = Page(source)
    assert page.elements <= ELEMENTS
    assert {name for name, _value in page.attributes} <= ATTRIBUTES
    assert "://" not in source
    assert not re.search(r"url\(|@import|expression|/\*", page.style)
    assert all(line.isprintable() for line in source.split("\n"))
    assert all(line.isprintable() for line in document.split("\n"))
    rendered = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(document)
    seen = Page(rendered)
    assert seen.elements <= {*"h1 h2 h3 p br strong ul li pre code table thead tbody tr th td".split()}
    assert {name for name, _value in seen.attributes} <= {"class"}
    return page, document


def everything_wrong() -> Any:
    evidence = healthy_evidence()
    for name in sorted(FAULTS, key=lambda each: each == "postgresql_down"):
        FAULTS[name][0](evidence)
    return evidence


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault(name: str) -> None:
    evidence = healthy_evidence()
    FAULTS[name][0](evidence)
    first = judge(evidence)["classes"][0]
    page, document = check(evidence)
    assert first["summary"] in page.text
    assert first["next_step"]["command"] in page.text
    assert "\n" + first["next_step"]["command"] + "\n" in document
    assert "first layer only" in document
    assert any(first["confidence"] in text and first["severity"] in text for text in page.text)
    assert any(first["severity_reason"] in text for text in page.text)
    assert set(first["evidence_for"]) <= set(page.text)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_hosts(path: Path) -> None:
    check(json.loads(path.read_text()))


def test_a_healthy_host_and_one_that_was_hardly_seen() -> None:
    page, document = check(healthy_evidence())
    assert "Nothing found" in page.text
    assert "# archive: Nothing found" in document
    assert "Next" not in page.text
    evidence = healthy_evidence()
    for probe in PROBES[3:]:
        unseen(evidence, probe, "timed_out", "no answer in 20 s")
    page, document = check(evidence)
    assert page.text.count("not seen") >= 7
    assert "Unknown: not enough was seen" in document


def test_everything_wrong_at_once() -> None:
    evidence = everything_wrong()
    page, _document = check(evidence)
    for each in judge(evidence)["classes"]:
        assert each["summary"] in page.text


def test_what_is_shown_of_a_host() -> None:
    evidence = everything_wrong()
    _page, document = check(evidence)
    for heading in ("Probes", "Timeline (UTC)", "Units", "Storage", "Disks", "What was not seen"):
        assert "## " + heading in document
    assert "Not deployed: 2 of origin/main" in document
    assert all(title in document for title in TITLES.values())
    assert set(TITLES) == set(PROBES)


def test_what_was_begun_and_not_finished_is_the_first_section() -> None:
    evidence = everything_wrong()
    samples.unfinished(evidence, "deploy")
    page, document = check(evidence)
    headings = [line for line in document.splitlines() if line.startswith("## ")]
    assert headings[0] == "## Begun and not finished"
    text = "".join(page.text)
    assert "deploy of incident 2026-11-23-api-down was begun 5 min 0 s before this" in text
    assert text.index("Begun and not finished") < text.index("Next")
    assert "Begun and not finished" not in check(everything_wrong())[1]


def test_the_timeline_is_in_order_and_holds_restarts_and_errors() -> None:
    evidence = healthy_evidence()
    samples.api_missing_dependency(evidence)
    data(evidence, "units")["units"][samples.WORKER].update(restarts=4, started_at="2026-11-23T17:49:30Z")
    events = view("archive", evidence, judge(evidence))["timeline"]["events"]
    moments = [event["at"] for event in events]
    assert moments == sorted(moments, reverse=True)
    texts = [event["text"] for event in events]
    assert texts[0] == "this triage"
    assert "healtharchive-worker started, restart 4 by systemd" in texts
    assert "healtharchive-api: missing module (slowapi), the last of 3" in texts


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_texts_stay_text(hostile: str) -> None:
    evidence = healthy_evidence()
    samples.worker_inactive(evidence)
    samples.undeployed_commits(evidence)
    samples.journal(
        evidence, samples.API, {**samples.signature("missing_module"), "subject": hostile, "sample": hostile}
    )
    data(evidence, "journal")["units"][samples.API]["tail"] = [hostile]
    data(evidence, "journal")["units"][hostile] = {"signatures": [], "tail": [hostile]}
    data(evidence, "units")["units"][hostile] = samples.unit(hostile)
    data(evidence, "jobs")["jobs"] = [job(7, hostile, name=hostile, source=hostile, started_at=hostile)]
    data(evidence, "deployment")["undeployed"] = {"count": 1, "commits": [{"sha": hostile, "subject": hostile}]}
    data(evidence, "storage")["paths"][0].update(path=hostile, state=hostile)
    samples.drifted(evidence, hostile)
    samples.public_failures(evidence, samples.failure(hostile))
    unseen(evidence, "database", hostile, hostile)
    samples.unfinished(evidence, hostile, incident=hostile, begun_at=hostile, subjects=[hostile] * 9)
    evidence["probes"][hostile] = {"status": hostile}
    evidence["collected_at"] = evidence["host"]["hostname"] = hostile
    page, document = check(evidence, host=hostile)
    assert len("".join(page.text)) < 60000
    assert len(document) < 60000
    if hostile.startswith("<script>"):
        # It is there, as text.
        assert any(hostile in text for text in page.text)


def test_that_check_would_notice_an_element() -> None:
    """The control: unescaped, the same text is an element."""
    source, _document = pages(healthy_evidence())
    assert "script" not in Page(source).elements
    assert "script" in Page(source.replace("<main>", "<main>" + HOSTILE[0])).elements


def test_nothing_of_the_template_is_exempt_from_escaping() -> None:
    template = Path(html._TEMPLATE).read_text()
    assert not re.search(
        r"\|\s*safe|autoescape|\{%-? *(include|import|from)|@import|<script|<link|<img|href|src=", template
    )


@given(changed_evidence())
def test_any_change_of_real_evidence(evidence: Any) -> None:
    try:
        judge(evidence)
    except ValueError:
        return
    check(evidence)


@given(st.text())
def test_any_line_of_markdown_stays_itself(value: str) -> None:
    shown = one_line(value, 200).strip()
    rendered = MarkdownIt("commonmark", {"html": True}).render("- " + line(shown))
    page = Page(rendered)
    assert page.elements <= {"ul", "li", "p"}
    assert " ".join("".join(page.text).split()) == " ".join(shown.split())


def test_of_which_host_evidence_from_a_file_is() -> None:
    assert host_name("inventory", healthy_evidence(), None) == "inventory"
    assert host_name("inventory", healthy_evidence(), "evidence.json") == "archive"
    assert host_name("inventory", {"host": {"hostname": 3}}, "evidence.json") == "inventory"
    assert "no host was asked" in pages(healthy_evidence(), source="evidence.json")[1]
