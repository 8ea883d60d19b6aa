# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permit below /run: what is written is read back, and what is anything else is not believed."""

from __future__ import annotations

import json
import os
import time

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import runtime
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import permit
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import times
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal

TOKEN = "a token"
NOW = 1_800_000_000.0


@pytest.fixture
def directory(tmp_path, monkeypatch):
    path = tmp_path / "run"
    monkeypatch.setattr(runtime, "DIRECTORY", str(path))
    return path


def stored(seconds: float = 600.0, **others) -> permit.Stored:
    values = {
        "clearance_id": "clearance-1",
        "token_digest": permit.digest(TOKEN),
        "incident": "2026-11-23-api-down",
        "operator": "alice",
        "controller": "laptop",
        "run": None,
        "granted_at": times.from_epoch(time.time()),
        "expires_at": times.from_epoch(time.time() + seconds + 1),
        "expires_boottime": permit.boottime() + seconds,
        "limit_at": times.from_epoch(time.time() + 7200),
        "limit_boottime": permit.boottime() + 7200,
        "boot_id": "b",
        "checkout": "/opt/healtharchive",
        "lock_file": "/tmp/healtharchive-deploy.lock",
        "env_file": "/etc/healtharchive/backend.env",
        "service_user": "haadmin",
        "ops_directory": "/srv/healtharchive/ops",
        "invocation": "1" * 32,
        "required_commits": ("a" * 40,),
        "no_repo_change_reason": None,
        "standing": {
            "head": "a" * 40,
            "tree": "d" * 64,
            "differing": [],
            "code_changed_us": 1,
            "environment_changed_us": 2,
        },
    }
    return permit.Stored(**{**values, **others})


def test_what_is_written_is_read_back(directory):
    assert permit.read() is None
    permit.write(stored())
    found = permit.read()
    assert found is not None
    assert found.clearance_id == "clearance-1"
    assert found.required_commits == ("a" * 40,)
    assert found.is_for(TOKEN)
    assert not found.is_for(TOKEN + "x")
    assert not found.is_for(found.token_digest)
    permit.remove()
    permit.remove()
    assert permit.read() is None
    assert os.listdir(directory) == []


def test_the_token_is_not_in_the_file(directory):
    permit.write(stored())
    content = (directory / permit.NAME).read_text()
    assert TOKEN not in content
    assert permit.digest(TOKEN) in content
    assert os.stat(directory / permit.NAME).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"not json",
        b'{"version": 1}',
        b'{"version": 2}',
    ],
)
def test_what_is_no_permit_is_not_believed(directory, content):
    permit.write(stored())
    (directory / permit.NAME).write_bytes(content)
    with pytest.raises(Refusal) as caught:
        permit.read()
    assert caught.value.code == "clearance_unreadable"


@pytest.mark.parametrize(
    "change",
    [
        {"incident": 7},
        {"token_digest": "short"},
        {"expires_at": "tomorrow"},
        {"expires_boottime": "soon"},
        {"standing": {}},
        {"standing": None},
        {"required_commits": None},
        {"more": True},
    ],
)
def test_a_permit_of_another_form_is_not_believed(directory, change):
    permit.write(stored())
    path = directory / permit.NAME
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **change}))
    with pytest.raises(Refusal) as caught:
        permit.read()
    assert caught.value.code == "clearance_unreadable"


def test_a_permit_that_others_may_write_or_that_is_a_link_is_not_believed(directory):
    permit.write(stored())
    path = directory / permit.NAME
    path.chmod(0o640)
    with pytest.raises(Refusal, match="root's alone"):
        permit.read()
    path.chmod(0o600)
    assert permit.read()
    path.rename(directory / "elsewhere")
    path.symlink_to(directory / "elsewhere")
    with pytest.raises(Refusal) as caught:
        permit.read()
    assert caught.value.code == "clearance_unreadable"


def test_a_directory_that_others_may_write_to_is_not_believed(directory):
    permit.write(stored())
    directory.chmod(0o770)
    with pytest.raises(Refusal) as caught:
        permit.read()
    assert caught.value.code == "runtime_unsafe"


def test_the_clock_that_says_less_counts(monkeypatch):
    found = stored(600)
    assert 595 < found.seconds_left() <= 600
    # Somebody puts the clock that people see back by a day: the other one goes on.
    monkeypatch.setattr(permit.time, "time", lambda: NOW)
    monkeypatch.setattr(permit, "boottime", lambda: 1000.0)
    late = stored(600, expires_at=times.from_epoch(NOW + 86400), expires_boottime=999.0)
    assert late.seconds_left() == -1.0
    # Put forward, it is over at once.
    early = stored(600, expires_at=times.from_epoch(NOW - 1), expires_boottime=1600.0)
    assert early.seconds_left() == -1.0
