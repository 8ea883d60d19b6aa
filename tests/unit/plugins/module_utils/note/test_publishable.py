# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a published note leaves out: each kind with texts that must go, and texts like them that must stay."""

from __future__ import annotations

import re

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import markdown
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.publishable import publishable
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.render import render
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import (
    HOST_TEMPLATE,
    HOSTILE,
    healthy_flow,
    hostile_flow,
    incident,
    messy_flow,
)
from hypothesis import given
from hypothesis import strategies as st

GO = [
    ("HEALTHARCHIVE_ADMIN_TOKEN=%s", "planted-5f2e", "secret"),
    ("postgresql+psycopg://healtharchive:%s@127.0.0.1:5432/db", "planted", "secret"),
    ("https://%s@git.example.org/x.git", "planted", "secret"),
    ("Authorization: Bearer %s", "planted.5f2e", "secret"),
    ("X-Admin-Token: %s", "planted5f2e", "secret"),
    ("the admin token is: %s.", "planted-5f2e", "secret"),
    ("Password: %s", "planted9", "secret"),
    ("pushed with %s", "ghp_planted9planted9planted9planted9", "secret"),
    ("%s", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl", "secret"),
    ("%s", "-----BEGIN RSA PRIVATE KEY----- planted", "secret"),
    ("ping %s", "https://hc-ping.com/0b1c2d3e-1111-2222-3333-444455556666", "ping URL"),
    ("ping %s", "hc-ping.com/0b1c2d3e-1111-2222-3333-444455556666/fail", "ping URL"),
    ("ping %s", "https://checks.example.org/ping/0b1c2d3e", "ping URL"),
    ("HC_DISK_URL=%s", "https://x.example.org/0b1c2d3e", "ping URL"),
    ("HEALTHARCHIVE_HC_PING_BACKUP='%s'", "https://x.example.org/0b1c2d3e", "ping URL"),
    ("from %s to", "10.0.0.5", "private address"),
    ("(%s)", "172.16.31.4", "private address"),
    ("ssh haadmin@%s", "172.31.255.254", "private address"),
    ("http://%s:8001/api", "192.168.178.20", "private address"),
    ("%s.", "100.64.0.1", "private address"),
    ("%s/10", "100.127.255.254", "private address"),
    ("%s", "169.254.1.1", "private address"),
    ("[%s]:22", "fd7a:115c:a1e0::1", "private address"),
    ("%s", "fe80::1%eth0", "private address"),
    ("at %s,", "::ffff:10.0.0.5", "private address"),
    ("ssh %s", "archive-vps.tail0000.ts.net", "private host"),
    ("%s", "nas.local", "private host"),
    ("http://%s:9090/", "prometheus.internal", "private host"),
    ("%s.", "printer.lan", "private host"),
    ("%s", "u123456.your-storagebox.de", "private host"),
    ("%s", "ip-10-0-0-5", "private host"),
    ("the host %s fails", "archive-1", "left out"),
]
STAY = [
    "127.0.0.1:8001 and ::1 and localhost refuse",
    "192.0.2.7, 198.51.100.1, 8.8.8.8, 2001:db8::1",
    "1.2.3.4.5 and 110.0.0.5 and 10.0.0.256 and 172.32.0.1 and 100.128.0.1",
    "2026-11-23 17:50:12 to 18:02",
    "commit bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "https://archive.example.org/api/health answers 502",
    "/etc/healtharchive/backend.env, ~/.local/bin, /etc/rc.local, healtharchive-api.service",
    "The token was rotated; the password: unknown to us. No secret is in here.",
    "local.example.org and internal.example.org and a.local.example.org",
    "mapping 8090 to 8002, ping took 3 ms",
    "archive-11 and my-archive-1x",
]


@pytest.mark.parametrize(("frame", "planted", "what"), GO, ids=[planted[:30] for _frame, planted, _what in GO])
def test_what_must_go(frame: str, planted: str, what: str) -> None:
    line = frame % planted
    # As typed by hand, as a text of the host in a block, in a cell, in a command, at the end without a line end.
    for before, after in (("", ""), ("- 17:50 ", " (anna)\n"), ("| a | ", " | b |\r\n"), ("```sh\n", "\n```\n")):
        for written in (line, markdown.text(line)):
            text = before + written + after
            shown = publishable(text, ["archive-1"])
            assert planted not in re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", shown.text)
            assert what in {each.what for each in shown.removed}
            assert {each.line for each in shown.removed} == {before.count("\n") + 1}
            assert shown.text.startswith(before)
            # A key goes to the end of its line.
            assert shown.text.endswith(after if "KEY" not in line else after[-1:])
            assert publishable(shown.text, ["archive-1"]) == (shown.text, [])


@pytest.mark.parametrize("line", STAY)
def test_what_looks_like_it_stays(line: str) -> None:
    for text in (line, "\r\n%s\n" % markdown.text(line), "```\n%s\n```" % line):
        assert publishable(text, ["archive-1"]) == (text, [])


def test_a_whole_key_goes_and_what_follows_stays() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA+b/c=\nplanted\n-----END OPENSSH PRIVATE KEY-----\n"
    for text, kept in ((key, "after\n"), (key.replace("-----END OPENSSH PRIVATE KEY-----\n", ""), "two words\n")):
        shown = publishable("before\n" + text + kept)
        assert "planted" not in shown.text
        assert "AAAA" not in shown.text
        assert shown.text.startswith("before\n")
        assert shown.text.endswith(kept)


def log(lines: int) -> str:
    return "\n".join("line %d" % number for number in range(lines)) + "\n"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("```\n", "```\n"), ("~~~~ text\n", "~~~~\n"), ("- item\n\n  ```\n", "  ```\n"), ("> ```\n", "> ```\n")],
)
def test_a_log_of_more_than_fifty_lines_is_cut(opening: str, closing: str) -> None:
    fits = "before\n\n%s%s%safter\n" % (opening, log(50), closing)
    assert publishable(fits) == (fits, [])
    shown = publishable("before\n\n%s%s%safter\n" % (opening, log(200), closing))
    expected = "before\n\n%s%s(151 more lines left out)\n%safter\n" % (opening, log(49), closing)
    assert shown.text == expected
    assert [each.what for each in shown.removed] == ["lines of a long log"]
    assert publishable(shown.text) == (shown.text, [])


