# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hiding secrets."""

from __future__ import annotations

import json
import shlex
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import envfile
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import MASK, Redactor
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("nothing to hide", "nothing to hide"),
        ("the word is sesame.", "the word is ********."),
        ("sesamesesame", "********"),
        ("sesame sesame", "******** ********"),
        ("open-sesame-now", "********"),
        ("say open-sesame", "say open-********"),
        ("with%20space and p%40ss%2Fword", "******** and ********"),
        ('{"a": "tab\\there"}', '{"a": "********"}'),
        ("abcde", "********"),
    ],
)
def test_known_secrets(text: str, shown: str) -> None:
    secrets = ["sesame", "open-sesame-now", "with space", "p@ss/word", "tab\there", "abcd", "bcde", "abc", "is"]
    assert Redactor(secrets).text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+psycopg://user:hunter2@127.0.0.1:5432/d", "postgresql+psycopg://user:********@127.0.0.1:5432/d"),
        ("redis://:hunter2@h", "redis://:********@h"),
        ("at 'http://u:hu@nter2@h/x' and", "at 'http://u:********@h/x' and"),
        ("https://ghtoken@git.test/x", "https://********@git.test/x"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ********"),
        ("authorization: Basic dXNlcjpwYXNz\nnext", "authorization: Basic ********\nnext"),
        ("-H 'Authorization: opaque'", "-H 'Authorization: ********'"),
        ("X-Admin-Token: hunter2", "X-Admin-Token: ********"),
        ("sent Bearer hunter2hunter2 to", "sent Bearer ******** to"),
        ("token=hunter2\0next field", "token=********\0next field"),
        ("?token=hunter2&x=1", "?token=********&x=1"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=******** psql"),
        ("HEALTHARCHIVE_ADMIN_TOKEN='hunter2'", "HEALTHARCHIVE_ADMIN_TOKEN='********'"),
        ('{"password": "hunter2", "x": 1}', '{"password": "********", "x": 1}'),
        ('{"m": "token=hunter2\\" and more"}', '{"m": "token=********\\" and more"}'),
        ('{"m": "token=hunter2\\\\"}', '{"m": "token=********"}'),
    ],
)
def test_what_looks_like_a_secret(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8001/api/health",
        "http://127.0.0.1:8001/api/x?mail=user@example.org",
        "http://[::1]:8001/api/health",
        "storagebox@storagebox.test:/home/storagebox",
        "ssh://git@git.test/x",
        'FATAL:  password authentication failed for user "healtharchive"',
        '{"detail":"Admin token required"}',
        "- env:HEALTHARCHIVE_ADMIN_TOKEN_present: missing",
        "NRestarts=3\nMainPID=812\nKeyringMode=private",
        "unrecognized arguments: --extraChromeArgs",
        "token =\nnext line",
    ],
)
def test_evidence_stays_readable(text: str) -> None:
    assert Redactor(["sesame"]).text(text) == text


def test_json_values_keep_their_shape() -> None:
    evidence: dict[str, Any] = {
        "number": 12345,
        "float": 1.5,
        "yes": True,
        "nothing": None,
        "list": ["a 12345 b", ("12345", 12345)],
        "12345": {"key of 12345": "sesame"},
        7: "sesame",
    }
    assert Redactor(["12345", "sesame"]).value(evidence) == {
        "number": 12345,
        "float": 1.5,
        "yes": True,
        "nothing": None,
        "list": ["a ******** b", ["********", 12345]],
        "********": {"key of ********": "********"},
        7: "********",
    }


def test_keys_that_become_equal_are_all_kept() -> None:
    shown = Redactor(["first", "second", "third"]).value({"first": 1, "second": 2, "third": 3})
    assert shown == {"********": 1, "******** (2)": 2, "******** (3)": 3}


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["sshpass", "-p", "two words", "ssh", "host"], ["sshpass", "-p", MASK, "ssh", "host"]),
        (["/usr/bin/sshpass", "-v", "-phunter2", "ssh", "-p", "22"], ["/usr/bin/sshpass", "-v", MASK, "ssh", "-p", "22"]),
        (["program", "--db-password", "hunter2", "--verbose"], ["program", "--db-password", MASK, "--verbose"]),
        (["program", "--api-key", "abc", "--token=abc"], ["program", "--api-key", MASK, "--token=" + MASK]),
        (["ssh", "-p", "22", "host"], ["ssh", "-p", "22", "host"]),
        (["program", "--password", "--verbose"], ["program", "--password", "--verbose"]),
        (["program", "--token-file", "/etc/x", "a", ""], ["program", "--token-file", "/etc/x", "a", ""]),
        ([], []),
    ],
)
def test_a_word_of_a_command_that_only_the_one_before_tells(command: list[str], shown: list[str]) -> None:
    assert Redactor().words(command) == shown
    assert Redactor().value({"argv": command}) == {"argv": shown}


