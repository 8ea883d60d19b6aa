# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a running row stands for no crawl, and when a crawl stands still: every combination of the facts."""

from __future__ import annotations

import fcntl

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import job_facts

OLD, YOUNG, QUIET, BUSY = 18000.0, 30.0, 3600.0, 5.0


def judge(lock, age, log_age=None, log_known=True, started=None):
    job = {"lock": lock, "started_at": started, "age_seconds": age, "log_age_seconds": log_age}
    return job_facts.is_stale(job, log_known, 600)


@pytest.mark.parametrize(
    ("lock", "age", "log_age", "log_known", "stale"),
    [
        ("free", OLD, QUIET, True, True),
        ("absent", OLD, QUIET, True, True),
        ("absent", OLD, None, True, True),  # no log was ever written
        ("free", None, None, True, True),  # a row without a start time
        ("held", OLD, QUIET, True, False),
        ("held", None, None, False, False),
        ("free", YOUNG, None, True, False),
        ("free", OLD, BUSY, True, False),
        ("unknown", OLD, BUSY, True, False),
        ("unknown", OLD, QUIET, True, None),
        ("free", OLD, None, False, None),  # the log could not be looked for: a hung mount
        ("unknown", OLD, None, False, None),
        # The clock was set back: what is written in the future is of no known age.
        ("free", -86400.0, QUIET, True, None),
        ("free", OLD, -86400.0, True, None),
        ("held", -86400.0, -86400.0, True, False),
        ("free", -5.0, None, True, False),
    ],
)
def test_stale(lock, age, log_age, log_known, stale):
    assert judge(lock, age, log_age, log_known) is stale


def test_a_lock_held_in_one_of_two_directories_is_held(tmp_path):
    """The host reaches two lock directories by the documented way of moving them (contract 1.6)."""
    directories = [str(tmp_path / "default"), str(tmp_path / "new")]
    for directory in directories:
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "job-7.lock").touch()
    assert job_facts.lock_of(7, directories) == "free"
    with open(tmp_path / "new" / "job-7.lock") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert job_facts.lock_of(7, directories) == "held"


def test_no_lock_directory_is_unknown_never_free():
    assert job_facts.lock_of(7, []) == "unknown"


@pytest.mark.parametrize(
    ("lock", "age", "progress_age", "log_age", "stalled"),
    [
        ("held", -86400.0, None, 7200.0, None),  # the clock was set back
        ("held", OLD, -86400.0, 7200.0, None),
        ("held", OLD, None, -86400.0, None),
        ("held", OLD, 7200.0, BUSY, True),  # the log is alive, the counter is not
        ("held", OLD, None, 7200.0, True),
        ("held", None, 7200.0, BUSY, True),
        ("held", OLD, 60.0, BUSY, False),
        ("held", OLD, 60.0, 7200.0, False),
        ("held", YOUNG, 7200.0, BUSY, False),  # the log is that of the attempt before
        ("held", OLD, None, BUSY, None),
        ("held", OLD, None, None, None),
        ("free", OLD, 7200.0, QUIET, False),
        ("absent", OLD, 7200.0, QUIET, False),
        ("unknown", OLD, 7200.0, QUIET, None),
        ("unknown", OLD, 60.0, BUSY, False),
    ],
)
def test_stalled(lock, age, progress_age, log_age, stalled):
    job = {"lock": lock, "age_seconds": age, "progress_age_seconds": progress_age, "log_age_seconds": log_age}
    assert job_facts.is_stalled({**job, "started_at": None, "stale": None}) is stalled


STARTED = "2026-11-24T17:00:00Z"  # by a clock that is ahead of the host's


def test_a_row_that_started_in_the_future_may_be_of_any_age():
    assert judge("free", None, QUIET, started=STARTED) is None
    assert judge("held", None, QUIET, started=STARTED) is False
    assert judge("free", OLD, QUIET, started=STARTED) is True  # positive control
    job = {
        "lock": "held",
        "started_at": STARTED,
        "age_seconds": None,
        "progress_age_seconds": OLD,
        "log_age_seconds": OLD,
    }
    assert job_facts.is_stalled({**job, "stale": None}) is None
    assert job_facts.is_stalled({**job, "stale": None, "age_seconds": OLD}) is True


def test_a_stale_row_is_not_stalled():
    job = {"lock": "unknown", "age_seconds": OLD, "progress_age_seconds": OLD, "log_age_seconds": OLD, "stale": True}
    assert job_facts.is_stalled(job) is False
