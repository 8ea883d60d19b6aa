# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record as the host has it, read without the collection: the audit log's chain is followed with hashlib alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any, List

DIRECTORY = "/srv/healtharchive/ops/remediation"
LOG = DIRECTORY + "/audit.jsonl"
_START = len('{"digest":"')


def follow(content: bytes) -> List[dict]:
    """The events of a log; AssertionError where a line does not continue what comes before it."""
    events: List[dict] = []
    torn: List[bytes] = []
    before = None
    lines = content.split(b"\n")
    assert lines.pop() == b"", "the last line has no end"
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            torn.append(line)
            continue
        body = b"{" + line[_START + 64 + 2 :]
        assert hashlib.sha256(body).hexdigest() == event.pop("digest"), "line %d was changed" % (len(events) + 1)
        continued = b"\n".join([*([] if before is None else [before]), *torn])
        expected = hashlib.sha256(continued).hexdigest() if continued else "0" * 64
        assert event["previous"] == expected, "event %d does not continue the one before" % event["sequence"]
        assert event["sequence"] == len(events) + 1
        assert event.get("after_torn_line", False) is bool(torn)
        events.append(event)
        before, torn = line, []
    return events


def events(host: Any) -> List[dict]:
    """The events on the host, the chain followed; none where there is no log."""
    content = host.ssh("sudo cat %s 2>/dev/null || true" % LOG).stdout.encode("ascii")
    found = follow(content) if content else []
    identities = [event["event_id"] for event in found]
    assert len(set(identities)) == len(identities), "an event is there twice"
    return found


def kinds(found: List[dict]) -> List[str]:
    return [event["kind"] for event in found]


def blocks(note: str) -> dict:
    """The managed blocks of a note; AssertionError unless each is there once, whole, and in no other."""
    found: dict = {}
    name = None
    for line in note.splitlines():
        if line.startswith("<!-- healtharchive.remediation begin: "):
            assert name is None, "a block in a block"
            name = line.split(": ")[1].split(" ")[0]
            assert name not in found, "the block %s is there twice" % name
            found[name] = []
        elif line.startswith("<!-- healtharchive.remediation end: "):
            assert line.split(": ")[1].split(" ")[0] == name, "the end of another block"
            name = None
        elif name is not None:
            found[name].append(line)
    assert name is None, "the block %s has no end" % name
    assert note.endswith("\n")
    return {each: "\n".join(lines) for each, lines in found.items()}
