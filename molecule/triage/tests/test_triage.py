# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What triage reported of the broken host, against what the host itself shows to the system's own commands."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

REPORTS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "triage"


def newest(name: str) -> dict:
    """A document of the newest report."""
    return json.loads(max(REPORTS.glob(f"**/{name}.json"), key=lambda path: path.stat().st_mtime).read_text())


@pytest.fixture(scope="module")
def evidence() -> dict:
    """The data of each probe that the report holds."""
    probes = newest("evidence")["probes"]
    return {name: probe["data"] for name, probe in probes.items()}


def rows(host, query: str) -> list[dict]:
    """The rows of a query, as the database's superuser sees them."""
    with host.sudo("postgres"):
        lines = host.check_output("psql --no-psqlrc -d healtharchive -Atc %s", f"SELECT to_jsonb(q) FROM ({query}) q")
    return [json.loads(line) for line in lines.splitlines()]


def test_the_class_is_the_fault_that_was_made(evidence):
    assert newest("result")["classes"][0]["class"] == "stale_state"


def test_the_stale_job_is_the_row_that_is_marked_as_running(host, evidence):
    running = [row["id"] for row in rows(host, "SELECT id FROM archive_jobs WHERE status = 'running'")]
    assert len(running) == 1, "triage mended the row, or the fault did not make one"
    assert [job["id"] for job in evidence["jobs"]["jobs"] if job["stale"]] == running


def test_the_counts_are_the_counts_of_the_rows(host, evidence):
    counts = rows(host, "SELECT status, count(*) AS jobs FROM archive_jobs GROUP BY status")
    assert evidence["jobs"]["counts"] == {row["status"]: row["jobs"] for row in counts}


def test_the_units_are_as_systemctl_says(host, evidence):
    for name, unit in evidence["units"]["units"].items():
        shown = host.check_output("systemctl show --property=ActiveState --value %s", name)
        assert (name, unit["active_state"]) == (name, shown)
    assert evidence["units"]["units"]["healtharchive-worker.service"]["active_state"] == "inactive"
    assert evidence["units"]["units"]["healtharchive-api.service"]["active_state"] == "active"


def test_the_commit_is_the_one_that_git_shows(host, evidence):
    with host.sudo("haadmin"):
        head = host.check_output("git -C /opt/healtharchive rev-parse HEAD")
        changes = host.check_output("git -C /opt/healtharchive status --porcelain")
    assert evidence["deployment"]["head"] == head
    assert changes == ""
    assert evidence["deployment"]["dirty"] is False


def test_the_environment_file_is_as_stat_shows_it(host, evidence):
    reported = evidence["environment"]
    with host.sudo():
        file = host.file(reported["path"])
        assert (reported["owner"], reported["group"]) == (file.user, file.group)
        assert int(reported["mode"], 8) == file.mode


def test_the_storage_box_is_the_mount_that_findmnt_shows(host, evidence):
    base = evidence["storage"]["base"]
    assert base["state"] == "ok"
    assert host.check_output("findmnt --noheadings --output FSTYPE --mountpoint %s", base["path"]) == base["fstype"]
