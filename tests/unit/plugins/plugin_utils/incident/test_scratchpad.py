# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for a host: nothing is lost, doubled or forgotten too early, wherever a run is ended."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import incident as rules
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.render import render
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import whole_file
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.scratchpad import Scratchpad, Spoiled
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

NOW = 1795455000.0  # 2026-11-23T17:30:00Z
HOST = "archive.example.org"
OPENING = {"title": "The host does not answer", "severity": "sev0", "area": "infra", "operator": "anna"}
ID = "2026-11-23-the-host-does-not-answer"


def remark(text: str, **more: Any) -> Dict[str, Any]:
    return {"kind": "remark", "data": {"text": text}, **more}


def record(directory: Path, now: float = NOW, check_mode: bool = False, **wish: Any) -> Any:
    return Scratchpad(str(directory), HOST).record(wish, now, check_mode)


def pending(directory: Path, host: str = HOST) -> List[Dict[str, Any]]:
    return Scratchpad(str(directory), host).pending()


class Host:
    """A host's log, by the rules that it goes by."""

    def __init__(self) -> None:
        self.events: List[Dict[str, Any]] = []

    def opens(self, at: str, **wish: Any) -> None:
        self.events += [
            {**each._asdict(), "at": each.at or at, "data": dict(each.data)}
            for each in rules.decide(self.events, rules.Wish(**wish), at).drafts
        ]

    def join(self, waiting: Dict[str, Any]) -> List[Dict[str, Any]]:
        drafts = [
            Draft(each["kind"], each["data"], None, each["event_id"], each["at"], each["late"])
            for each in waiting["events"]
        ]
        decision = rules.decide(
            self.events, rules.Wish(incident=waiting["incident"], events=drafts), "2026-11-23T19:00:00Z"
        )
        self.events += [
            {**each._asdict(), "at": each.at or "2026-11-23T19:00:00Z", "data": dict(each.data)}
            for each in decision.drafts
        ]
        return [each for each in self.events if each["incident"] == decision.incident]


def ids(waiting: Dict[str, Any]) -> List[str]:
    return [each["event_id"] for each in waiting["events"]]


def test_opening_writes_one_line_that_says_all(tmp_path: Path) -> None:
    recorded = record(tmp_path, **OPENING)
    path = tmp_path / ".pending" / HOST / (ID + ".jsonl")
    (line,) = path.read_text().splitlines()
    event = json.loads(line)
    assert (event["incident"], event["kind"], event["at"]) == (ID, "incident_opened", "2026-11-23T17:30:00Z")
    assert event["data"]["title"] == OPENING["title"]
    assert event["by"]["operator"] == "anna"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (recorded.id, recorded.changed) == (ID, True)
    assert "Opened as sev0 (anna)" in render(None, None, recorded.incident, recorded.events).text


def test_opening_again_and_saying_again_change_nothing(tmp_path: Path) -> None:
    wish = {**OPENING, "events": [remark("The provider's console shows nothing")]}
    first = record(tmp_path, **wish)
    path = tmp_path / ".pending" / HOST / (ID + ".jsonl")
    before = (path.read_bytes(), path.stat().st_ino)
    again = record(tmp_path, NOW + 600, **wish)
    assert (again.id, again.events, again.changed) == (first.id, first.events, False)
    assert (path.read_bytes(), path.stat().st_ino) == before


def test_check_mode_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    planned = record(tmp_path / "incidents", check_mode=True, **OPENING)
    assert list(tmp_path.iterdir()) == []
    assert record(tmp_path / "incidents", **OPENING) == planned


def test_more_is_noted_in_order_and_offered_as_the_host_takes_it(tmp_path: Path) -> None:
    record(tmp_path, **OPENING)
    record(tmp_path, NOW + 60, incident=ID, events=[remark("first"), remark("second")])
    record(tmp_path, NOW + 120, incident=ID, severity="sev1", severity_reason="The site answers")
    (waiting,) = pending(tmp_path)
    assert waiting["incident"] == ID
    assert [event["kind"] for event in waiting["events"]] == ["incident_opened", "remark", "remark", "severity_changed"]
    assert [event["data"].get("text") for event in waiting["events"]][1:3] == ["first", "second"]
    assert all(set(event) == {"event_id", "kind", "at", "late", "by", "data"} for event in waiting["events"])
    assert all(event["late"] is True for event in waiting["events"])


