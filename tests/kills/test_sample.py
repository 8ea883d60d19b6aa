# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two kills of one recovery: `make kills` has every position of each of them, and waits for what is armed."""

from __future__ import annotations

import os

import pytest
from driving import guest as guests
from driving import playbook
from killing import recoveries, trial

GUEST = os.environ.get("HEALTHARCHIVE_TEST_GUEST", "kills-%d" % os.getpid())
# Of recover_stale_jobs.
ACT = 8


@pytest.fixture
def killed(tmp_path):
    guest = guests.Guest(GUEST)
    try:
        yield trial.Trial(recoveries.RECOVERIES["recover_stale_jobs"], guest, tmp_path)
    finally:
        guest.remove()


def test_killed_before_the_act_and_in_it_it_gets_to_its_end(killed):
    """Law 6, one after another: right before the act, and in it with what it runs on the host."""
    prepared = killed.prepare()

    def run(position: trial.Position) -> playbook.Run:
        done = killed.killed(prepared, position)
        assert done.rc is None, done.output
        return done

    def kinds() -> list[str]:
        return [event["kind"] for event in killed.guest.record() if event["incident"] == prepared.incident]

    # With the clearance: nothing was changed, and what is held has an end.
    assert run(trial.Position(ACT)).actions[-1] == "stale_jobs"
    assert killed.guest.jobs() == prepared.jobs
    assert kinds()[-1] == "clearance_granted"
    assert killed.guest.holds("systemctl is-active --quiet healtharchive-remediation-clearance-end.timer")
    assert killed.guest.active(guests.WORKER)

    # The act cut off: it is on record that it began, and not how it ended; no job is lost.
    run(trial.Position(None, 0.0, host=True))
    killed.same_rows(prepared.jobs)
    (cut_off,) = killed.guest.unfinished()
    assert killed.guest.active(guests.WORKER)

    # It had done its work, so that nothing is left to do: the same command again says so, and how that one ended.
    killed.guest.root("sql \"UPDATE archive_jobs SET status = 'retryable' WHERE name = 'phac-killed-beside'\"")
    assert killed.again(prepared)[0] == "nothing_to_do"
    finished = [event["data"] for event in killed.guest.record() if event["kind"] == "action_finished"]
    assert [data["action_id"] for data in finished] == [cut_off]
    assert killed.guest.unfinished() == []
    killed.same_rows(prepared.jobs)
    killed.same_files(prepared.files)
    assert killed.guest.holds(trial.NOTHING_HELD)
