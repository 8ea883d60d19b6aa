# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log on a disk: what is begun is there before it begins, whoever writes and whoever is killed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import audit
from ansible_collections.healtharchive.remediation.plugins.module_utils.audit import AuditLog, AuditUnavailable, Paths
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import (
    BadEvent,
    Draft,
    Origin,
    event_id_of,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.audit import Chain
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput

NAME = "2026-11-23-api-down"


def opened(operations: Path, *secrets: str) -> AuditLog:
    return AuditLog(Paths(str(operations)), Origin("haadmin", "somebody"), Redactor(secrets))


def remark(text: str, **more: Any) -> Draft:
    return Draft("remark", {"text": text}, NAME, **more)


def file_of(operations: Path) -> Path:
    return operations / "remediation" / "audit.jsonl"


def follow(log: AuditLog) -> Chain:
    chain = Chain()
    with log.reading() as snapshot:
        for _event in snapshot.events(chain):
            pass
    return chain


def texts(operations: Path) -> List[str]:
    """The remarks in the file, read without our code."""
    found = []
    for line in file_of(operations).read_bytes().split(b"\n"):
        try:
            found.append(json.loads(line)["data"]["text"])
        except ValueError:
            continue
    return found


def refused(act: Callable[[], Any]) -> BadInput:
    with pytest.raises(BadInput) as caught:
        act()
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize("mode", [0o770, 0o2770])
def test_owner_and_mode_are_those_of_the_ops_directory(tmp_path, mode):
    group = os.getgroups()[-1] if os.geteuid() else 12345
    os.chown(tmp_path, -1, group)
    tmp_path.chmod(mode)
    umask = os.umask(0o027)
    try:
        opened(tmp_path).append(remark("first"))
    finally:
        os.umask(umask)
    directory, log = file_of(tmp_path).parent.stat(), file_of(tmp_path).stat()
    assert (stat.S_IMODE(directory.st_mode), directory.st_uid, directory.st_gid) == (0o2770, os.geteuid(), group)
    assert (stat.S_IMODE(log.st_mode), log.st_uid, log.st_gid) == (0o660, os.geteuid(), group)


@pytest.mark.parametrize("cut", ["directory", "file"])
def test_a_creation_that_was_cut_short_is_completed(tmp_path, cut):
    (tmp_path / "remediation").mkdir(0o700)
    if cut == "file":
        (tmp_path / "remediation").chmod(0o2770)
        file_of(tmp_path).touch(0o600)
    opened(tmp_path).append(remark("first"))
    assert stat.S_IMODE((tmp_path / "remediation").stat().st_mode) == 0o2770
    assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o660


def test_somebodys_private_files_put_in_their_place_stay_private(tmp_path):
    """Who may write to the ops directory may rename in it what root owns."""
    (tmp_path / "remediation").mkdir(0o700)
    file_of(tmp_path).write_text("a secret")
    file_of(tmp_path).chmod(0o600)
    assert refused(lambda: opened(tmp_path).append(remark("first"))).code == "audit_unsafe"
    assert stat.S_IMODE((tmp_path / "remediation").stat().st_mode) == 0o700
    assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o600
    assert file_of(tmp_path).read_text() == "a secret"


def test_a_log_with_a_second_name_is_not_used(tmp_path):
    opened(tmp_path).append(remark("first"))
    before = file_of(tmp_path).read_bytes()
    os.link(file_of(tmp_path), tmp_path / "other")
    assert refused(lambda: opened(tmp_path).append(remark("second"))).code == "audit_unsafe"
    assert file_of(tmp_path).read_bytes() == before


def test_modes_of_the_site_are_left_alone(tmp_path):
    opened(tmp_path).append(remark("first"))
    file_of(tmp_path).chmod(0o640)
    (tmp_path / "remediation").chmod(0o2750)
    opened(tmp_path).append(remark("second"))
    assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "remediation").stat().st_mode) == 0o2750


def test_an_event_tells_who_when_and_what(tmp_path):
    event = opened(tmp_path).append(remark("first", at="2026-11-23T18:50:00+01:00", late=True)).event
    line = json.loads(file_of(tmp_path).read_text())
    assert line.pop("digest")
    assert line == event
    assert (line["at"], line["late"], line["incident"]) == ("2026-11-23T17:50:00Z", True, NAME)
    assert line["by"] == {"account": "haadmin", "operator": "somebody", "controller": None, "run": None}
    assert line["data"] == {"text": "first"}
    assert "after_torn_line" not in line


