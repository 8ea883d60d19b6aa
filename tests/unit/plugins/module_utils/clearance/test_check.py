# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a clearance right before an act: one thing at a time is wrong, and that is why it is refused."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import (
    clearance,
    identity,
    probe,
    runtime,
    settings,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import (
    ended,
    holder,
    permit,
    standing,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal

TOKEN, INCIDENT, BOOT, RUN = "a token", "2026-11-23-api-down", "b" * 32, "1" * 32
HEAD, TREE = "a" * 40, "d" * 64
STARTED = 3_000_000
NEEDED = 180
API, WORKER = standing.UNITS


class Place:
    """A permit, and what the host shows when it is looked at; all of it is as it should be until something is changed."""

    def __init__(self) -> None:
        self.permit: Dict[str, Any] = {}
        self.shown: Dict[str, Any] = {}
        self.settings: Dict[str, Any] = {}
        self.unit: Dict[str, Any] = {}
        self.locked = True
        self.said: Dict[str, Any] = {}
        self.looked = False

    def check(self) -> clearance.Permit:
        values = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
        where = settings.Settings(**{**values, **self.settings})
        context = probe.Context(where, None, None, Redactor(), True, time.monotonic() + 60, 600, "local")
        said = {"token": TOKEN, "incident": INCIDENT, "seconds": NEEDED, **self.said}
        return clearance.check(context, said["token"], said["incident"], said["seconds"])

    def stored(self) -> permit.Stored:
        values = {
            "clearance_id": "clearance-1",
            "token_digest": permit.digest(TOKEN),
            "incident": INCIDENT,
            **dict.fromkeys(("operator", "controller", "run", "no_repo_change_reason")),
            "granted_at": "2026-11-23T17:50:00Z",
            "expires_at": "2100-01-01T00:00:00Z",
            "expires_boottime": permit.boottime() + 600,
            "limit_at": "2100-01-01T00:00:00Z",
            "limit_boottime": permit.boottime() + 7200,
            "boot_id": BOOT,
            "invocation": RUN,
            "checkout": "/opt/healtharchive",
            "lock_file": "/tmp/healtharchive-deploy.lock",
            "env_file": "/etc/healtharchive/backend.env",
            "service_user": "haadmin",
            "ops_directory": "/srv/healtharchive/ops",
            "required_commits": (HEAD,),
            "standing": {
                "head": HEAD,
                "tree": TREE,
                "differing": [],
                "code_changed_us": 1_000_000,
                "environment_changed_us": 2_000_000,
            },
        }
        return permit.Stored(**{**values, **self.permit})

    def look(self, context: probe.Context) -> standing.Standing:
        self.looked = True
        values = {
            "head": HEAD,
            "tree": TREE,
            "differing": (),
            "code_changed_us": 1_000_000,
            "environment_changed_us": 2_000_000,
            "processes": {unit: standing.Process(9, STARTED, True) for unit in standing.UNITS},
            "holder": holder.Unit(**{"active": True, "pid": 7, "invocation": RUN, **self.unit}),
            "problems": (),
        }
        return standing.Standing(**{**values, **self.shown})


@pytest.fixture
def place(monkeypatch, tmp_path):
    made = Place()
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setattr(identity, "boot_id", lambda: BOOT)
    monkeypatch.setattr(standing, "look", made.look)
    monkeypatch.setattr(holder, "holds", lambda unit, lock_file: unit.active and unit.pid is not None and made.locked)
    monkeypatch.setattr(ended, "expired", lambda context, found: None)
    return made


def code_of(place: Place) -> Optional[str]:
    """Why it is refused, None if it is not."""
    try:
        place.check()
    except Refusal as refusal:
        return refusal.code if refusal.next_step else "no next step"
    return None


def test_a_clearance_that_is_good(place):
    permit.write(place.stored())
    found = place.check()
    assert (found.head, found.incident, found.required_commits) == (HEAD, INCIDENT, (HEAD,))


def test_no_permit(place):
    assert code_of(place) == "clearance_missing"
    assert not place.looked


@pytest.mark.parametrize("token", [None, ""])
def test_no_token(place, token):
    permit.write(place.stored())
    place.said["token"] = token
    assert code_of(place) == "clearance_missing"


# What is wrong, where, and why it is refused: of what is said, of the permit, of the settings, of the unit, of what is seen.
WRONG = [
    ("said", {"token": "another"}, "clearance_unknown"),
    ("said", {"incident": "2026-11-24-other"}, "clearance_of_another_incident"),
    ("said", {"seconds": 601}, "clearance_too_short"),
    ("permit", {"boot_id": "c" * 32}, "clearance_of_another_boot"),
    ("permit", {"expires_at": "2026-11-23T18:00:00Z"}, "clearance_expired"),
    # By the clock that nobody can put back.
    ("permit", {"expires_boottime": 0.0}, "clearance_expired"),
    ("permit", {"invocation": "2" * 32}, "clearance_lock_lost"),
    ("permit", {"invocation": ""}, "clearance_lock_lost"),
    *(
        ("settings", {name: value}, "clearance_of_another_checkout")
        for name, value in {
            "checkout": "/home/haadmin/elsewhere",
            "deploy_lock_file": "/tmp/other.lock",
            "env_file": "/home/haadmin/other.env",
            "service_user": "nobody",
            "ops_directory": "/home/haadmin/ops",
        }.items()
    ),
    ("unit", {"active": False}, "clearance_lock_lost"),
    ("unit", {"pid": None}, "clearance_lock_lost"),
    # A copy of a permit that has ended, while the unit of another one has the lock.
    ("unit", {"invocation": "2" * 32}, "clearance_lock_lost"),
    ("shown", {"holder": None}, "clearance_lock_lost"),
    ("shown", {"head": "e" * 40}, "head_moved"),
    ("shown", {"tree": "e" * 64, "differing": ("?? src/new.py",)}, "tree_dirty"),
    ("shown", {"code_changed_us": 1_000_001}, "code_changed"),
    ("shown", {"code_changed_us": None}, "code_changed"),
    ("shown", {"environment_changed_us": 1_999_999}, "environment_changed"),
    ("shown", {"environment_changed_us": None}, "environment_changed"),
    ("shown", {"processes": None}, "process_unknown"),
    ("shown", {"processes": {API: standing.Process(9, 1_999_999, True)}}, "process_behind"),
    ("shown", {"processes": {WORKER: standing.Process(9, STARTED, False)}}, "process_behind"),
]


@pytest.mark.parametrize(("where", "change", "code"), WRONG)
def test_what_is_wrong_is_why_it_is_refused(place, where, change, code):
    getattr(place, where).update(change)
    permit.write(place.stored())
    assert code_of(place) == code


def test_what_cannot_be_had_back_is_refused_also_when_much_else_is_wrong(place):
    """Whose and for what it is comes before what the host shows, so that nobody learns that from somebody else's clearance."""
    place.permit.update(incident="2026-11-24-other")
    place.shown.update(head="e" * 40, holder=None)
    permit.write(place.stored())
    assert code_of(place) == "clearance_of_another_incident"
    assert not place.looked


def test_a_lock_that_nobody_has_is_none(place):
    place.locked = False
    permit.write(place.stored())
    assert code_of(place) == "clearance_lock_lost"


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        # Nothing was demanded of these.
        ({"code_changed_us": None, "environment_changed_us": 5, "processes": None}, None),
        # What a plan was made for is the same all the same.
        ({"head": "e" * 40}, "head_moved"),
        ({"tree": "e" * 64}, "tree_dirty"),
        ({"holder": None}, "clearance_lock_lost"),
    ],
)
def test_with_a_reason_and_no_commit(place, shown, code):
    place.permit.update(required_commits=(), no_repo_change_reason="A row is stuck")
    place.shown.update(shown)
    permit.write(place.stored())
    assert code_of(place) == code


def test_a_worker_that_was_stopped_is_not_behind(place):
    place.shown["processes"] = {API: standing.Process(9, STARTED, True)}
    permit.write(place.stored())
    assert code_of(place) is None
