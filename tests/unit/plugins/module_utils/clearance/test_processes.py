# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes are a deploy, and which processes run what is checked out."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import deploys
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance.standing import (
    Process,
    Standing,
    started,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError

API = "healtharchive-api.service"


@pytest.mark.parametrize(
    ("argv", "script"),
    [
        (["/opt/healtharchive/scripts/vps-deploy.sh", "--apply"], "vps-deploy.sh"),
        (["/bin/bash", "./scripts/vps-deploy.sh", "--apply"], "vps-deploy.sh"),
        (["bash", "-x", "/opt/healtharchive/scripts/vps-deploy.sh"], "vps-deploy.sh"),
        (["vim", "/opt/healtharchive/scripts/vps-deploy.sh"], "vim"),
        (["grep", "-r", "vps-deploy.sh"], "grep"),
        (["bash"], None),
        (["-bash"], "-bash"),
        ([], None),
    ],
)
def test_the_script_that_a_process_is(argv, script):
    assert deploys._script([word.encode() for word in argv]) == script


def test_a_deploy_that_runs_is_found_without_its_lock(tmp_path):
    script = tmp_path / "vps-deploy.sh"
    script.write_text("#!/usr/bin/env bash\necho running\nread _line\n")
    script.chmod(0o755)
    before = deploys.running()
    process = subprocess.Popen([str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"running\n"
        (found,) = set(deploys.running()) - set(before)
        assert found.startswith("vps-deploy.sh (process %d of " % process.pid)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("code", "environment", "processes", "current"),
    [
        (100, 200, {API: Process(7, 200, True)}, True),
        (100, 200, {API: Process(7, 199, True)}, False),
        (200, 100, {API: Process(7, 199, True)}, False),
        (100, 100, {API: Process(7, 200, False)}, False),
        (100, 100, {API: Process(7, 200, True, True)}, False),
        # What does not run will be started from what is there.
        (100, 200, {}, True),
        (None, None, {}, True),
        (None, 100, {API: Process(7, 200, True)}, None),
        (100, None, {API: Process(7, 200, True)}, None),
        (100, 100, None, None),
    ],
)
def test_a_process_is_current_that_is_younger_than_what_it_runs(code, environment, processes, current):
    standing = Standing("a" * 40, "d" * 64, (), code, environment, processes, None, ())
    assert standing.current(API) is current


@pytest.mark.parametrize(
    ("told", "now", "found"),
    [
        # It started at 1000 by both clocks, 500 after the machine, and 200 ago.
        (1000, 1200, 1000),
        # The clock was put back by 400 since: what was changed at 700, a moment ago, was changed after it started.
        (1000, 800, 600),
        # It was put forward.
        (1000, 1600, 1000),
    ],
)
def test_a_clock_that_was_put_back_makes_no_process_younger(told, now, found):
    assert started({"ExecMainStartTimestampMonotonic": "500"}, told, now, 700) == found


def test_a_start_that_nobody_told_is_none():
    for properties in ({}, {"ExecMainStartTimestampMonotonic": ""}, {"ExecMainStartTimestampMonotonic": "-1"}):
        with pytest.raises(ParseError):
            started(properties, 1000, 1200, 700)
