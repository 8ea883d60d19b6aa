# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kill tests compare would be seen if it were there; and where they kill."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from killing import archive, program, recoveries, steps, trial

JOB = {"source_id": 1, "name": "hc-20260101", "output_dir": "/srv/healtharchive/jobs/hc/x", "status": "failed"}
BOX = "/home/storagebox/jobs/"
ANNUAL = BOX + "hc/20260101T000512Z__hc-20260101/"
FILES = {BOX + "imports/hc-2019/a.warc.gz": "1", ANNUAL + "b.warc.gz": "2", ANNUAL + ".archive_state.json": "3"}


class Guest:
    """A guest of which two things are asked."""

    name = "x"

    def __init__(self) -> None:
        self.rows: Dict[int, Dict[str, Any]] = {3: JOB}
        self.sums = dict(FILES)

    def jobs_if_there(self) -> Dict[int, Dict[str, Any]]:
        return self.rows

    def root(self, _script: str) -> str:
        return json.dumps({path: [checksum, 1, ""] for path, checksum in self.sums.items()})


@pytest.fixture
def storage(tmp_path: Any) -> Any:
    guest = Guest()
    found = trial.Trial(recoveries.RECOVERIES["recover_storage"], guest, tmp_path)  # type: ignore[arg-type]
    return SimpleNamespace(guest=guest, trial=found)


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {3: JOB, 4: JOB},
        {4: JOB},
        {3: {**JOB, "status": "completed"}},
        {3: {**JOB, "output_dir": "/srv/healtharchive/jobs/hc/y"}},
    ],
)
def test_a_row_that_is_lost_doubled_or_another(storage: Any, rows: Dict[int, Dict[str, Any]]) -> None:
    storage.trial.same_rows({3: JOB})
    storage.guest.rows = {3: {**JOB, "status": "retryable"}}
    storage.trial.same_rows({3: JOB})
    storage.guest.rows = {5: JOB, **rows}
    with pytest.raises(trial.Wrong):
        storage.trial.same_rows({3: JOB})


@pytest.mark.parametrize(
    ("path", "checksum", "wrong"),
    [
        (BOX + "imports/hc-2019/a.warc.gz", "9", True),
        (BOX + "imports/hc-2019/a.warc.gz", None, True),
        (BOX + "imports/hc-2019/.healtharchive-remediation-write-test-x", "9", True),
        ("/srv/healtharchive/jobs/imports/hc-2019/a.warc.gz", "9", True),
        # Of the job that is given back the worker writes a new archive, and its state.
        (ANNUAL + "b.warc.gz", "9", True),
        (ANNUAL + "b.warc.gz", None, True),
        (ANNUAL + "c.warc.gz", "9", False),
        (ANNUAL + ".archive_state.json", "9", False),
    ],
)
def test_a_file_that_is_lost_changed_or_new(storage: Any, path: str, checksum: Any, wrong: bool) -> None:
    before = archive.look(storage.guest)
    assert {path: file.checksum for path, file in before.items()} == FILES
    storage.trial.same_files(before)
    storage.guest.sums[path] = checksum
    storage.guest.sums = {name: each for name, each in storage.guest.sums.items() if each is not None}
    if wrong:
        with pytest.raises(trial.Wrong):
            storage.trial.same_files(before)
    else:
        storage.trial.same_files(before)


# Where recoveries let somebody write, and where nobody does.
DIRECTORIES = (
    BOX + "imports/hc-2019/",
    ANNUAL,
    BOX + "hc/20240101T000502Z__hc-20240101/",
    *("/srv/healtharchive/jobs/" + name for name in ("hc/busy/", "hc/stalled/", "cihr/of-root/", "hc/never-indexed/")),
)


@pytest.mark.parametrize("name", recoveries.RECOVERIES)
def test_of_every_recovery_a_warc_file_that_is_lost_or_changed_is_seen(name: str) -> None:
    """Also of a crawl that goes on, and of a job that the worker gets back."""
    recovery = recoveries.RECOVERIES[name]
    before = {directory + "rec-1-0.warc.gz": archive.File("1", 10) for directory in DIRECTORIES}
    assert differing(recovery, before, before) == []
    for path in before:
        for changed in (archive.File("2", 10, "x"), archive.File("2", 99, "x"), archive.File("2", 9, "1")):
            assert differing(recovery, before, {**before, path: changed}) == [path + " is changed"]
        left = {each: file for each, file in before.items() if each != path}
        assert differing(recovery, before, left) == [path + " is lost"]
    foreign = archive.ROOTS[1] + "/hc/another/x"
    assert differing(recovery, before, {**before, foreign: archive.File("1", 1)}) == [foreign + " is new"]


def differing(recovery: recoveries.Recovery, before: Any, now: Any) -> List[str]:
    return archive.differing(before, now, recovery.growing, recovery.rewritten)


def test_a_file_that_became_longer_is_what_it_was() -> None:
    growing, path = "^/x/crawl/", "/x/crawl/rec-0.warc.gz"
    before = {path: archive.File("1", 10)}
    assert archive.differing(before, {path: archive.File("2", 12, "1")}, growing) == []
    # Not by another beginning, not anywhere else, not by becoming shorter, and not by another name.
    assert archive.differing(before, {path: archive.File("2", 12, "3")}, growing) != []
    assert archive.differing(before, {path: archive.File("2", 12, "1")}) != []
    assert archive.differing(before, {path: archive.File("2", 9, "1")}, growing) != []
    assert archive.differing(before, {**before, "/x/crawl/new": archive.File("2", 12)}, growing) != []


def test_every_task_and_every_step_is_a_position() -> None:
    of_storage = recoveries.RECOVERIES["recover_storage"]
    every = program.positions(of_storage, trial.Whole(30, 9))
    assert [position.task for position in every[:30]] == list(range(1, 31))
    assert [position.step for position in every if position.step is not None] == list(of_storage.steps)
    assert len({position.words for position in every}) == len(every)
    assert sum(len(program.positions(each, trial.Whole(13, 8))) for each in recoveries.RECOVERIES.values()) >= 60
    assert program.some(every, 3) == [every[0], every[len(every) // 2], every[-1]]


@pytest.mark.parametrize(
    "step", [step for each in recoveries.RECOVERIES.values() for step in each.steps], ids=lambda step: step.name
)
def test_what_shows_a_step_can_be_asked(step: steps.Step) -> None:
    for condition in step.seen:
        compile(condition, step.name, "eval")
