# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note's file on the controller: whole, a person's, and nowhere else than asked for."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import whole_file
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import notes
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import (
    HOST_TEMPLATE,
    healthy_flow,
    incident,
)

ID = "2026-11-23-api-502"


def write(
    directory: Path, flow: Any = None, check_mode: bool = False, former: Any = None, **about: Any
) -> notes.Written:
    flow = healthy_flow() if flow is None else flow
    return notes.write(str(directory), incident(**about), flow, HOST_TEMPLATE, former, check_mode)


def test_a_new_note_is_its_owner_s_alone(tmp_path: Path) -> None:
    written = write(tmp_path / "a" / "incidents")
    path = tmp_path / "a" / "incidents" / (ID + ".md")
    assert (written.path, written.changed) == (str(path), True)
    assert path.read_text() == written.after
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_two_hosts_with_one_title_and_day_have_two_notes(tmp_path: Path) -> None:
    folders = [notes.directory_of(str(tmp_path), name) for name in ("a.example.org", "b.example.org", "../a.example.org")]
    paths = [Path(write(Path(folder)).path) for folder in folders]
    assert len({path.parent for path in paths}) == 3
    assert {path.parent.parent for path in paths} == {tmp_path}
    paths[0].write_text(paths[0].read_text() + "by hand\n")
    assert write(Path(folders[1])).changed is False
    assert paths[0].read_text().endswith("by hand\n")


def test_again_writes_nothing_and_hand_written_bytes_and_the_mode_stay(tmp_path: Path) -> None:
    path = Path(write(tmp_path, healthy_flow()[:2]).path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\nby hand \xff\xfe")
    path.chmod(0o640)
    before = path.read_bytes()
    written = write(tmp_path)
    assert written.changed
    assert path.read_bytes().startswith(b"\xef\xbb\xbf# Incident")
    assert path.read_bytes().endswith(before[-20:])
    assert path.stat().st_mode & 0o777 == 0o640
    status = path.stat()
    assert write(tmp_path).changed is False
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)


def test_check_mode_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    planned = write(tmp_path / "new", check_mode=True)
    assert list(tmp_path.iterdir()) == []
    assert write(tmp_path / "new") == planned
    assert write(tmp_path / "new", check_mode=True).changed is False
    assert notes.diff(planned)["after"] == planned.after


@pytest.mark.parametrize(
    "name", ["../x", "2026-11-23-../../x", "/etc/passwd", "", None, 3, "2026-11-23-a\n", "2026-11-23-A"]
)
def test_no_path_is_built_from_what_is_no_id(tmp_path: Path, name: Any) -> None:
    with pytest.raises(Refused) as caught:
        write(tmp_path / "incidents", id=name)
    assert caught.value.code == "bad_incident"
    assert list(tmp_path.iterdir()) == []


def test_a_note_is_not_written_from_a_part_of_the_events(tmp_path: Path) -> None:
    path = Path(write(tmp_path).path)
    before = path.read_bytes()
    for flow in ([], healthy_flow()[1:]):
        with pytest.raises(Refused) as caught:
            write(tmp_path, flow)
        assert caught.value.code == "events_incomplete"
    assert path.read_bytes() == before


def written(path: Path) -> tuple[int, ...]:
    """What a write would change, and a look would not."""
    seen = path.lstat()
    return seen.st_mode, seen.st_ino, seen.st_uid, seen.st_gid, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "large"])
def test_what_is_no_note_is_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / (ID + ".md"), tmp_path / "target"
    target.write_text("mine")
    if kind == "link":
        path.symlink_to(target)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(b"x" * (notes.LARGEST_BYTES + 1))
    before = written(path)
    with pytest.raises(Refused) as caught:
        write(tmp_path)
    assert caught.value.code == "note_not_written"
    assert written(path) == before or kind == "directory"
    assert target.read_text() == "mine"


def test_a_full_disk_leaves_the_note_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(write(tmp_path, healthy_flow()[:2]).path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="No space left"):
        write(tmp_path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_note_that_is_saved_in_an_editor_at_that_moment_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(write(tmp_path, healthy_flow()[:2]).path)
    render = notes.render

    def saved_meanwhile(*arguments: Any) -> Any:
        path.write_text(path.read_text() + "saved meanwhile\n")
        return render(*arguments)

    monkeypatch.setattr(notes, "render", saved_meanwhile)
    with pytest.raises(Refused, match="somebody else"):
        write(tmp_path)
    monkeypatch.undo()
    assert path.read_text().endswith("saved meanwhile\n")
    assert write(tmp_path).after.endswith("saved meanwhile\n")


def test_a_note_moves_when_the_host_gave_the_incident_another_id(tmp_path: Path) -> None:
    former = tmp_path / "2026-11-23-api-502.md"
    write(tmp_path, healthy_flow()[:1])
    former.write_text(former.read_text() + "by hand\n")
    planned = write(tmp_path, former=ID, id=ID + "-a", check_mode=True)
    assert former.exists()
    written = write(tmp_path, former=ID, id=ID + "-a")
    assert written == planned
    assert [entry.name for entry in tmp_path.iterdir()] == [ID + "-a.md"]
    assert written.after.endswith("by hand\n")
    # Again, and when there is one already: nothing moves.
    write(tmp_path, healthy_flow()[:1])
    assert write(tmp_path, former=ID, id=ID + "-a").changed is False
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [ID + "-a.md", ID + ".md"]


def test_what_an_ended_run_has_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / (".%s.md.part" % ID)).write_text("half")
    write(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [ID + ".md"]


def test_a_directory_is_one_run_s_at_a_time(tmp_path: Path) -> None:
    with whole_file.locked(str(tmp_path)):
        other = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
