# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead hot paths on a real kernel, with a real sshfs, without Ansible between; looked at by mounts, files, rows and units.

The molecule scenario recover_storage goes through the playbook; `make storage` runs longer_storage.py, which takes minutes.
"""

from __future__ import annotations

import pytest

from . import record
from .storage import ANNUAL, ARCHIVE, HELPERS, IMPORT, WATCHDOGS, active, asked, dead, given_back, mounts, rows
from .test_incident import Controller, put_utilities


@pytest.fixture
def beside(host):
    """Beside it, a healthy crawl on the local disk, in a unit of its own; and a file that is open on a path that will die."""
    host.root(
        HELPERS + "id=$(new_job phac); place_job $id beside phac/beside '{\"simulated_seconds\": 3600}'\n"
        "crawl_detached beside-crawl $id; wait_until 30 crawl_writes $JOBS/phac/beside\n"
        'systemd-run --quiet --unit=holds-a-file bash -c "exec 3<$(find %s -type f | head -1); exec sleep 1d"\n'
        % IMPORT
    )
    yield host.ssh("systemctl show --property=MainPID beside-crawl").stdout
    host.root(HELPERS + "systemctl stop beside-crawl holds-a-file; forget_jobs beside")
    host.ssh("sudo rm -rf " + record.DIRECTORY)


def archived(host):
    """What is archived, but for the crawl that goes on beside."""
    return {line for line in host.root(ARCHIVE).splitlines() if "/beside/" not in line}


def test_dead_paths_come_back_with_what_waited_for_them(host, tmp_path, beside, broken):
    controller = Controller(host, tmp_path)
    assert controller.run("open_incident", "-e", "title=Storage", "-e", "severity=sev3").rc == 0
    (incident,) = controller.notes()
    put_utilities(host)
    host.root(WATCHDOGS)
    before = mounts(host)
    files = archived(host)
    broken("hot_path_stale")
    host.root(HELPERS + "sql \"UPDATE archive_jobs SET status = 'failed', crawler_status = 'failed' WHERE id = 3\"")
    planned = asked(host, incident)
    assert (planned["outcome"], planned["changed"]) == ("planned", False)
    assert all(dead(host, path) for path in (IMPORT, ANNUAL))
    done = asked(host, incident, act=True)
    assert done["outcome"] == "applied", done
    assert done["plan"] == {**planned["plan"], "remarks": done["plan"]["remarks"]}
    assert "was unmounted lazily: something has it open still" in done["detail"]
    assert mounts(host) == before
    assert given_back(host)
    assert active(host, "healtharchive-warc-tiering", "beside-crawl") == ["active", "active"]
    assert host.ssh("systemctl show --property=MainPID beside-crawl").stdout == beside
    assert rows(host)[3] != "failed"
    # Of the job that was retried, and is crawled again, nothing but its own state may be another one.
    assert len(files) > 20
    others = {line for line in files - archived(host) if ANNUAL.rpartition("/")[2] not in line or ".warc.gz" in line}
    assert others == set()
    # It was restarted, and takes a moment until it listens.
    host.root(HELPERS + "wait_until 20 replay_answers 200 1")
