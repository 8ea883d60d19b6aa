# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the note on their own: commands as a shell takes them, templates that can be used, the public draft."""

from __future__ import annotations

import re
import subprocess

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.note import template
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.commands import shell
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.public_draft import public_draft
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.render import render
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import (
    HOST_TEMPLATE,
    HOSTILE,
    begun,
    event,
    healthy_flow,
    incident,
    numbered,
    opened,
)
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.shown import Page, blocks
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)


def as_bash_takes_it(argv: list) -> list:
    script = "printf '%s\\0' " + shell(argv)
    done = subprocess.run(["bash", "-c", script], check=True, stdout=subprocess.PIPE, env={"LC_ALL": "C.UTF-8"})
    return done.stdout.decode().split("\0")[:-1]


@given(
    st.lists(WORDS | st.sampled_from(["$(id)", "`id`", "a b", "*", "~", "!x", "'\n'", "\\n\t", "-n", ""]), min_size=1)
)
def test_a_command_is_one_printable_line_that_means_the_same(argv: list) -> None:
    line = shell(argv)
    assert line.isprintable()
    assert as_bash_takes_it(argv) == argv


def test_commands_are_listed_and_long_ones_say_how_long_they_are() -> None:
    argv = [["echo", "x" * 102400], *(["true", str(number)] for number in range(50))]
    shown = blocks(render(None, None, incident(), numbered([opened(), begun(argv=argv)])).text)["commands"]
    assert "# shortened, 102,405 characters in all:" in shown
    assert "true 38\n" in shown
    assert "# and 11 more commands\n" in shown
    assert len(shown.splitlines()) < 60


def used(text: str) -> bool:
    return not render(None, text, incident(), []).problems


def test_the_built_in_template_is_one_that_could_be_used() -> None:
    assert used(template.BUILT_IN)
    assert used(HOST_TEMPLATE)


def test_a_template_may_have_more_than_the_contract_asks_for_and_write_it_otherwise() -> None:
    more = HOST_TEMPLATE.replace("## Impact", "## Vendor ticket\n\n-\n\n## Impact")
    assert used(more)
    assert "Vendor ticket" in Page(render(None, more, incident(), []).text).headings
    otherwise = HOST_TEMPLATE.replace("## Timeline (UTC)", "## TIMELINE (UTC) ##").replace(" / ", "/")
    assert used(otherwise.replace("## Public communication", "## Public communication (optional)"))
    assert used(re.sub(r"## Decision log\n\n.*\n\n", "", HOST_TEMPLATE))
    assert used("\ufeff" + HOST_TEMPLATE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "title"),
        ("no headings\n", "title"),
        (HOST_TEMPLATE.replace("# Incident: TITLE (YYYY-MM-DD)\n", ""), "title"),
        (HOST_TEMPLATE + "# Another title\n", "title"),
        (HOST_TEMPLATE.replace("## Detection", "## How we saw it"), "lacks the heading detection"),
        (HOST_TEMPLATE.replace("## Detection", "### Detection"), "lacks the heading detection"),
        (HOST_TEMPLATE.replace("## Detection", "```\n## Detection\n```"), "lacks the heading detection"),
        (HOST_TEMPLATE.replace("## Detection", "<!--\n## Detection\n-->"), "lacks the heading detection"),
        (HOST_TEMPLATE + "## Metadata\n", "metadata twice"),
        (
            HOST_TEMPLATE.replace("## Impact", "## X").replace("## Summary", "## Impact").replace("## X", "## Summary"),
            "order",
        ),
        (HOST_TEMPLATE + "<!-- healtharchive.remediation begin: timeline -->\n", "markers"),
        (HOST_TEMPLATE + "x" * 300000, "larger than 256 KiB"),
    ],
)
def test_another_template_is_not_used_and_the_reason_is_said(text: str, why: str) -> None:
    rendered = render(None, text, incident(), [])
    assert [problem.code for problem in rendered.problems] == ["template_unusable"]
    assert why in rendered.problems[0].message
    assert rendered.text == render(None, None, incident(), []).text


def test_the_template_s_own_texts_stay_but_for_the_lines_that_a_block_answers() -> None:
    note = render(None, HOST_TEMPLATE, incident(), []).text
    gone = [line for line in HOST_TEMPLATE.splitlines() if line not in note.splitlines()]
    assert gone[0] == "# Incident: TITLE (YYYY-MM-DD)"
    assert [line.partition(":")[0].partition(" (")[0] for line in gone[1:]] == [
        *("- Date", "- Severity", "- Environment", "- Primary area", "- Owner", "- Start", "- End"),
        *("- HH", "- Trigger", "- Underlying cause"),
    ]
    assert note.count("Status:") == 1


def test_the_public_draft_holds_nothing_that_is_not_public() -> None:
    flow = healthy_flow()
    secret = "planted 10.0.0.5 nas.local"
    for each in flow:
        if each["kind"] != "incident_closed":
            each["data"] = {**each["data"], "text": secret, "objective": secret, "owner": secret, "detail": secret}
    flow[-1]["data"].update(trigger=secret, underlying=secret)
    about = incident(state="closed", resolved_at="2026-11-23T18:10:00Z", owner=secret, title="API down on nas.local")
    draft = public_draft(about, flow)
    assert not re.search(r"planted|10\.0\.0\.5|nas\.local|anna|vps-deploy|haadmin", draft)
    for seen in (
        "2026-11-23: a problem with the API",
        "API down on (private host)",
        "2026-11-23 17:31: it began",
        "39 min",
    ):
        assert seen in draft
    for part in ("Impact", "Timeline", "Resolution", "Prevention"):
        assert "- %s" % part in draft
    assert "resolved" in draft
    contained = [*flow[:-1], event("incident_contained", "18:20", resolved_at="2026-11-23T18:20:00Z", reason=secret)]
    assert ": contained" in public_draft(about, contained)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_the_public_draft_is_text(text: str) -> None:
    page = Page(public_draft(incident(title=text, area=text, resolved_at=text), []))
    assert len(page.headings) == 1
    assert page.elements <= {"h2", "p", "ul", "li"}
    assert page.comments == []