def test_reading_creates_nothing(tmp_path):
    log = opened(tmp_path)
    assert follow(log).lines == 0
    log.check_writable()
    assert list(tmp_path.iterdir()) == []


def test_without_the_services_ops_directory_nothing_is_invented(tmp_path):
    log = opened(tmp_path / "ops")
    for act in (lambda: log.append(remark("x")), lambda: follow(log), log.check_writable):
        assert refused(act).code == "ops_directory_missing"
    assert list(tmp_path.iterdir()) == []


def test_once(tmp_path):
    log = opened(tmp_path)
    first = log.append(remark("first", event_id="ab" * 8), once=True)
    again = log.append(remark("again", event_id="ab" * 8), once=True)
    log.append(remark('a text with "event_id":"%s" in it' % ("cd" * 8)))
    other = log.append(remark("other", event_id="cd" * 8), once=True)
    assert (first.appended, again.appended, other.appended) == (True, False, True)
    assert again.event == first.event
    assert texts(tmp_path)[::2] == ["first", "other"]


def test_once_does_not_trust_a_line_that_was_cut_short(tmp_path):
    log = opened(tmp_path)
    log.append(remark("first", event_id="ab" * 8), once=True)
    file_of(tmp_path).write_bytes(file_of(tmp_path).read_bytes()[:-20])
    assert log.append(remark("again", event_id="ab" * 8), once=True).appended
    assert follow(log).verified


@pytest.mark.parametrize("chunk", [7, 100, 1000])
def test_every_event_is_found_wherever_it_lies(tmp_path, monkeypatch, chunk):
    log = opened(tmp_path)
    ids = ["%016x" % number for number in range(40)]
    for event_id in ids:
        log.append(remark("x" * (1 + ids.index(event_id) * 7 % 120), event_id=event_id))
    content = file_of(tmp_path).read_bytes()
    monkeypatch.setattr(audit, "_CHUNK_BYTES", chunk)
    monkeypatch.setattr(audit, "_BLOCK_BYTES", chunk)
    with log.reading() as snapshot:
        assert [snapshot.find(event_id)["event_id"] for event_id in ids] == ids
        assert snapshot.find("f" * 16) is None
    # A line that was cut short, before the whole one.
    lines = content.splitlines(True)
    file_of(tmp_path).write_bytes(lines[5][:-9] + b"\n" + content[:-1])
    with log.reading() as snapshot:
        assert [snapshot.find(event_id)["event_id"] for event_id in ids] == ids


def test_begun_and_finished(tmp_path):
    log = opened(tmp_path)
    log.begin(NAME, "a1", "deploy", argv=[["x", "--ref", "y"]], subjects=["unit"], objective="mend")
    for _again in range(2):
        log.finish(NAME, "a1", "applied", True, "done")
    kinds = [json.loads(line)["kind"] for line in file_of(tmp_path).read_text().splitlines()]
    assert kinds == ["action_begun", "action_finished"]
    with pytest.raises(BadEvent):
        log.begin(NAME, "a2", "deploy", password="x")


def in_run(operations: Path, run: Any) -> AuditLog:
    return AuditLog(Paths(str(operations)), Origin("haadmin", "somebody", "desk", run), Redactor(["hunter2-correct"]))


def begin(log: AuditLog, incident: Any = NAME, action_id: str = "a1", **more: Any) -> audit.Written:
    return log.begin(incident, action_id, "deploy", **{"objective": "mend", "rollback": "hunter2-correct", **more})


def test_a_run_that_is_cut_short_may_begin_the_same_again(tmp_path):
    """The link broke while it recorded: nobody knows whether it did."""
    first = begin(in_run(tmp_path, "pid-1"))
    again = begin(in_run(tmp_path, "pid-1"))
    assert (first.appended, again.appended) == (True, False)
    assert again.event == first.event
    assert len(file_of(tmp_path).read_bytes().splitlines()) == 1


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("pid-2", {}),
        (None, {}),
        ("pid-1", {"incident": "2026-11-23-other"}),
        ("pid-1", {"incident": None}),
        ("pid-1", {"objective": "something else"}),
    ],
)
def test_the_id_of_an_action_is_used_once(tmp_path, log, said):
    begin(in_run(tmp_path, "pid-1"))
    begin(in_run(tmp_path, None), action_id="a2")
    before = file_of(tmp_path).read_bytes()
    assert refused(lambda: begin(in_run(tmp_path, log), **said)).code == "action_exists"
    assert refused(lambda: begin(in_run(tmp_path, None), action_id="a2")).code == "action_exists"
    assert file_of(tmp_path).read_bytes() == before
    # The control: another id is another action.
    assert begin(in_run(tmp_path, log), action_id="a3", **said).appended


