# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a host stay data: printable in a text, one word in a command."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.text import one_line
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.templates import BadTemplate, template
from hypothesis import given, settings
from hypothesis import strategies as st

ALLOWED = frozenset({"name", "options"})


def text(source: str, value: Any) -> str:
    return template(source, ALLOWED).text(lambda name: value, lambda shown: one_line(shown, 20))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x", "<x>"),
        (3, "<3>"),
        (["a", "b"], "<a, b>"),
        (None, "<(unknown)>"),
        ([], "<(none seen)>"),
        ("{name}", "<{name}>"),
        ("a\nb\x1b[31m", "<a\\nb\\x1b[31m>"),
        ("\u202e\u2028", "<\\u202e\\u2028>"),
    ],
)
def test_a_value_in_a_text(value: Any, shown: str) -> None:
    assert text("<{name}>", value) == shown


@pytest.mark.parametrize(
    ("source", "value", "shown"),
    [
        ("ls {name}", "a b", "ls 'a b'"),
        ("ls {name}", "$(id)`id`;id|id&&id>x", "ls '$(id)`id`;id|id&&id>x'"),
        ("ls {name}", "it's", "ls 'it'\"'\"'s'"),
        ("ls {name}", "", "ls ''"),
        ("ls {name}", 7, "ls 7"),
        ("ls {options} x", ["--a", "b  c"], "ls --a 'b  c' x"),
        ("ls {options}", [], "ls"),
        ("ls {options} x", [], "ls x"),
        ("ls {name}", None, None),
    ],
)
def test_a_value_in_a_command(source: str, value: Any, shown: Any) -> None:
    assert template(source, ALLOWED).command(lambda name: value) == shown


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=3))
@settings(max_examples=25)
def test_a_shell_reads_back_what_was_put_in(words: list[str]) -> None:
    command = template("printf '%s\\0' {options}", ALLOWED).command(lambda name: words)
    assert command is not None
    printed = subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout
    assert printed.decode().split("\0")[:-1] == words


@pytest.mark.parametrize(
    "source",
    [
        None,
        3,
        "",
        " ",
        "a\nb",
        "{other}",
        "{name!s}",
        "{name:5}",
        "{name.x}",
        "{name[0]}",
        "{0}",
        "{",
        "{name",
        "}",
        "{{name}}",
        "{% x",
        "{# x",
    ],
)
def test_what_is_no_template(source: Any) -> None:
    with pytest.raises(BadTemplate):
        template(source, ALLOWED)


@given(st.text(max_size=30))
def test_any_text_is_a_template_or_one_clear_refusal(source: str) -> None:
    try:
        checked = template(source, ALLOWED)
    except BadTemplate:
        return
    assert checked.names <= ALLOWED
    assert checked.text(lambda name: "x", str)
