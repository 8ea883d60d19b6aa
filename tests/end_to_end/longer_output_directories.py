# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job whose attempts failed because its directory was root's, which a person has given back (incident I3): `make storage`."""

from __future__ import annotations

import pytest

from . import record
from .outputs import ARCHIVE, Outputs
from .storage import HELPERS, JOBS
from .test_incident import Controller, put_utilities

DIRECTORY = JOBS + "/cihr/of-root"
FAILED = (
    """
systemctl stop healtharchive-worker
id=$(new_job cihr)
place_job "$id" of-root cihr/of-root '{"simulated_seconds": 3600}'
install -d -o root -m 0755 %s
start_worker
wait_until 90 job_is failed "$id"
systemctl stop healtharchive-worker
"""
    % DIRECTORY
)


@pytest.fixture
def outputs(host, tmp_path):
    controller = Controller(host, tmp_path)
    assert controller.run("open_incident", "-e", "title=Outputs", "-e", "severity=sev3").rc == 0
    put_utilities(host)
    (incident,) = controller.notes()
    yield Outputs(host, incident)
    host.root(HELPERS + "systemctl stop healtharchive-worker; forget_jobs of-root; start_worker")
    host.ssh("sudo rm -rf " + record.DIRECTORY)


def test_a_job_gets_its_attempts_back_when_its_directory_was_given_back(host, outputs):
    host.root(HELPERS + FAILED)
    row = HELPERS + "sql \"SELECT status, retry_count FROM archive_jobs WHERE name = 'of-root'\""
    assert host.root(row).split() == ["failed|2"]
    assert outputs()["code"] == "needs_person"
    host.root("chown haadmin: " + DIRECTORY)
    before = host.root(ARCHIVE)
    done = outputs(act=True)
    assert done["outcome"] == "applied", done
    assert [argv[1] for argv in done["plan"]["commands"]] == ["reset-retry-count", "retry-job"]
    assert host.root(row).split() == ["retryable|0"]
    assert host.root(ARCHIVE) == before
    assert outputs()["outcome"] == "nothing_to_do"
    host.root(HELPERS + "start_worker; wait_until 60 crawl_writes " + DIRECTORY)
