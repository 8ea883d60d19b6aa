# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job whose attempts failed because its directory was root's, which a person has given back (incident I3): `make storage`."""

from __future__ import annotations

import pytest

from . import record
from .asking import Desk
from .longer_configuration import HOLD
from .outputs import Outputs
from .storage import ARCHIVE, HELPERS, JOBS
from .test_failed_jobs import KILL_WHO_ACTS, wait_until
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


def asked(desk, **said):
    return desk.change("outputs.action", "OutputDirectories", **said)


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
    # Killed while its first command waits for the row, it had no effect: the next run says so, and does it (laws 6 and 11).
    first = Desk(host, outputs.incident)
    token = first.granted(no_repo_change_reason="The directory was given back")["token"]
    planned = asked(first)
    assert [argv[1] for argv in planned["plan"]["commands"]] == ["reset-retry-count", "retry-job"]
    host.root(HOLD % int(host.root(HELPERS + "sql \"SELECT id FROM archive_jobs WHERE name = 'of-root'\"")))
    approved = {"approve": planned["plan_id"], "clearance": token}
    first.begin(do="change", module="outputs.action", action="OutputDirectories", check=False, options=approved)
    waits = "sql \"SELECT 'yes' FROM pg_locks WHERE NOT granted LIMIT 1\""
    wait_until(lambda: "yes" in host.root(HELPERS + waits))
    host.root(KILL_WHO_ACTS)
    host.ssh("sudo systemctl stop hold-row")
    desk = Desk(host, outputs.incident)
    try:
        assert host.root(row).split() == ["failed|2"]
        done = asked(desk, **approved)
        assert [(each["outcome"], each["action"]) for each in done["settled"]] == [("failed", "output_directories")]
        assert (done["outcome"], done["changed"]) == ("applied", True), done
        desk.released(token)
    finally:
        desk.close()
    assert host.root(row).split() == ["retryable|0"]
    assert host.root(ARCHIVE) == before
    assert outputs()["outcome"] == "nothing_to_do"
    host.root(HELPERS + "start_worker; wait_until 60 crawl_writes " + DIRECTORY)
