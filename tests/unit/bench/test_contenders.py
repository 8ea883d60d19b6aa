# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What triage is measured against is the same work, typed or as tasks."""

from __future__ import annotations

import json

import pytest
from benchmark import contenders

STEPS = contenders.steps("http://192.0.2.1", "http://192.0.2.1:8080")


def test_the_runbook_is_whole():
    lines = "\n".join(contenders.typed(step) for step in STEPS)
    for part in (
        "verify_public_surface.py --api-base http://192.0.2.1 --frontend-base http://192.0.2.1:8080",
        "systemctl status",
        "journalctl -u healtharchive-api -n 200",
        "journalctl -u healtharchive-worker -n 200",
        "check_baseline_drift.py --mode local --no-write",
        "backend.env; set +a; /opt/healtharchive/.venv/bin/healtharchive list-jobs",
        "backend.env; set +a; /opt/healtharchive/.venv/bin/healtharchive recover-stale-jobs",
    ):
        assert part in lines
    assert len(STEPS) == 7


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_nothing_is_changed(step):
    assert "--apply" not in step.command


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_the_task_runs_what_is_typed(step):
    task = contenders.task(step)
    assert step.command in json.dumps(task)
    assert task["become"] == contenders.typed(step).startswith("sudo ")
    assert ("ansible.builtin.shell" in task) == ("backend.env" in contenders.typed(step))