def test_an_indented_log_is_cut_too() -> None:
    indented = "".join("    line %d\n" % number for number in range(200))
    shown = publishable("before\n\n%s\nafter\n" % indented)
    assert "line 48\n(151 more lines left out)\n\nafter\n" in shown.text


def test_a_fence_that_nobody_closed_takes_no_block_along() -> None:
    note = render(None, HOST_TEMPLATE, incident(), messy_flow()).text
    broken = note.replace("## Detection\n", "## Detection\n\n```\n" + log(200))
    shown = publishable(broken)
    assert "(151 more lines left out)" not in shown.text
    assert "more lines left out" in shown.text
    assert (
        shown.text[shown.text.index("<!-- healtharchive.remediation begin: timeline") :]
        == note[note.index("<!-- healtharchive.remediation begin: timeline") :]
    )


def test_a_note_without_any_of_it_is_published_as_it_is() -> None:
    for flow in (healthy_flow(), messy_flow()):
        note = render(None, HOST_TEMPLATE, incident(), flow).text
        assert publishable(note) == (note, [])


MARKS = [*"\\_*[](){}<>|`~'\"@:/=#. \n\r\t", "```\n", "    x\n", "********"]
PIECES = st.sampled_from([*(frame % planted for frame, planted, _what in GO), *STAY, *MARKS])


@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join), st.lists(st.text(max_size=5), max_size=2))
def test_any_text_twice_is_the_same_and_no_line_is_moved(text: str, leave_out: list) -> None:
    shown = publishable(text, leave_out)
    if "more lines left out" not in shown.text:
        assert shown.text.count("\n") == text.count("\n")
    again = publishable(shown.text, ["archive-1"])
    assert [each for each in again.removed if each.what == "lines of a long log"] == []
    if not shown.removed and "archive-1" not in text:
        assert shown.text == text


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_what_is_left_out_makes_no_markdown_of_hostile_text(text: str) -> None:
    """An escape stays with the character that it escapes, where something beside it is cut out too."""
    for planted in ("token=%s", "10.0.0.5%s", "%s10.0.0.5", "https://hc-ping.com/%s", "password: a1%s"):
        flow = hostile_flow(planted % text)
        note = publishable(render(None, HOST_TEMPLATE, incident(), flow).text).text
        outside_code = re.sub(r"^```+sh\n.*?^```+\n", "", note, flags=re.DOTALL | re.MULTILINE)
        without_ours = re.sub(r"^<!-- .* -->$", "", outside_code, flags=re.MULTILINE)
        assert not re.search(r"(?<!\\)(?:\\\\)*[<>]", without_ours)


def test_long_lines_cost_no_more_than_their_length() -> None:
    """Twenty thousand characters of what each pattern begins with are looked at in a moment."""
    for begin in (
        "a",
        "1",
        ":",
        "10.",
        "a.",
        "fe80:",
        "https://",
        "token ",
        "\\",
        "x-",
        "://a:",
        "-----BEGIN ",
        "HC_",
        "-",
    ):
        publishable(begin * (20000 // len(begin)))
