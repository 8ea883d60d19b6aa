# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of the audit log: what is whole is believed, and nothing that was changed is."""

from __future__ import annotations

import hashlib
import json
from typing import Any, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import audit as writing
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft, Origin
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import audit
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from hypothesis import given
from hypothesis import strategies as st

NAME = "2026-11-23-api-down"
NOW = 1_795_456_200.0


def log(count: int = 5, torn: Optional[int] = None, rest: bytes = b'{"digest":"12') -> bytes:
    """A log of so many remarks, with a torn line after the one of that number."""
    content = b""
    for number in range(1, count + 1):
        content += grown(content, "remark %d" % number)
        if number == torn:
            content += rest
    return content


def grown(content: bytes, text: str) -> bytes:
    """What the next event adds to a log."""
    end = audit.tail(content, True)
    assert end is not None
    draft = Draft("remark", {"text": text}, NAME)
    line = audit.encode(writing.compose(draft, Origin("haadmin"), Redactor(), end, NOW))
    return (b"" if not content or content.endswith(b"\n") else b"\n") + line + b"\n"


def follow(content: bytes) -> audit.Chain:
    chain = audit.Chain()
    lines = content.split(b"\n")
    for line in lines if lines[-1] else lines[:-1]:
        chain.follow(line)
    return chain


def test_a_log_is_believed():
    chain = follow(log(5))
    assert (chain.verified, chain.lines, chain.events, chain.torn, chain.torn_end) == (True, 5, 5, [], False)


def test_the_form_of_a_line_needs_no_code_of_ours_to_be_checked():
    """What somebody would do with a shell: each digest again, from the bytes."""
    content = log(3)
    lines = content.splitlines()
    previous = "0" * 64
    for number, line in enumerate(lines, start=1):
        event = json.loads(line)
        assert event["previous"] == previous
        assert event["sequence"] == number
        assert line.startswith(b'{"digest":"%s",' % event["digest"].encode())
        assert hashlib.sha256(b"{" + line[77:]).hexdigest() == event["digest"]
        previous = hashlib.sha256(line).hexdigest()
    assert follow(content).head_digest == previous


@pytest.mark.parametrize("rest", [b'{"digest":"12', b"", b"\0\0\0", b"\xff\n", b"{", b'{"digest":"12\n', b"\n\n"])
@pytest.mark.parametrize("at", [1, 3])
def test_a_torn_line_is_continued(rest: bytes, at: int):
    chain = follow(log(5, torn=at, rest=rest))
    assert (chain.verified, chain.events, chain.problems) == (True, 5, [])
    assert bool(chain.torn) is (rest != b"")
    assert not chain.torn_end


def test_a_torn_first_line_is_continued():
    content = b'{"dig'
    content += grown(content, "first")
    content += grown(content, "second")
    chain = follow(content)
    assert (chain.verified, chain.events, chain.torn, chain.sequence) == (True, 2, [1], 2)


def test_two_torn_lines_in_a_row():
    content = log(2, torn=2) + b"\n" + b'{"digest"'
    content += grown(content, "third")
    chain = follow(content)
    assert (chain.verified, chain.events, chain.torn) == (True, 3, [3, 4])


def test_a_torn_end_is_said_and_is_no_contradiction():
    chain = follow(log(3, torn=3))
    assert (chain.verified, chain.torn_end, chain.torn) == (True, True, [4])


def test_a_whole_line_without_its_newline_is_completed():
    content = log(2)[:-1]
    content += grown(content, "third")
    chain = follow(content)
    assert (chain.verified, chain.events, chain.torn) == (True, 3, [])


@pytest.mark.parametrize("number", [1, 3, 5])
def test_an_edited_line_is_named(number: int):
    lines = log(5).splitlines(True)
    lines[number - 1] = lines[number - 1].replace(b"remark %d" % number, b"remork %d" % number)
    chain = follow(b"".join(lines))
    assert not chain.verified
    assert chain.first_broken_line == number
    assert "changed after it was written" in chain.problems[0].message
    assert chain.broken == 1


def forged(line: bytes) -> bytes:
    """The line with a digest that fits it."""
    body = b"{" + line[77:]
    return b'{"digest":"' + hashlib.sha256(body).hexdigest().encode() + b'",' + body[1:]


def test_an_edited_line_with_a_fitting_digest_breaks_the_next():
    lines = log(5).splitlines()
    lines[2] = forged(lines[2].replace(b"remark 3", b"remork 3"))
    chain = follow(b"\n".join(lines) + b"\n")
    assert chain.first_broken_line == 4


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: lines[:2] + lines[3:], 3),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
        (lambda lines: [*lines[:3], b"", *lines[3:]], 4),
        (lambda lines: [*lines[:3], b"a person's line", *lines[3:]], 4),
        (lambda lines: [*lines[:3], b"{}", *lines[3:]], 4),
    ],
)
def test_lines_taken_out_put_in_or_moved(change: Any, broken: int):
    lines = change(log(5).splitlines())
    assert follow(b"\n".join(lines) + b"\n").first_broken_line == broken


