# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame is the same for every module that changes a host. Here it is tried with another one than `job`: dead hot paths are
not mended round the guard. `make bypass` tries it."""

from __future__ import annotations

import subprocess

import pytest
from end_to_end.conftest import SANDBOX

from .attempts import FORGED
from .runs import COLLECTION
from .ways import ACT, BECOME, GUARD, OTHERS, Run

PATHS = ("imports/hc-2019", "imports/cihr-2020")
FAULT = "hot_path_stale"


def sandbox(attempts, word):
    argv = [str(SANDBOX), word, FAULT, "--name", attempts.name]
    subprocess.run(argv, stdin=subprocess.DEVNULL, check=True, timeout=300)


@pytest.fixture
def plan(attempts):
    """The host with dead hot paths, and the id of the plan that brings them back."""
    attempts.put_back(clearance_too=True)
    sandbox(attempts, "break")
    try:
        (planned,) = attempts.bare.module(attempts.name, "storage", {"incident": attempts.words["$INCIDENT"]}).results
        assert planned.outcome == "planned"
        yield planned.plan_id
    finally:
        sandbox(attempts, "mend")
        attempts.put_back(clearance_too=True)


def dead(attempts):
    """The paths that answer nobody, asked of the kernel."""
    look = "for path in %s; do stat /srv/healtharchive/jobs/$path >/dev/null 2>&1 || echo $path; done"
    return attempts.target.script(look % " ".join(PATHS)).split()


def call(attempts, plan, token):
    """The module, ad hoc."""
    options = {"incident": attempts.words["$INCIDENT"], "approve": plan}
    return attempts.bare.module(attempts.name, "storage", options if token is None else {**options, "clearance": token})


def tagged(attempts, plan, token):
    """A play of somebody's own, of which the guard is left out."""
    options = {"incident": "$INCIDENT", "approve": plan, "clearance": ACT["clearance"]}
    tasks = [GUARD, {"name": "Act", COLLECTION + ".storage": options, "tags": ["recover"]}]
    run = Run([{"hosts": "$HOST", **BECOME, "tasks": tasks}], ("--tags", "recover"))
    return attempts.run(attempts.bare, run, token or FORGED, "$HEAD")


@pytest.mark.parametrize("way", [way for way in OTHERS if way.name.startswith("storage_")], ids=lambda way: way.name)
def test_another_recovery_is_held_back(attempts, plan, way):
    go, token, moved = tagged if way.name == "storage_tags" else call, None, ""
    if way.name == "storage_guessed_token":
        token = FORGED
        assert attempts.token != token
    if way.name == "storage_head_moved":
        token, moved = attempts.token, "as_owner git -C $CHECKOUT checkout --quiet --detach HEAD~1"
    before = attempts.target.state(first=moved)
    tried = go(attempts, plan, token)
    after = attempts.unchanged(before)
    assert [result.code for result in tried.of("storage")] == [way.code]
    assert [event["kind"] for event in after.new_events(before) if event["kind"].startswith("action")] == []
    assert dead(attempts) == list(PATHS)
    if moved:
        attempts.target.script("put_checkout_back")
    # The positive control: the same with a clearance that is good, for the commit that is there.
    assert [result.outcome for result in go(attempts, plan, attempts.token).of("storage")] == ["applied"]
    assert dead(attempts) == []