def test_an_action_that_has_ended_does_not_begin_again(tmp_path):
    log = in_run(tmp_path, "pid-1")
    begin(log)
    log.finish(NAME, "a1", "failed", False)
    assert refused(lambda: begin(log)).code == "action_exists"
    # Somebody may have said under another id how it ended.
    begin(log, action_id="a2")
    log.append(
        Draft("action_finished", {"action_id": "a2", "outcome": "unknown", "detail": "looked"}, NAME, event_id="ab" * 8)
    )
    assert refused(lambda: begin(log, action_id="a2")).code == "action_exists"


def test_a_remark_cannot_stand_for_the_beginning_of_an_action(tmp_path):
    log = in_run(tmp_path, "pid-1")
    log.append(remark('"action_id":"a2"', event_id=event_id_of("begun", "a1")))
    assert refused(lambda: begin(log)).code == "action_exists"
    assert begin(log, action_id="a2").appended


def test_secrets_are_never_written(tmp_path):
    log = opened(tmp_path, "hunter2-correct")
    log.begin(NAME, "a1", "deploy", argv=[["x", "--token", "hunter2-correct"]], rollback="hunter2-correct")
    log.append(remark("it says hunter2-correct and postgresql://u:other-secret@h/d"))
    log.origin = Origin("haadmin", operator="hunter2-correct")
    log.append(remark("positive control"))
    content = file_of(tmp_path).read_text()
    assert "hunter2" not in content
    assert "other-secret" not in content
    assert "positive control" in content
    assert refused_event(log, remark("x", event_id="x")) == "event_id must be 16 hexadecimal digits"


def refused_event(log: AuditLog, draft: Draft) -> str:
    with pytest.raises(BadEvent) as caught:
        log.append(draft)
    return str(caught.value)


def test_what_is_refused_leaves_nothing(tmp_path):
    log = opened(tmp_path)
    log.append(remark("first"))
    before = file_of(tmp_path).read_bytes()
    for draft in (remark("x" * 200_000), Draft("remark", {}, NAME), Draft("remark", {"text": "x"}, "../x")):
        refused_event(log, draft)
    assert file_of(tmp_path).read_bytes() == before


# --- in place of the log, something else


def in_place_of(what: str, operations: Path) -> None:
    log = file_of(operations)
    if what == "directory_link":
        (operations / "elsewhere").mkdir()
        log.parent.symlink_to(operations / "elsewhere")
        return
    if what == "directory_file":
        log.parent.write_text("")
        return
    log.parent.mkdir(0o770)
    if what == "directory_everybody":
        log.parent.chmod(0o777)
    elif what == "link":
        (operations / "target").write_text("")
        log.symlink_to(operations / "target")
    elif what == "dangling_link":
        log.symlink_to(operations / "target")
    elif what == "pipe":
        os.mkfifo(log)
    elif what == "directory":
        log.mkdir()
    elif what == "everybody":
        log.touch()
        log.chmod(0o666)
    elif what == "device":
        log.symlink_to("/dev/full")


@pytest.mark.parametrize(
    "what",
    [
        *("directory_link", "directory_file", "directory_everybody", "link", "dangling_link", "pipe", "directory"),
        *("everybody", "device"),
    ],
)
def test_something_else_in_its_place(tmp_path, what):
    in_place_of(what, tmp_path)
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    log = opened(tmp_path)
    for act in (lambda: log.append(remark("x")), lambda: follow(log), log.check_writable):
        assert refused(act).code == "audit_unsafe"
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
    assert not (tmp_path / "target").exists() or (tmp_path / "target").read_text() == ""


