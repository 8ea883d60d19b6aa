# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a change that was handed to systemd, by every combination of its unit, its record and what lies beside it."""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import (
    approval,
    change,
    host,
    identity,
    origin,
    probe,
    recorded,
    runtime,
    settings,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.audit import AuditLog, Paths
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import Observation
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft, Origin
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import Plan
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.transient_unit import shown
from ansible_collections.healtharchive.remediation.plugins.module_utils.transient_unit.action import (
    ARGUMENT_SPEC,
    HandedOver,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.transient_unit.unit import TransientUnit

sys.path.insert(0, str(Path(__file__).parent))

import transient_samples as samples

INCIDENT = "2026-11-23-api-down"
HEAD = "ab" * 20
PLAN = "0123456789ab"
ACTION = "walk-%s-00000001" % PLAN


class Walk(HandedOver):
    """To the end of the street: each line that its unit prints is a step."""

    name = "walk"
    needs_clearance = False
    unit = TransientUnit("walk.service", "walk", "walk.json", "walk.log", "walk_not_started")
    aside: List[str]

    def demand_wished(self, known: Any, action: recorded.Action) -> None:
        if known["street"] != self.parameters["street"]:
            raise Refusal("walk_running", "Somebody walks along %s." % known["street"], "Wait.")

    def read(self, printed: bytes, ended: bool) -> Tuple[List[str], bool]:
        return printed.decode().splitlines(), ended

    def steps(self, report: Any) -> List[Dict[str, Optional[str]]]:
        return [{"name": "step", "command": line} for line in report[0]]

    def subject(self, known: Any) -> Dict[str, Any]:
        return {"street": known.get("street")}

    def progress(self, host: Any, known: Any, action: recorded.Action, report: Any) -> Dict[str, Any]:
        return {"detail": "It walks since %s." % action.begun_at}

    def ended(self, host: Any, known: Any, found: shown.Shown, report: Any) -> Tuple[Observation, Dict[str, Any]]:
        assert report is None or report[1]
        how = {shown.SUCCEEDED: "applied", shown.FAILED: "failed", shown.GONE: "unknown"}[found.state]
        return self._seen(known, how, "It is seen that it is %s." % found.state)

    def ended_on_record(self, host: Any, action: recorded.Action) -> Tuple[Observation, Dict[str, Any]]:
        return self._seen({"action_id": action.action_id}, "unknown", "Only the record knows of it.")

    def put_aside(self, action_id: str, told: Any) -> None:
        self.aside.append(action_id)

    def plan(self, host: Any) -> Plan:
        street = self.parameters["street"]
        state = {street: {"walked": False}}
        argv = ("/usr/bin/systemd-run", "--unit=walk.service", "walk", street)
        return Plan("walk", "Walk.", (argv,), (street,), state, {street: {"walked": True}}, "Tired.", "Walk back.")

    def act(self, host: Any, plan: Plan) -> None:
        self.unit.start(host.context, plan.commands[0], {**self.begun(host, plan), "street": plan.subjects[0]})

    def _seen(self, known: Any, how: str, words: str) -> Tuple[Observation, Dict[str, Any]]:
        return Observation(how, True, words), self.result(known, how, True, words, {"High Street": {"walked": True}})


class Place:
    """A host's record, the unit in its systemd, and what lies beside it."""

    def __init__(self, root: Path, systemd: samples.Systemd) -> None:
        (root / "ops").mkdir()
        self.systemd = systemd
        self.run_directory = root / "run"
        values = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
        where = settings.Settings(**{**values, "ops_directory": str(root / "ops")})
        self.context = probe.Context(where, None, None, Redactor(), True, time.monotonic() + 60, 600, "local")
        self.log = AuditLog(Paths(str(root / "ops")), Origin("haadmin", head=HEAD), Redactor())
        opened = {"title": "API down", "severity": "sev1", "started_at": "2026-11-23T17:50:00Z"}
        self.log.append(Draft("incident_opened", opened, INCIDENT))
        self.aside: List[str] = []

    def begun(self, action_id: str = ACTION) -> None:
        said = {"objective": "Walk.", "argv": [["walk"]], "subjects": ["High Street"], "plan_id": PLAN}
        self.log.begin(INCIDENT, action_id, "walk", **said)

    def beside(self, file: str, printed: Optional[str] = "one\ntwo\n") -> None:
        self.run_directory.mkdir(0o700, exist_ok=True)
        known = {
            "action_id": ACTION,
            "incident": INCIDENT,
            "plan_id": PLAN,
            "plan": {"before": {"High Street": {"walked": False}}},
            "begun_at": "2026-11-23T18:00:00Z",
            "street": "High Street",
        }
        text = json.dumps(known)
        if file != "none":
            (self.run_directory / "walk.json").write_text(text if file == "there" else text[:40])
        if printed is not None:
            (self.run_directory / "walk.log").write_text(printed)

    def run(self, check_mode: bool = False, **said: Any) -> Dict[str, Any]:
        empty = dict.fromkeys({**change.ARGUMENT_SPEC, **ARGUMENT_SPEC})
        action = Walk({**empty, "incident": INCIDENT, "steps_seen": 0, "street": "High Street", **said})
        action.aside = self.aside
        return change.run(self.context, action.parameters, action, check_mode)

    def ends(self) -> List[Tuple[str, str]]:
        """What is on record of the end of each act."""
        return [
            (event["data"]["action_id"], event["data"]["outcome"])
            for event in change.actions_of(self.log)
            if event["kind"] == "action_finished"
        ]


@pytest.fixture
def place(tmp_path, monkeypatch):
    systemd = samples.Systemd(Walk.unit.name)
    now = [time.monotonic()]
    monkeypatch.setattr(host, "run", systemd.run)
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setattr(origin, "find", lambda checkout, *said: Origin("haadmin", *said, HEAD))
    monkeypatch.setattr(identity, "machine_id", lambda: "0" * 32)
    monkeypatch.setattr(approval, "files_of_the_service", lambda context: ("/etc/healtharchive/backend.env",))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return Place(tmp_path, systemd)


UNITS = {
    "running": samples.RUNNING,
    "succeeded": samples.SUCCEEDED,
    "failed": samples.FAILED,
    "gone": samples.GONE,
}
# Of one that was begun and whose end nobody recorded, and of which all is there: what is told, or recorded.
LEFT = {"running": "running", "succeeded": "applied", "failed": "failed", "gone": "unknown"}


def expected(unit: str, record: str, file: str) -> Tuple[str, List[str]]:
    """What whoever asks for it is told, and the ends that are on record afterwards."""
    if record == "none":
        return "not_begun", []
    if record != "begun":
        return record, [record]
    if file != "there":
        return "unknown", ["unknown"]
    return LEFT[unit], [] if unit == "running" else [LEFT[unit]]


TABLE = list(itertools.product(UNITS, ("begun", "applied", "failed", "none"), ("there", "torn", "none")))


def arranged(place: Place, unit: str, record: str, file: str) -> None:
    place.systemd.state = UNITS[unit]
    if record != "none":
        place.begun()
    if record in ("applied", "failed"):
        place.log.finish(INCIDENT, ACTION, record, True, "It is on record.")
    place.beside(file)


@pytest.mark.parametrize("wanted", [ACTION, PLAN])
@pytest.mark.parametrize(("unit", "record", "file"), TABLE)
def test_what_is_told_of_it(place, unit, record, file, wanted):
    arranged(place, unit, record, file)
    told, ends = expected(unit, record, file)
    found = place.run(follow=wanted)
    assert (found.get("code") if found["outcome"] == "refused" else found["outcome"]) == told
    assert place.ends() == [(ACTION, outcome) for outcome in ends]
    if told != "not_begun":
        assert found["action_id"] == ACTION
    if told == "running":
        assert [step["command"] for step in found["steps"]] == ["one", "two"]
        assert found["begun_incident"] == INCIDENT
    # It is told the same however often it is asked, and recorded once.
    again = place.run(follow=wanted)
    assert (again["outcome"], place.ends()) == (found["outcome"], [(ACTION, outcome) for outcome in ends])


@pytest.mark.parametrize(("unit", "record", "file"), TABLE)
def test_whoever_plans_finds_what_runs_and_records_what_has_ended(place, unit, record, file):
    arranged(place, unit, record, file)
    told, ends = expected(unit, record, file)
    found = place.run()
    assert found["outcome"] == ("running" if told == "running" else "planned")
    assert [each["action_id"] for each in found.get("settled", [])] == ([ACTION] if record == "begun" and ends else [])
    assert place.ends() == [(ACTION, outcome) for outcome in ends]


@pytest.mark.parametrize(("unit", "record", "file"), TABLE)
def test_a_check_records_nothing(place, unit, record, file):
    arranged(place, unit, record, file)
    found = place.run(check_mode=True)
    told, _ends = expected(unit, record, file)
    assert found["outcome"] == ("running" if told == "running" else "planned")
    assert place.ends() == ([(ACTION, record)] if record in ("applied", "failed") else [])
    assert place.aside == []


@pytest.mark.parametrize(("unit", "record", "file"), TABLE)
def test_only_what_has_ended_and_is_on_record_is_taken_away(place, unit, record, file):
    arranged(place, unit, record, file)
    place.run()
    recorded_now = record == "begun" and expected(unit, record, file)[0] != "running"
    assert place.aside == ([ACTION] if recorded_now else [])
    taken = recorded_now and file == "there" and unit in ("succeeded", "failed")
    assert place.systemd.state == (samples.GONE if taken else UNITS[unit])


def test_begun_it_is_followed_to_its_end(place):
    plan_id = place.run()["plan_id"]
    begun = place.run(approve=plan_id)
    assert (begun["outcome"], place.systemd.state, place.ends()) == ("running", samples.RUNNING, [])
    (place.run_directory / "walk.log").write_text("one\n")
    # What is known already is no news: the answer comes when something is, or after ten seconds.
    before = time.monotonic()
    assert place.run(follow=plan_id, steps_seen=0)["steps"] == [{"name": "step", "command": "one"}]
    assert time.monotonic() == before
    assert place.run(follow=begun["action_id"], steps_seen=1)["outcome"] == "running"
    assert time.monotonic() >= before + 10
    place.systemd.state = samples.SUCCEEDED
    found = place.run(follow=begun["action_id"], steps_seen=1)
    assert (found["outcome"], found["plan_id"], found["street"]) == ("applied", plan_id, "High Street")
    assert "walked" in found["diff"]["after"]
    assert (found["settled"], place.ends()) == ([], [(begun["action_id"], "applied")])


def test_what_runs_for_something_else_is_refused_and_followed_by_its_id(place):
    arranged(place, "running", "begun", "there")
    assert place.run(street="Low Street")["code"] == "walk_running"
    assert place.run(street="Low Street", follow=ACTION)["outcome"] == "running"


def test_nobody_records_an_end_while_somebody_acts(place):
    arranged(place, "succeeded", "begun", "there")
    with runtime.acting({"action": "another"}):
        waiting = place.run(follow=ACTION)
        refused = place.run(approve=PLAN)
        planned = place.run()
    assert (waiting["outcome"], [step["command"] for step in waiting["steps"]]) == ("running", ["one", "two"])
    assert waiting["detail"].startswith("It has ended; what it left is looked at next.")
    assert (refused["code"], planned["outcome"], place.ends()) == ("busy", "planned", [])
    assert place.run(follow=ACTION)["outcome"] == "applied"


def test_the_same_approval_once_more_tells_how_it_ended(place):
    """And begins nothing: the link broke, and the same command was run again."""
    arranged(place, "failed", "begun", "there")
    found = place.run(approve=PLAN)
    assert (found["outcome"], found["action_id"]) == ("failed", ACTION)
    assert "/usr/bin/systemd-run --unit=walk.service" not in place.systemd.asked


def test_what_systemd_does_not_say_is_no_end(place):
    arranged(place, "running", "begun", "there")
    place.systemd.state = samples.properties("loaded", "maintenance", "0")
    assert (place.run(follow=ACTION)["code"], place.ends()) == ("systemd_unreadable", [])
