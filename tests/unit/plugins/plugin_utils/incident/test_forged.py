# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks hand to each other is nothing that is said with -e."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import caller, forged

ROLES = Path(__file__).resolve().parents[5] / "roles"


def walk(value: Any) -> Iterator[Any]:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(each)


def registered() -> set:
    """Every name that a task of the roles gives to what it found, or to what becomes an event."""
    names = set()
    for path in ROLES.glob("*/tasks/*.yml"):
        for value in walk(yaml.safe_load(path.read_text())):
            if isinstance(value, dict):
                names |= {value["register"]} if "register" in value else set()
                names |= set(value.get("ansible.builtin.set_fact", ()))
                names |= {name for name in value.get("vars", ()) if name in ("__incident_events", "__incident_end")}
    return names


def test_no_role_hands_on_what_could_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    names = registered()
    assert {"incident_recorded", "verify_done", "__incident_events"} <= names
    for name in sorted(names):
        monkeypatch.setattr(forged, "load_extra_vars", lambda loader, name=name: {name: {}})
        with pytest.raises(BadInput) as caught:
            forged.check(None)
        assert name in str(caught.value)
    monkeypatch.setattr(forged, "load_extra_vars", lambda loader: {"incident": "x", "incident_wish": {}, "verify_deadline": 30})
    forged.check(None)


def test_a_run_is_its_process_and_when_that_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of processes are used again."""
    monkeypatch.setattr(caller, "said", lambda loader, names: {})
    with open("/proc/%d/stat" % os.getppid(), encoding="ascii", errors="replace") as file:
        began = file.read().rpartition(")")[2].split()[19]
    run = caller.described(None)["run"]
    assert re.fullmatch("pid-%d-%s-[0-9a-f]{8}" % (os.getppid(), began), run)
    monkeypatch.setattr(caller, "said", lambda loader, names: {"awx_job_id": "7"})
    assert caller.described(None)["run"] == "awx-7"


def test_a_run_has_ended_only_if_that_can_be_known() -> None:
    process = subprocess.Popen(["sleep", "60"])
    try:
        run = caller.process(process.pid)
        assert not caller.has_ended(run)
    finally:
        process.kill()
        process.wait()
    assert caller.has_ended(run)
    pid, start, place = run.split("-")[1:]
    own = caller.process(os.getpid())
    # The number is somebody else's by now.
    assert caller.has_ended("pid-%d-%s-%s" % (os.getpid(), start, place))
    elsewhere = "0" * 8 if place != "0" * 8 else "1" * 8
    for unknown in (None, "", "awx-7", "pid-" + pid, "pid-%s-%s" % (pid, start), own, "pid-%s-%s-%s" % (pid, start, elsewhere)):
        assert not caller.has_ended(unknown)