@pytest.mark.parametrize("what", ["log", "directory"])
def test_what_belongs_to_somebody_else(tmp_path, monkeypatch, what):
    log = opened(tmp_path)
    log.append(remark("first"))
    before = file_of(tmp_path).read_bytes()
    real = os.fstat
    inode = (file_of(tmp_path) if what == "log" else file_of(tmp_path).parent).stat().st_ino

    def foreign(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        return os.stat_result([*status[:4], 4711, *status[5:10]]) if status.st_ino == inode else status

    monkeypatch.setattr(audit.os, "fstat", foreign)
    for act in (lambda: log.append(remark("x")), lambda: follow(log)):
        error = refused(act)
        assert error.code == "audit_unsafe"
        assert "4711" in str(error)
    assert file_of(tmp_path).read_bytes() == before


def test_an_edited_last_event_is_not_continued(tmp_path):
    log = opened(tmp_path)
    log.append(remark("first"))
    content = file_of(tmp_path).read_bytes().replace(b"first", b"other")
    file_of(tmp_path).write_bytes(content)
    assert refused(lambda: log.append(remark("second"))).code == "audit_broken"
    assert file_of(tmp_path).read_bytes() == content
    assert follow(log).first_broken_line == 1


def test_a_lock_that_is_never_given_back(tmp_path, monkeypatch):
    """On the file, or on the directory, which is whose turn it is next."""
    monkeypatch.setattr(audit, "LOCK_SECONDS", 0.2)
    log = opened(tmp_path)
    log.append(remark("first"))
    for path in (file_of(tmp_path), file_of(tmp_path).parent):
        holder = os.open(path, os.O_RDONLY)
        fcntl.flock(holder, fcntl.LOCK_EX)
        before = follow(log).events
        assert refused(lambda: log.append(remark("second"))).code == "audit_locked"
        assert follow(log).events == before
        os.close(holder)
        assert log.append(remark("second")).appended


def test_a_log_that_is_moved_away_while_somebody_waits(tmp_path, monkeypatch):
    log = opened(tmp_path)
    log.append(remark("first"))
    real = AuditLog._lock

    def moved(descriptor: int, kind: int, seconds: float) -> bool:
        if file_of(tmp_path).exists():
            file_of(tmp_path).rename(tmp_path / "aside")
        return real(descriptor, kind, seconds)

    monkeypatch.setattr(AuditLog, "_lock", staticmethod(moved))
    assert refused(lambda: log.append(remark("second"))).code == "audit_unwritable"
    monkeypatch.undo()
    assert (tmp_path / "aside").read_text().count("\n") == 1
    assert log.append(remark("second")).event["sequence"] == 1


def test_a_reader_sees_the_log_of_one_moment(tmp_path):
    log = opened(tmp_path)
    log.append(remark("first"))
    with log.reading() as snapshot:
        log.append(remark("second"))
        assert len(list(snapshot.events(Chain()))) == 1
    with log.writing() as writer:
        assert len(list(writer.events(Chain()))) == 2
        writer.append(remark("third"))
        assert [event["data"]["text"] for event in writer.events_of(NAME)] == ["first", "second", "third"]
        assert list(writer.events_of("2026-11-23-other")) == []


def test_a_long_last_event_is_found(tmp_path):
    """Longer than what is read at once, and with a torn line behind it that is longer still."""
    log = opened(tmp_path)
    log.append(remark("first"))
    log.append(remark("\U0001f525" * 32_000))
    with open(file_of(tmp_path), "ab") as handle:
        handle.write(b'{"digest"' + b"x" * 1_000_000)
    assert log.append(remark("third")).event["sequence"] == 3
    chain = follow(log)
    assert (chain.verified, chain.events, chain.torn) == (True, 3, [3])


def test_a_line_that_no_event_can_be_ends_the_reading(tmp_path):
    log = opened(tmp_path)
    log.append(remark("first"))
    with open(file_of(tmp_path), "ab") as handle:
        handle.write(b"x" * 8_000_000)
    chain = follow(log)
    assert (chain.verified, chain.events, chain.first_broken_line) == (False, 1, 2)


def test_a_part_of_the_log(tmp_path):
    log = opened(tmp_path)
    for number in range(20):
        log.append(remark("remark %d" % number))
    lines = file_of(tmp_path).read_bytes().splitlines(True)
    size = sum(map(len, lines))
    with log.reading() as snapshot:
        for most in range(0, size + 100, 37):
            whole = [line for place, line in enumerate(lines) if sum(map(len, lines[place:])) <= most]
            start = snapshot.cut(most)
            assert start == size - sum(map(len, whole))
            chain = Chain(from_start=start == 0)
            assert len(list(snapshot.events(chain, start))) == len(whole)
            assert chain.verified
            older = list(snapshot.marked([b'"kind":"remark"'], 0, start))
            assert [event["sequence"] for event in older] == list(range(1, 21 - len(whole)))
        assert list(snapshot.marked([b'"kind":"action_'], 0, size)) == []
    file_of(tmp_path).write_bytes(b"".join(lines).replace(b"remark 3", b"remork 3"))
    with log.reading() as snapshot:
        assert [event is None for event in snapshot.marked([b'"kind":"remark"'], 0, size)].count(True) == 1


# --- whoever is killed


CALLS = ("mkdir", "open", "fchown", "fchmod", "fsync", "write", "ftruncate", "flock", "close")


def killed_at(operations: Path, number: int, after: bool, half: bool) -> bool:
    """Append in a process that is killed before or after its n-th call to the file system; whether it was killed.

    ``half``: a write has written the half of it by then.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def deadly(real: Callable[..., Any], writes: bool) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal count
                count += 1
                mine = count == number
                if mine and half and writes:
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                if mine and not after:
                    os.kill(os.getpid(), signal.SIGKILL)
                try:
                    return real(*arguments, **options)
                finally:
                    if mine:
                        os.kill(os.getpid(), signal.SIGKILL)

            return call

        status = 1
        try:
            for name in CALLS:
                module = fcntl if name == "flock" else os
                setattr(module, name, deadly(getattr(module, name), name == "write"))
            opened(operations).append(remark("killed %d" % number))
            count = -1000
            os.write(writer, b"+")
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    said = os.read(reader, 1)
    os.close(reader)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    assert bool(said) is not os.WIFSIGNALED(status)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize(("after", "half"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("fresh", [True, False])
def test_killed_at_any_call(tmp_path, after, half, fresh):
    """Afterwards the next event is written, and the chain holds with all that was said to be written."""
    number, killed = 1, True
    while killed:
        operations = tmp_path / str(number)
        operations.mkdir()
        operations.chmod(0o2770)
        log = opened(operations)
        before = []
        if not fresh:
            log.append(remark("before"))
            before = ["before"]
        killed = killed_at(operations, number, after, half)
        left = texts(operations) if file_of(operations).exists() else []
        assert left in (before, [*before, "killed %d" % number])
        if not killed:
            assert len(left) == len(before) + 1
        log.append(remark("next"))
        assert texts(operations) == [*left, "next"]
        chain = follow(log)
        assert (chain.verified, chain.events, chain.torn_end) == (True, len(left) + 1, False)
        assert stat.S_IMODE(file_of(operations).stat().st_mode) == 0o660
        assert stat.S_IMODE(file_of(operations).parent.stat().st_mode) == 0o2770
        number += 1
    # The positive control: there were as many calls as it takes.
    assert number > (12 if fresh else 8)


WRITER = """
import sys
from ansible_collections.healtharchive.remediation.plugins.module_utils.audit import AuditLog, Paths
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft, Origin
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
log = AuditLog(Paths(sys.argv[1]), Origin(sys.argv[2]), Redactor())
for number in range(int(sys.argv[3])):
    if number == 1:
        sys.stdin.readline()
    log.append(Draft("remark", {"text": "%s %d" % (sys.argv[2], number)}, "2026-11-23-api-down"))
    sys.stdout.write("%d\\n" % number)
    sys.stdout.flush()
"""


def writer(operations: Path, name: str, count: int) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-c", WRITER, str(operations), name, str(count)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    # Its first event is written; it goes on when it is told to.
    assert process.stdout.readline() == "0\n"
    return process


def checked_by_hand(path: Path) -> List[Any]:
    """The events of a log without torn lines; every link is followed without our code."""
    previous, found = "0" * 64, []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        event = json.loads(line)
        assert (event["sequence"], event["previous"]) == (number, previous)
        previous = hashlib.sha256(line).hexdigest()
        found.append(event)
    return found


def test_two_writers(tmp_path):
    writers = [writer(tmp_path, name, 200) for name in ("one", "two")]
    for process in writers:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in writers:
        output, _errors = process.communicate(timeout=120)
        assert (process.returncode, len(output.splitlines())) == (0, 199)
    found = checked_by_hand(file_of(tmp_path))
    assert len(found) == 400
    for name in ("one", "two"):
        mine = [event["data"]["text"] for event in found if event["by"]["account"] == name]
        assert mine == ["%s %d" % (name, number) for number in range(200)]


def test_a_writer_killed_among_others(tmp_path):
    """What it said to have written is there, and the others go on."""
    one, two = (writer(tmp_path, name, count) for name, count in (("one", 100), ("two", 10_000)))
    for process in (one, two):
        process.stdin.write("go\n")
        process.stdin.flush()
    said = 1
    for said, _line in enumerate(two.stdout, start=2):
        if said == 50:
            break
    two.kill()
    said += len(two.communicate()[0].splitlines())
    output, _errors = one.communicate(timeout=120)
    assert len(output.splitlines()) == 99
    opened(tmp_path).append(remark("next"))
    chain = follow(opened(tmp_path))
    assert chain.verified
    mine = [text for text in texts(tmp_path) if text.startswith("two ")]
    assert said <= len(mine) <= said + 1
    assert mine == ["two %d" % number for number in range(len(mine))]


# --- a disk that is full, or read-only

DISK = r"""
import json, os, subprocess, sys
from ansible_collections.healtharchive.remediation.plugins.module_utils.audit import AuditLog, AuditUnavailable, Paths
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft, Origin
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

place = sys.argv[1]
def mount(*options):
    subprocess.run(["mount", *options, place], check=True)
mount("-t", "tmpfs", "-o", "size=256k", "tmpfs")
log = AuditLog(Paths(place), Origin("x"), Redactor())
path = place + "/remediation/audit.jsonl"
def append(text):
    try:
        log.append(Draft("remark", {"text": text}, "2026-11-23-api-down"))
    except AuditUnavailable as error:
        return error.code
    return "written"
def content():
    with open(path, "rb") as handle:
        return handle.read()
def fill(free):
    with open(place + "/filler", "wb", buffering=0) as handle:
        room = os.fstatvfs(handle.fileno()).f_bavail * os.fstatvfs(handle.fileno()).f_frsize
        handle.write(b"x" * (room - free))
said = {}
fill(0)
said["full_and_nothing_there"] = append("x")
os.unlink(place + "/filler")
said["control"] = append("x")
before = content()
fill(8192)
said["too_long_for_the_rest"] = append("y" * 40000)
said["taken_back"] = content() == before
os.unlink(place + "/filler")
said["control_of_long"] = append("y" * 40000)
before = content()
mount("-o", "remount,ro")
said["read_only"] = append("z")
try:
    log.check_writable()
    said["check_mode"] = "fine"
except AuditUnavailable as error:
    said["check_mode"] = error.code
said["unchanged"] = content() == before
mount("-o", "remount,rw")
said["control_of_read_only"] = append("z")
log.check_writable()
print(json.dumps([said, content().decode().count("\n")]))
"""


def test_a_disk_that_is_full_or_read_only(tmp_path):
    argv = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    done = subprocess.run(
        [*argv, sys.executable, "-c", DISK, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    said, lines = json.loads(done.stdout)
    assert said == {
        "full_and_nothing_there": "audit_disk_full",
        "control": "written",
        "too_long_for_the_rest": "audit_disk_full",
        "taken_back": True,
        "control_of_long": "written",
        "read_only": "audit_read_only",
        "check_mode": "audit_read_only",
        "unchanged": True,
        "control_of_read_only": "written",
    }
    assert lines == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing", ["fsync", "write"])
def test_an_error_of_the_disk_takes_the_event_back(tmp_path, monkeypatch, failing):
    log = opened(tmp_path)
    log.append(remark("first"))
    before = file_of(tmp_path).read_bytes()

    def fail(*arguments: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(audit.os, failing, fail)
    error = refused(lambda: log.append(remark("second")))
    monkeypatch.undo()
    assert isinstance(error, AuditUnavailable)
    assert error.code == "audit_unwritable"
    assert file_of(tmp_path).read_bytes() == before
    assert log.append(remark("second")).event["sequence"] == 2