def test_a_torn_line_can_neither_be_changed_nor_taken_away():
    lines = log(5, torn=3).splitlines()
    assert follow(b"\n".join(lines) + b"\n").verified
    assert not follow(b"\n".join([*lines[:3], *lines[4:]]) + b"\n").verified
    assert not follow(b"\n".join([*lines[:3], b'{"digest":"13', *lines[4:]]) + b"\n").verified
    assert not follow(b"\n".join([*lines[:3], lines[3], lines[3], *lines[4:]]) + b"\n").verified


def test_an_event_of_another_version_is_not_believed():
    line = log(1)[:-1]
    other = forged(line.replace(b'"version":1', b'"version":2'))
    with pytest.raises(ParseError) as refused:
        audit.decode(other)
    assert "version" in str(refused.value)
    with pytest.raises(ParseError):
        audit.tail(other + b"\n", True)


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 0},
        {"sequence": True},
        {"previous": "x"},
        {"event_id": "../../etc"},
        {"kind": "Remark"},
        {"incident": "../../etc/passwd"},
        {"incident": "2026-13-41-x"},
        {"at": "2026-11-23"},
        {"recorded_at": "2026-11-23T10:00:00+01:00"},
        {"late": "no"},
        {"by": {}},
        {"head": "main"},
        {"data": []},
        {"data": {"text": "x", "more": "y"}},
        {"after_torn_line": False},
        {"surprise": 1},
    ],
)
def test_what_we_would_never_write_is_not_believed(change: Any):
    event = audit.decode(log(1)[:-1])
    assert audit.decode(audit.encode(dict(event))) == event
    with pytest.raises(ParseError):
        audit.decode(audit.encode({**event, **change}))


def test_a_kind_of_a_newer_version_is_kept():
    event = {**audit.decode(log(1)[:-1]), "kind": "moon_phase", "data": {"moon": "full"}}
    assert audit.decode(audit.encode(event)) == event


def test_the_end_of_a_log_is_judged_without_its_beginning():
    content = log(9, torn=4)
    lines = content.splitlines()
    for start in range(1, 9):
        chain = audit.Chain(from_start=False)
        for line in lines[start:]:
            chain.follow(line)
        assert chain.verified, start
    lines[7] = lines[7].replace(b"remark", b"remork")
    chain = audit.Chain(from_start=False)
    for line in lines[5:]:
        chain.follow(line)
    assert not chain.verified


@given(st.binary(max_size=400))
def test_any_bytes_are_followed(content: bytes):
    chain = follow(content)
    assert chain.events == 0
    assert chain.lines == len(content.split(b"\n")) - (1 if not content.split(b"\n")[-1] else 0)


@given(st.binary(max_size=200))
def test_after_any_bytes_the_log_goes_on(content: bytes):
    """Unless they are a JSON object, which no torn line is."""
    try:
        added = grown(content, "next")
    except ParseError:
        assert b"{" in content
        return
    chain = follow(content + added)
    assert (chain.verified, chain.events) == (True, 1)


LOG = log(6, torn=3)
LAST = LOG.rindex(b"\n", 0, len(LOG) - 1) + 1


@st.composite
def changed(draw: Any) -> bytes:
    """The log after one change of any kind, somewhere."""
    position = draw(st.integers(0, len(LOG) - 1))
    length = draw(st.integers(0, 30))
    put = draw(st.binary(max_size=5) | st.sampled_from([b"\n", b"", LOG[position : position + 80], b"remark"]))
    return LOG[:position] + put + LOG[position + length :]


@given(changed())
def test_no_change_is_called_verified(content: bytes):
    chain = follow(content)
    if not chain.verified or content == LOG:
        assert chain.verified is (content == LOG)
        return
    # What cannot be told from a power cut, and is said to be torn; and lines that are missing at the end, or were put
    # there, whose digest the head tells.
    common = 0
    for one, other in zip(LOG, content):
        if one != other:
            break
        common += 1
    unchanged = LOG[:common].rindex(b"\n") + 1 if b"\n" in LOG[:common] else 0
    rest = content[unchanged:]
    assert all(unreadable(line) for line in rest.split(b"\n") if line) or rest + b"\n" in LOG
    assert chain.torn_end or chain.head_digest != follow(LOG).head_digest or rest + b"\n" == LOG[unchanged:]


def unreadable(line: bytes) -> bool:
    try:
        audit.decode(line)
    except ParseError as error:
        return error.code != audit.BAD_EVIDENCE
    return False


@given(st.lists(st.sampled_from(["event", "kill"]), max_size=8), st.data())
def test_whatever_is_cut_short_the_chain_goes_on(steps: List[str], data: Any):
    content, whole = b"", 0
    for step in steps:
        added = grown(content, "text " + "x" * data.draw(st.integers(0, 50)))
        if step == "kill":
            cut = data.draw(st.integers(0, len(added)))
            # All but its newline is a whole event.
            whole += cut >= len(added) - 1
            added = added[:cut]
        else:
            whole += 1
        content += added
    chain = follow(content)
    assert (chain.verified, chain.events) == (True, whole)