def test_a_text_that_its_key_calls_secret() -> None:
    value = {"db_password": "short", "X-Admin-Token": "a b", "password": None, "token": 7, "key": "a", "api_key": ["x"]}
    shown = {**value, "db_password": MASK, "X-Admin-Token": MASK}
    assert Redactor().value(value) == shown
    assert Redactor().value([value, value]) == [shown, shown]


def test_a_secret_as_programs_write_it() -> None:
    secret = "it's p@ss/w\u00f6rd \"q\" \\"
    redactor = Redactor([secret])
    for written in (
        repr(secret), json.dumps(secret), json.dumps(json.dumps(secret)), shlex.quote(secret), quote(secret), quote(secret, ""),
        quote_plus(secret), quote(secret).lower(), json.dumps(secret, ensure_ascii=False), "'%s'" % secret.replace("'", "'\\''"),
    ):  # fmt: skip
        shown = redactor.text("said %s and more" % written)
        assert "ss" not in shown, written
        assert "rd" not in shown, written
        assert shown.endswith(" and more")


def test_a_secret_at_the_cut_of_a_line_is_gone() -> None:
    secret = "0123456789abcdef"
    for length in range(1, 40):
        shown = Redactor([secret]).line("token is %s, they say\n" % secret, length)
        assert len(shown) <= length
        assert "01" not in shown
    assert Redactor([secret]).line("a %s\nb" % secret) == "a ********\\nb"


def test_a_secret_that_was_cut_before_is_hidden_at_either_end() -> None:
    secret = "0123456789abcdef"
    redactor = Redactor([secret])
    for kept in range(4, len(secret)):
        assert redactor.text("it is " + secret[:kept], truncated=True) == "it is " + MASK
        assert redactor.text(secret[-kept:] + " it was", truncated=True) == MASK + " it was"
        assert redactor.text("it is " + secret[:kept]) == "it is " + secret[:kept]


def test_secrets_of_an_environment_file_are_hidden() -> None:
    content = b"HEALTHARCHIVE_DATABASE_URL=postgresql+psycopg://healtharchive:p%40ss@127.0.0.1/d\nA_TOKEN=xyzzy\n"
    redactor = Redactor(envfile.parse(content).secret_values())
    shown = redactor.text(content.decode() + " p@ss xyzzy")
    assert "xyzzy" not in shown
    assert "p@ss" not in shown
    assert "p%40ss" not in shown
    assert "healtharchive:********@127.0.0.1" in shown


secrets = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=1, max_size=12), max_size=4)


@given(st.data(), secrets)
def test_no_secret_survives(data: st.DataObject, known: list[str]) -> None:
    pieces = st.text(max_size=10)
    if known:
        whole = st.sampled_from(known)
        pieces |= whole | whole.map(json.dumps) | whole.map(lambda secret: secret[: len(secret) // 2])
    text = "".join(data.draw(st.lists(pieces, max_size=8)))
    redactor = Redactor(known)
    shown = redactor.text(text)
    line = redactor.line(text, 30)
    (key, (item,)), *others = redactor.value({text: [text]}).items()
    assert not others
    for secret in known:
        if len(secret) >= 4:
            assert secret not in shown
            assert secret not in key
            assert secret not in item
            # A secret "\\n" is what a line end looks like in a line.
            assert secret not in line or "\\" in secret


@given(st.text(max_size=200), secrets, st.booleans())
def test_redacting_twice_changes_nothing_more(text: str, known: list[str], truncated: bool) -> None:
    redactor = Redactor(known)
    once = redactor.text(text, truncated)
    assert redactor.text(once) == once


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_a_value_without_secrets_stays_the_same(value: Any) -> None:
    assert Redactor(["a secret that no generated text contains"]).value(value) == value


@given(st.text(max_size=60), secrets)
def test_redacted_json_is_still_json(text: str, known: list[str]) -> None:
    # The host's output is redacted before it is parsed.
    shown = Redactor(["sesame"]).text(json.dumps({"message": "token=%s password: %s" % (text, text), "n": 1}))
    assert json.loads(shown)["n"] == 1
