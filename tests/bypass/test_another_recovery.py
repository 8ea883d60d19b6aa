# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame is the same for every module that changes a host. Here it is tried with each of them but `job`, which the other files
try: on a host with a fault that gives it a plan, nothing is mended round the guard. `make bypass` tries it."""

from __future__ import annotations

import subprocess

import pytest
from end_to_end.conftest import SANDBOX

from .attempts import FORGED
from .runs import COLLECTION
from .ways import ACT, BECOME, CHANGING, DEPLOY, GUARD, WITH_ANY, Run


class Other:
    """A module on a host with its fault, and the plan that mends it."""

    def __init__(self, attempts, changing):
        self.attempts, self.changing = attempts, changing
        self.options, self.plan_id = {}, ""

    def sandbox(self, word):
        argv = [str(SANDBOX), word, self.changing.fault, "--name", self.attempts.name]
        if self.changing.fault:
            subprocess.run(argv, stdin=subprocess.DEVNULL, check=True, timeout=300)

    def begin(self):
        """The fault, a plan, and no clearance."""
        self.attempts.put_back(clearance_too=True)
        self.sandbox("break")
        self.attempts.target.script(self.changing.happens)
        row = """sql "select id from archive_jobs where name = '%s'" """ % self.changing.row
        self.options = self.attempts.filled(self.changing.options, {"$ROW": self.attempts.target.script(row).strip()})
        (planned,) = self.call({"clearance": None, "approve": None}).results
        assert planned.outcome == "planned", planned
        self.plan_id = planned.plan_id
        assert self.untouched()

    def end(self):
        """The host without the fault and what mended it, and with nothing that takes up a job."""
        self.attempts.target.script(self.changing.undone, HEAD=self.attempts.target.head)
        self.sandbox("mend")
        self.attempts.target.script("systemctl stop healtharchive-worker")
        self.attempts.put_back(clearance_too=True)

    def untouched(self):
        return self._shows(self.changing.broken)

    def mended(self):
        return self._shows(self.changing.mended)

    def _shows(self, expected):
        """By another path."""
        seen = " ".join(self.attempts.target.script(self.changing.seen).split())
        print("%s: %s" % (self.changing.module, seen))
        return seen == self.attempts.filled(expected, {})

    def call(self, options, *arguments):
        """The module ad hoc, with everything as it should be but these options."""
        good = {**self.options, "incident": "$INCIDENT", "approve": self.plan_id}
        if "clearance" not in options:
            good["clearance"] = self.attempts.token
        wanted = {name: value for name, value in {**good, **options}.items() if value is not None}
        filled = self.attempts.filled(wanted, {})
        return self.attempts.bare.module(self.attempts.name, self.changing.module, filled, *arguments)

    def tagged(self, token):
        """A play of somebody's own, of which the guard is left out."""
        options = {**self.options, "incident": "$INCIDENT", "approve": self.plan_id, "clearance": ACT["clearance"]}
        act = {"name": "Act", "%s.%s" % (COLLECTION, self.changing.module): options, "tags": ["recover"]}
        run = Run([{"hosts": "$HOST", **BECOME, "tasks": [GUARD, act]}], ("--tags", "recover"))
        return self.attempts.run(self.attempts.bare, run, token, "$HEAD")

    def is_refused(self, way, code, options):
        """Try it: the code is that one, and nothing is done."""
        with self.attempts.trying(way) as before:
            tried = self.tagged(FORGED) if way.tagged else self.call(options)
            after = self.attempts.unchanged(before, self.changing.restless)
        assert [(each.outcome, each.code) for each in tried.of(self.changing.module)] == [("refused", code)]
        assert [event["kind"] for event in after.new_events(before) if event["kind"].startswith("action")] == []
        assert self.untouched()

    def acts(self, act, options):
        """With nothing wrong it is done. Right before it a check, with all that it needs, changes nothing (law 2)."""
        before = self.attempts.target.state()
        checked = self.call(options, "--check")
        self.attempts.unchanged(before, self.changing.restless)
        assert [(each.outcome, each.code) for each in checked.results] == [("planned", None)]
        assert [each.outcome for each in act().of(self.changing.module)] == ["applied"]
        assert self.mended()


@pytest.fixture(scope="module")
def other(attempts, request):
    """The next one waits until the host is as it was."""
    made = Other(attempts, request.param)
    try:
        made.begin()
        yield made
    finally:
        made.end()


def with_each(*changing):
    return pytest.mark.parametrize("other", changing, ids=lambda each: each.module, indirect=True)


@with_each(*CHANGING)
@pytest.mark.parametrize("way", WITH_ANY, ids=lambda way: way.name)
def test_no_other_module_is_a_way_round(attempts, other, way):
    if way.tagged:
        attempts.put_back(clearance_too=True)
    else:
        assert attempts.token != FORGED
    other.is_refused(way, way.code, way.options)


@with_each(*CHANGING)
@pytest.mark.parametrize("form", ["ad_hoc", "tagged"])
def test_every_other_module_acts_when_nothing_is_wrong(attempts, other, form):
    """The positive control."""
    if not other.untouched():
        other.end()
        other.begin()
    token = attempts.token
    other.acts(lambda: other.tagged(token) if form == "tagged" else other.call({}), {})


@with_each(DEPLOY)
@pytest.mark.parametrize("way", [way for way in WITH_ANY if way.deploy], ids=lambda way: way.name)
def test_a_deploy_is_no_way_round(other, way):
    other.is_refused(way, way.deploy, {"clearance": None, **way.options})


@with_each(DEPLOY)
def test_a_deploy_is_made_when_nothing_is_wrong(other):
    """The positive control."""
    other.acts(lambda: other.call({"clearance": None}), {"clearance": None})
