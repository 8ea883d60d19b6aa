# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary: short, in a stable order, and printable whatever a host says."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.summary import (
    WIDTH,
    render,
    render_failure,
)
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage import samples
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    FAULTS,
    data,
    healthy_evidence,
    job,
    judge,
    unfinished,
    unseen,
)

HEALTHY = """
=== archive: nothing found ===
Read at 2026-11-23T17:50:00Z in 2.5 s of at most 60 s; nothing was changed.

what      Every fact that a healthy host must show was seen.

files     /reports/archive/20261123T175000Z
"""

WORKER_INACTIVE = """
=== archive: service (certain, sev1) ===
Read at 2026-11-23T17:50:00Z in 2.5 s of at most 60 s; nothing was changed.

what      The worker is inactive while jobs wait: 6 (phac, phac-20260101).
how sure  certain; sev1: annual capture blocked or likely to miss its window
for       healtharchive-worker.service is inactive (result success)
for       waiting: 6 (phac, phac-20260101)

also 2    deployment (certain): Commits on origin/main are not deployed: 2.

undeployed on origin/main, not on the host: bbbbbbb Newer; ccccccc New

next      Who stopped it, and was it on purpose (a parked crawl, a mount repair, PostgreSQL going
          down)? If not: sudo systemctl start healtharchive-worker.service, and look again after a
          poll of 30 s.

On the host, by ssh, as the operator:
    systemctl status healtharchive-worker.service --no-pager --lines=30

then      What was found may be the first layer only: after each repair, run triage again.

files     none written
"""

UNKNOWN = """
=== archive: unknown ===
Read at 2026-11-23T17:50:00Z in 2.5 s of at most 60 s; nothing was changed.

what      No rule applies, and not everything that a healthy host must show was seen.
not seen  the public check passes

unseen    public_surface (timed_out: no answer)

next      Look at the first of them yourself, then run triage again.

On the host, by ssh, as the operator:
    sudo -u haadmin /opt/healtharchive/.venv/bin/python3 /opt/healtharchive/scripts/verify_public_surface.py

files     none written
"""


def show(evidence: Any, directory: Any = None, host: str = "archive") -> str:
    return render(host, evidence, judge(evidence), directory)


def test_a_healthy_host() -> None:
    assert show(healthy_evidence(), "/reports/archive/20261123T175000Z") == HEALTHY


def test_two_faults() -> None:
    evidence = healthy_evidence()
    samples.undeployed_commits(evidence)
    samples.worker_inactive(evidence)
    assert show(evidence) == WORKER_INACTIVE


def test_not_enough_was_seen() -> None:
    evidence = healthy_evidence()
    unseen(evidence, "public_surface")
    assert show(evidence) == UNKNOWN


@pytest.mark.parametrize("name", FAULTS)
def test_one_screen_for_each_fault(name: str) -> None:
    evidence = healthy_evidence()
    FAULTS[name][0](evidence)
    lines = show(evidence, "/reports").split("\n")
    assert len(lines) <= 45
    assert all(len(line) <= WIDTH for line in lines if not line.startswith("    "))
    command = judge(evidence)["classes"][0]["next_step"]["command"]
    assert "    " + command in lines


def test_everything_wrong_at_once_is_still_two_screens_at_most() -> None:
    evidence = healthy_evidence()
    for name in sorted(FAULTS, key=lambda each: each in ("postgresql_down", "wrong_database_password")):
        FAULTS[name][0](evidence)
    lines = show(evidence).split("\n")
    assert len(lines) <= 80


def test_what_may_follow_from_what() -> None:
    evidence = healthy_evidence()
    samples.postgresql_down(evidence)
    text = show(evidence)
    assert "also 2    service (likely, may follow from 1): The public check fails" in text


HOSTILE = (
    "{{ lookup('pipe', 'id') }}",
    "{% for x in y %}",
    "a\nfiles     /etc/passwd\n",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "\r\x00\x08\x9b",
    "\u202eevil\u2066\u2028\u2029",
    "x" * 10000,
    "\ud800",
)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", ["name", "source"])
def test_a_hostile_name_breaks_nothing(field: str, hostile: str) -> None:
    evidence = healthy_evidence()
    samples.worker_inactive(evidence)
    data(evidence, "jobs")["jobs"][0] = job(**{field: hostile})
    unseen(evidence, "public_surface", hostile, hostile)
    evidence["collected_at"] = hostile
    plain = healthy_evidence()
    samples.worker_inactive(plain)
    unseen(plain, "public_surface", "x", "y")
    text = show(evidence, host=hostile)
    assert all(line.isprintable() for line in text.split("\n"))
    assert max(len(line) for line in text.split("\n")) <= 180
    # Not one line more than the wrapping of a long value needs.
    assert len(text.split("\n")) <= len(show(plain).split("\n")) + 15
    assert text.count("\nfiles ") == 1


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_failure_is_one_line(hostile: str) -> None:
    assert len(render_failure(hostile, hostile).strip("\n").split("\n")) == 1
    assert render_failure(hostile, hostile).strip("\n").isprintable()


def test_what_was_begun_and_not_finished_comes_first() -> None:
    evidence = healthy_evidence()
    unfinished(evidence, "deploy", "stale_jobs")
    lines = render("archive", evidence, judge(evidence), None).splitlines()
    assert lines[1] == "=== archive: unknown ==="
    assert lines[2].startswith("UNFINISHED: stale jobs of incident 2026-11-23-api-down was begun 5 min 0 s before this")
    text = " ".join(" ".join(lines).split())
    assert "UNFINISHED: deploy of incident 2026-11-23-api-down was begun 5 min 0 s before this" in text
    assert "sudo grep action_ /srv/healtharchive/ops/remediation/audit.jsonl" in text
    # Whatever else is wrong.
    for fault, *_expected in FAULTS.values():
        evidence = healthy_evidence()
        fault(evidence)
        unfinished(evidence, "deploy")
        assert render("archive", evidence, judge(evidence), None).splitlines()[2].startswith("UNFINISHED: deploy of")


def test_a_record_that_was_cut_short_comes_first() -> None:
    evidence = healthy_evidence()
    assert "UNFINISHED" not in render("archive", evidence, judge(evidence), None)
    data(evidence, "record")["torn_end"] = True
    text = render("archive", evidence, judge(evidence), None)
    assert text.splitlines()[2].startswith("UNFINISHED: The last line of the record was cut short")


def test_many_unfinished_actions_are_counted() -> None:
    evidence = healthy_evidence()
    unfinished(evidence, *("action%d" % number for number in range(9)), subjects=["x"] * 9, incident=None)
    lines = [line for line in render("archive", evidence, judge(evidence), None).splitlines() if "UNFINISHED" in line]
    assert len(lines) == 6
    assert lines[0].startswith("UNFINISHED: action8 of no incident")
    assert lines[-1] == "UNFINISHED: and 4 more: see evidence.json"


def test_a_record_that_was_changed_is_bad_evidence() -> None:
    evidence = healthy_evidence()
    data(evidence, "record").update(whole=False, first_broken_line=3)
    result = judge(evidence)
    assert [item["code"] for item in result["bad_evidence"]] == ["record_changed"]
    assert result["verdict"] == "unknown"
    data(evidence, "record").update(
        whole=None, size_bytes=0, checked_bytes=0, first_broken_line=None, open_incidents=[]
    )
    assert judge(evidence)["verdict"] == "nothing_found"