def test_each_host_has_its_own(tmp_path: Path) -> None:
    names = [HOST, "other", "..", ".", "../" + HOST, "a/b", "a_b", ".hidden", "\u00e9", "a~b", "a%2Fb"]
    for name in names:
        Scratchpad(str(tmp_path), name).record(OPENING, NOW, False)
    below = tmp_path / ".pending"
    assert len(list(below.iterdir())) == len(names)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".pending"]
    assert all(len(pending(tmp_path, name)) == 1 for name in names)
    for name in ("", "x" * 300):
        with pytest.raises(BadInput):
            Scratchpad(str(tmp_path), name)


def test_the_id_of_a_note_that_is_here_is_not_given_again(tmp_path: Path) -> None:
    (tmp_path / HOST).mkdir()
    (tmp_path / HOST / (ID + ".md")).write_text("an older one")
    assert record(tmp_path, **OPENING).id == ID + "-a"


def test_an_incident_of_the_host_can_be_noted_about_but_not_opened(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        record(tmp_path, incident=ID, events=[remark("x")])
    assert caught.value.code == "incident_unknown"
    # The note of another host's incident is none of this one.
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / (ID + ".md")).write_text("its note")
    with pytest.raises(BadInput):
        record(tmp_path, incident=ID, events=[remark("x")])
    (tmp_path / HOST).mkdir()
    (tmp_path / HOST / (ID + ".md")).write_text("its note")
    recorded = record(tmp_path, incident=ID, events=[remark("x")])
    assert (recorded.id, recorded.incident, recorded.changed) == (ID, None, True)
    assert [event["kind"] for event in pending(tmp_path)[0]["events"]] == ["remark"]
    assert record(tmp_path, incident=ID, events=[remark("x")]).changed is False
    with pytest.raises(BadInput) as caught:
        record(tmp_path, incident=ID, severity="sev1")
    assert caught.value.code == "host_needed"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"severity": "sev1"}, "title_missing"),
        ({"title": "x"}, "severity_missing"),
        ({"title": " ", "severity": "sev1"}, "title_missing"),
        ({**OPENING, "slug": "../x"}, "bad_slug"),
        ({**OPENING, "started_at": "yesterday"}, "bad_event"),
        ({**OPENING, "events": [{"kind": "verified", "data": {}}]}, "bad_event"),
        ({**OPENING, "events": [{"kind": "remark"}]}, "bad_event"),
        ({**OPENING, "events": [remark("x", event_id="../x")]}, "bad_event"),
        ({"incident": "../../x"}, "bad_incident"),
        ({"incident": "2026-11-23-a\n"}, "bad_incident"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_nothing_is_written(
    tmp_path: Path, wish: Dict[str, Any], code: str
) -> None:
    with pytest.raises(BadInput) as caught:
        record(tmp_path, **wish)
    assert caught.value.code == code
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_what_waits_joins_the_host_s_log_once_and_is_then_forgotten(tmp_path: Path) -> None:
    record(tmp_path, **OPENING, events=[remark("first")])
    host = Host()
    given = host.join(pending(tmp_path)[0])
    # Ended before it was forgotten: offered again, recorded once.
    assert host.join(pending(tmp_path)[0]) == given
    assert [event["kind"] for event in host.events] == ["incident_opened", "remark"]
    scratchpad = Scratchpad(str(tmp_path), HOST)
    confirmed = ids(pending(tmp_path)[0])
    assert scratchpad.remove(ID, confirmed[:1], False) is False
    assert len(pending(tmp_path)) == 1
    assert scratchpad.remove(ID, confirmed, True) is True
    assert len(pending(tmp_path)) == 1
    assert scratchpad.remove(ID, confirmed, False) is True
    assert pending(tmp_path) == []
    assert scratchpad.remove(ID, confirmed, False) is False


def test_the_same_incident_opened_on_the_host_meanwhile(tmp_path: Path) -> None:
    """It is the same one, and its own opening stands for ours."""
    record(tmp_path, **OPENING, started_at="2026-11-23T17:00:00Z", events=[remark("first")])
    host = Host()
    host.opens("2026-11-23T17:40:00Z", title=OPENING["title"], severity="sev0", started_at="2026-11-23T17:00:00Z")
    given = host.join(pending(tmp_path)[0])
    assert [event["kind"] for event in given] == ["incident_opened", "remark"]


@pytest.mark.parametrize("slug", [None, "gone"])
@pytest.mark.parametrize("name_taken", [False, True])
def test_the_host_recorded_and_the_link_broke_before_it_could_say_so(
    tmp_path: Path, slug: Any, name_taken: bool
) -> None:
    """The operator types the same command again, and the host is away now."""
    said = {"title": OPENING["title"], "severity": "sev0", "slug": slug}
    host = Host()
    if name_taken:
        host.opens("2026-11-23T17:00:00Z", title="Another", severity="sev3", slug=slug or ID[11:])
    draft = Draft("remark", {"text": "Called the provider"})
    host.opens("2026-11-23T17:29:00Z", events=[draft], **said)
    before = list(host.events)
    recorded = record(tmp_path, **said, events=[remark("Called the provider"), remark("No answer")])
    (waiting,) = pending(tmp_path)
    given = host.join(waiting)
    assert [event["kind"] for event in host.events] == [event["kind"] for event in before] + ["remark"]
    assert host.events[-1]["data"] == {"text": "No answer"}
    # And once more, when the host answers again.
    again = [draft, draft._replace(data={"text": "No answer"})]
    host.opens("2026-11-23T19:01:00Z", events=again, **said)
    assert host.join(waiting) == given
    assert len(host.events) == len(before) + 1
    assert recorded.id.endswith(slug or ID[11:])


def test_the_same_words_in_two_incidents_that_had_one_id(tmp_path: Path) -> None:
    """Each on its own side of the link: neither is taken for the other, and what joined is known when it is said again."""
    words = [remark("Called the provider")]
    record(tmp_path, **OPENING, events=words)
    host = Host()
    draft = Draft("remark", words[0]["data"])
    host.opens("2026-11-23T17:00:00Z", title="Another", severity="sev3", slug=ID[11:], events=[draft])
    (waiting,) = pending(tmp_path)
    given = host.join(waiting)
    assert [event["incident"] for event in host.events] == [ID] * 2 + [ID + "-a"] * 2
    assert host.join(waiting) == given
    host.opens("2026-11-23T19:01:00Z", title=OPENING["title"], severity="sev0", events=[draft])
    assert len(host.events) == 4
    assert len({event["event_id"] for event in host.events}) == 4


def test_what_was_over_before_is_another_incident(tmp_path: Path) -> None:
    host = Host()
    host.opens("2026-11-23T16:00:00Z", title=OPENING["title"], severity="sev0")
    host.opens("2026-11-23T17:00:00Z", incident=ID, state="contained", reason="it went away")
    record(tmp_path, **OPENING)
    (waiting,) = pending(tmp_path)
    assert {event["incident"] for event in host.join(waiting)} == {ID + "-a"}
    host.join(waiting)
    assert [event["kind"] for event in host.events] == ["incident_opened", "incident_contained", "incident_opened"]


def test_a_severity_that_was_changed_here_joins(tmp_path: Path) -> None:
    record(tmp_path, **OPENING)
    record(tmp_path, NOW + 60, incident=ID, severity="sev1", severity_reason="The site answers")
    host = Host()
    (waiting,) = pending(tmp_path)
    host.join(waiting)
    assert rules.Record(host.events).incidents[ID].severity == "sev1"
    assert host.join(waiting) == host.join(waiting)
    assert len(host.events) == 2
    # What was decided on the host since then stays.
    newer = Host()
    newer.opens("2026-11-23T17:40:00Z", title=OPENING["title"], severity="sev2")
    newer.opens("2026-11-23T18:00:00Z", incident=ID, severity="sev0")
    newer.join(waiting)
    assert rules.Record(newer.events).incidents[ID].severity == "sev0"


def test_another_incident_under_the_same_id_on_the_host_stays_another_one(tmp_path: Path) -> None:
    """Same day and slug, another title: the host gives it the next id."""
    record(tmp_path, **OPENING, events=[remark("ours")])
    host = Host()
    host.opens("2026-11-23T17:40:00Z", title="The host does not answer!", severity="sev3")
    assert host.events[0]["incident"] == ID
    given = host.join(pending(tmp_path)[0])
    assert {event["incident"] for event in given} == {ID + "-a"}


@pytest.mark.parametrize(
    "content",
    [
        b"half a lin",
        b"{}\n",
        b"[]\n",
        b"3\n",
        b"\xff\n",
        b'{"event_id": "x"}\n',
        b"[" * 100000 + b"\n",
    ],
)
def test_a_file_that_somebody_broke_is_kept_and_named(tmp_path: Path, content: bytes) -> None:
    record(tmp_path, **OPENING)
    path = tmp_path / ".pending" / HOST / (ID + ".jsonl")
    path.write_bytes(path.read_bytes() + content)
    before = path.read_bytes()
    for call in (
        lambda: pending(tmp_path),
        lambda: record(tmp_path, incident=ID, events=[remark("x")]),
        lambda: Scratchpad(str(tmp_path), HOST).remove(ID, [], False),
    ):
        with pytest.raises(BadInput) as caught:
            call()
        assert caught.value.code == "scratchpad_unreadable"
        assert "line 2" in str(caught.value)
    assert path.read_bytes() == before


def test_what_can_never_join_is_put_aside_and_kept(tmp_path: Path) -> None:
    record(tmp_path, **OPENING)
    record(tmp_path, **{**OPENING, "title": "Another"})
    scratchpad = Scratchpad(str(tmp_path), HOST)
    folder = tmp_path / ".pending" / HOST
    content = (folder / (ID + ".jsonl")).read_bytes()
    why = BadInput("incident_unknown", "There is no such incident.", "Open it first.")
    planned = scratchpad.put_aside(ID, why, True)
    assert len(scratchpad.names()) == 2
    aside = scratchpad.put_aside(ID, why, False)
    assert aside == planned
    assert scratchpad.names() == ["2026-11-23-another"]
    assert [each["incident"] for each in scratchpad.pending()] == ["2026-11-23-another"]
    assert Path(aside.path).read_bytes() == content
    for told in (ID, "There is no such incident.", "Open it first.", aside.path):
        assert told in aside.sentence
    # A second one does not take the place of the first, and given its name again it waits again.
    record(tmp_path, **OPENING)
    assert scratchpad.put_aside(ID, why, False).path == aside.path + "-2"
    Path(aside.path).rename(folder / (ID + ".jsonl"))
    assert len(scratchpad.names()) == 2


@pytest.mark.parametrize("spoiled", ["too large", "a link", "a directory", "a kind"])
def test_what_is_no_scratchpad_is_told_apart_from_a_disk_that_cannot_be_read(tmp_path: Path, spoiled: str) -> None:
    record(tmp_path, **OPENING)
    scratchpad = Scratchpad(str(tmp_path), HOST)
    path = tmp_path / ".pending" / HOST / (ID + ".jsonl")
    content = path.read_bytes()
    path.unlink()
    if spoiled == "too large":
        path.write_bytes(b"x" * (16 * 1024 * 1024 + 1))
    elif spoiled == "a link":
        (tmp_path / "other").write_bytes(content)
        path.symlink_to(tmp_path / "other")
    elif spoiled == "a directory":
        path.mkdir()
    else:
        path.write_bytes(content.replace(b'"incident_opened"', b'"incident_closed"'))
    with pytest.raises(Spoiled) as caught:
        scratchpad.offered(ID)
    aside = scratchpad.put_aside(ID, caught.value, False)
    assert os.path.lexists(aside.path)
    assert scratchpad.names() == []


def test_more_than_could_be_read_again_is_not_written(tmp_path: Path) -> None:
    record(tmp_path, **OPENING)
    path = tmp_path / ".pending" / HOST / (ID + ".jsonl")
    before = path.read_bytes()
    with pytest.raises(BadInput) as caught:
        record(tmp_path, incident=ID, events=[remark("%04d" % number + "\x01" * 100_000) for number in range(30)])
    assert caught.value.code == "scratchpad_full"
    assert path.read_bytes() == before


def test_a_run_that_was_stopped_does_not_hold_up_the_next_one_for_ever(tmp_path: Path, monkeypatch: Any) -> None:
    record(tmp_path, **OPENING)
    monkeypatch.setattr(whole_file, "LOCK_SECONDS", 0.05)
    held = os.open(tmp_path / ".pending" / HOST, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(BadInput) as caught:
            record(tmp_path, incident=ID, events=[remark("x")])
    finally:
        os.close(held)
    assert caught.value.code == "scratchpad_not_written"
    assert "another run has held the lock" in str(caught.value)
    assert record(tmp_path, incident=ID, events=[remark("x")]).changed


@given(st.sampled_from(HOSTILE) | st.text(min_size=1))
def test_any_text_comes_back_as_it_was(tmp_path_factory: Any, text: str) -> None:
    directory = tmp_path_factory.mktemp("incidents")
    if not text.strip():
        with pytest.raises(BadInput):
            record(directory, **OPENING, events=[remark(text)])
        return
    recorded = record(directory, **OPENING, events=[remark(text)])
    said = pending(directory)[0]["events"][1]["data"]["text"]
    assert recorded.events[1]["data"]["text"] == said
    if text.isprintable() and not any(sign in text for sign in ":=@"):
        assert said == text


def test_secrets_that_look_like_ones_are_not_written_down(tmp_path: Path) -> None:
    record(
        tmp_path,
        **OPENING,
        events=[remark("HEALTHARCHIVE_ADMIN_TOKEN=planted-5f2e and https://u:planted@x.example.org")],
    )
    content = (tmp_path / ".pending" / HOST / (ID + ".jsonl")).read_text()
    assert "planted" not in content
    assert "HEALTHARCHIVE_ADMIN_TOKEN=" in content


# Every call after which the disk is another one.
BOUNDARIES = ("mkdir", "open", "write", "fsync", "fchmod", "replace", "unlink")


def ended_after(calls: int, act: Callable[[], Any]) -> bool:
    """Do it in a process that is killed before that many calls to the system; whether it came to its end."""
    child = os.fork()
    if child == 0:
        left = calls

        def killing(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                if left == 0:
                    os._exit(9)
                left -= 1
                return real(*arguments, **options)

            return call

        for name in BOUNDARIES:
            setattr(whole_file.os, name, killing(getattr(os, name)))
        act()
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("events", [[], [remark("first")]], ids=["opening", "opening and a remark"])
def test_a_run_that_is_killed_anywhere_leaves_all_or_nothing_and_converges(tmp_path: Path, events: Any) -> None:
    wish = {**OPENING, "events": events}
    expected = [each["kind"] for each in record(tmp_path / "whole", **wish).events]
    ended = False
    calls = 0
    while not ended:
        directory = tmp_path / str(calls)
        directory.mkdir()
        ended = ended_after(calls, lambda at=directory: record(at, **wish))
        waiting = pending(directory)
        assert waiting == [] or [each["kind"] for each in waiting[0]["events"]] == expected
        # The next run, a minute later, ends it.
        record(directory, NOW + 60, **wish)
        (there,) = pending(directory)
        assert [each["kind"] for each in there["events"]] == expected
        assert waiting in ([], [there])
        assert [path.name for path in (directory / ".pending" / HOST).iterdir()] == [ID + ".jsonl"]
        calls += 1
    assert calls > 8


def test_more_that_is_noted_by_a_run_that_is_killed_never_costs_what_was_there(tmp_path: Path) -> None:
    ended = False
    calls = 0
    while not ended:
        directory = tmp_path / str(calls)
        record(directory, **OPENING)
        ended = ended_after(calls, lambda at=directory: record(at, NOW + 60, incident=ID, events=[remark("more")]))
        kinds = [event["kind"] for event in pending(directory)[0]["events"]]
        assert kinds in (["incident_opened"], ["incident_opened", "remark"])
        record(directory, NOW + 120, incident=ID, events=[remark("more")])
        assert [event["kind"] for event in pending(directory)[0]["events"]] == ["incident_opened", "remark"]
        calls += 1
    assert calls > 4


def test_joining_that_is_killed_anywhere_loses_and_doubles_nothing(tmp_path: Path) -> None:
    ended = False
    calls = 0
    while not ended:
        directory = tmp_path / str(calls)
        record(directory, **OPENING, events=[remark("first")])
        host = Host()
        given = host.join(pending(directory)[0])
        has = ids(pending(directory)[0])
        ended = ended_after(calls, lambda at=directory, ids=has: Scratchpad(str(at), HOST).remove(ID, ids, False))
        for waiting in pending(directory):
            assert host.join(waiting) == given
            Scratchpad(str(directory), HOST).remove(ID, ids(waiting), False)
        assert pending(directory) == []
        assert [event["kind"] for event in host.events] == ["incident_opened", "remark"]
        calls += 1
    assert calls > 1
