# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control of the soak: what breaks a law on a real guest is seen, and nothing is where nothing was done."""

from __future__ import annotations

import os

import pytest
from driving import guest as guests
from soaking import laws, seen

BREACHES = {
    "a file of the storage box": ("rm $(find /home/storagebox/jobs -name '*.warc.gz' | head -n 1)", "is gone"),
    "a byte on the disk": ("echo x >>$(find $JOBS/phac -xdev -name '*.combined.log' | head -n 1)", "is another one"),
    "a row": ("sql 'DELETE FROM snapshots WHERE job_id = 5; DELETE FROM archive_jobs WHERE id = 5'", "the jobs were"),
    "a status": ("sql \"UPDATE archive_jobs SET status = 'retryable' WHERE id = 4\"", "no plan has named it"),
    "a crawl": ("systemctl stop beside-crawl", "ended, and no plan"),
    "the worker": ("systemctl stop healtharchive-worker", "the worker was active"),
}


@pytest.fixture(scope="module")
def guest():
    guest = guests.Guest(os.environ.get("HEALTHARCHIVE_TEST_GUEST", "soak-control"))
    guest.renew()
    guest.root(
        "id=$(new_job hc); place_job $id beside hc/beside '{\"simulated_seconds\": 3600}'\n"
        "crawl_detached beside-crawl $id; wait_until 30 crawl_writes $JOBS/hc/beside"
    )
    yield guest
    guest.remove()


def test_nothing_is_seen_where_nothing_was_done(guest):
    before = seen.look(guest)
    assert {path.split(":")[0] for path in before.files if path.endswith(".warc.gz")} == {"disk", "box"}
    assert len(before.crawls) == 1
    assert laws.between(before, seen.look(guest, before), []) == []
    assert seen.left(guest) == []
    assert seen.not_well(guest) == []
    assert len(seen.mounts(guest)) >= 4


@pytest.mark.parametrize("what", list(BREACHES))
def test_what_breaks_a_law_is_seen(guest, what):
    script, told = BREACHES[what]
    before = seen.look(guest)
    guest.root(script)
    found = laws.between(before, seen.look(guest, before), [])
    assert [each for each in found if told in each], found


def test_what_is_left_is_seen(guest):
    mounted = seen.mounts(guest)
    guest.root("systemd-run --quiet --unit=healtharchive-remediation-worker-resume --on-active=1h true")
    assert "healtharchive-remediation-worker-resume.timer" in seen.left(guest)[0]
    guest.root("umount --lazy $JOBS/imports/hc-2019; systemctl stop healtharchive-api")
    assert len(seen.not_well(guest)) == 1
    assert len(laws.mounts(mounted, seen.mounts(guest), [])) == 1
