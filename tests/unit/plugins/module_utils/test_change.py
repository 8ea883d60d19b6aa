# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every change: what is demanded, in which order, and what is on record whenever it is cut off."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import (
    approval,
    audit,
    change,
    clearance,
    envfile,
    identity,
    origin,
    probe,
    recorded,
    runtime,
    settings,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.audit import AuditLog, Paths
from ansible_collections.healtharchive.remediation.plugins.module_utils.budget import Budget
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed, Observation
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft, Origin
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal

NAME = "2026-11-23-api-down"
HEAD = "ab" * 20
TOKEN = "the token"
SECRET = "hunter2-correct-horse"


class Lamp(change.Action):
    """Switches a lamp on, which is a file. What it does is in ``did``."""

    name = "lamp"
    budget = Budget(per_host=3, per_subject=2, window_seconds=3600)
    lamp: Path
    did: List[str]

    def plan(self, host):
        self.did.append("plan")
        if self.lamp.read_text() == "on":
            return NothingToDo("It is on.")
        before, after = {"lamp": {"state": self.lamp.read_text()}}, {"lamp": {"state": "on"}}
        return Plan("lamp", "Light.", (("switch", "on"),), ("lamp",), before, after, "It is bright.", "switch off")

    def act(self, host, plan):
        self.did.append("act")
        self.lamp.write_text("on")

    def observe(self, host, plan):
        self.did.append("observe")
        state = self.lamp.read_text()
        return Observation(
            "applied" if state == "on" else "failed", True, "It is %s." % state, {"lamp": {"state": state}}
        )


class Place:
    """A host's record below a directory, an open incident in it, and the frame on it."""

    def __init__(self, root: Path) -> None:
        self.operations = root / "ops"
        self.operations.mkdir()
        values = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
        values["ops_directory"] = str(self.operations)
        where = settings.Settings(**values)
        self.context = probe.Context(where, None, None, Redactor([SECRET]), True, time.monotonic() + 60, 600, "local")
        self.log = AuditLog(Paths(str(self.operations)), Origin("haadmin", head=HEAD), Redactor())
        self.lamp = root / "lamp"
        self.lamp.write_text("off")
        self.did: List[str] = []
        opened = {"title": "API down", "severity": "sev1", "started_at": "2026-11-23T17:50:00Z"}
        self.log.append(Draft("incident_opened", opened, NAME))

    def run(self, kind: type = Lamp, check_mode: bool = False, **said: Any) -> Dict[str, Any]:
        parameters = {**dict.fromkeys(change.ARGUMENT_SPEC), "incident": NAME, **said}
        action = kind(parameters)
        action.lamp, action.did = self.lamp, self.did
        return change.run(self.context, parameters, action, check_mode)

    def approve(self, kind: type = Lamp, **said: Any) -> Dict[str, Any]:
        planned = self.run(kind)
        self.did.clear()
        return self.run(kind, approve=planned["plan_id"], clearance=TOKEN, **said)

    def events(self) -> List[Dict[str, Any]]:
        return change.actions_of(self.log)

    def kinds(self) -> List[str]:
        return [event["kind"] for event in self.events()]

    def outcomes(self) -> List[str]:
        return [event["data"]["outcome"] for event in self.events() if event["kind"] == "action_finished"]


class Clearance:
    """Stands for the permit on the host: what is asked of it, and what it answers."""

    def __init__(self) -> None:
        self.asked: List[int] = []
        self.head = HEAD
        self.refuse_at: Optional[int] = None

    def check(self, context, token, incident, seconds):
        self.asked.append(seconds)
        if token != TOKEN or len(self.asked) == self.refuse_at:
            raise Refusal("clearance_missing", "There is no clearance.", "Get one.", token_given=token is not None)
        times = ("2026-11-23T17:50:00Z", "2026-11-23T18:20:00Z")
        return clearance.Permit("c1", incident, "somebody", *times, self.head)


@pytest.fixture
def permit(monkeypatch):
    stand_in = Clearance()
    monkeypatch.setattr(clearance, "check", stand_in.check)
    return stand_in


@pytest.fixture
def place(tmp_path, monkeypatch, permit):
    monkeypatch.setattr(origin, "find", lambda checkout, *said: Origin("haadmin", *said, HEAD))
    monkeypatch.setattr(identity, "machine_id", lambda: "0" * 32)
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setattr(approval, "files_of_the_service", lambda context: ("/etc/healtharchive/backend.env",))
    return Place(tmp_path)


def test_a_plan_changes_nothing_and_needs_no_clearance(place, permit):
    """Law 2."""
    planned = place.run()
    assert (planned["outcome"], planned["changed"], planned["head"]) == ("planned", False, HEAD)
    assert planned["plan"]["commands"] == [["switch", "on"]]
    assert planned["diff"] == {"before": 'lamp: {"state": "off"}\n', "after": 'lamp: {"state": "on"}\n'}
    assert place.run()["plan_id"] == planned["plan_id"]
    assert place.did == ["plan", "plan"]
    assert permit.asked == []
    assert place.kinds() == []
    assert not os.path.exists(runtime.DIRECTORY)


def test_check_mode_plans_also_what_is_approved(place):
    planned = place.run()
    checked = place.run(check_mode=True, approve=planned["plan_id"], clearance=TOKEN)
    assert (checked["outcome"], place.lamp.read_text(), place.kinds()) == ("planned", "off", [])
    # Something would be changed, which is what a check is asked; a plan by itself changes nothing.
    assert (checked["changed"], planned["changed"]) == (True, False)


def test_what_is_approved_is_done_once_and_is_on_record(place, permit):
    done = place.approve()
    assert (done["outcome"], done["changed"], done["detail"]) == ("applied", True, "It is on.")
    assert done["diff"]["after"] == 'lamp: {"state": "on"}\n'
    assert place.did == ["plan", "act", "observe"]
    begun, finished = place.events()
    assert begun["data"]["action_id"] == finished["data"]["action_id"] == done["action_id"]
    assert begun["data"]["argv"] == [["switch", "on"]]
    assert (begun["data"]["plan_id"], begun["data"]["clearance_id"]) == (done["plan_id"], "c1")
    assert finished["data"]["outcome"] == "applied"
    # For as long as it takes from there: with the plan, and without it right before the act.
    assert permit.asked == [Lamp.plan_seconds + Lamp.seconds, Lamp.seconds]
    again = place.run(approve=done["plan_id"], clearance=TOKEN)
    assert (again["outcome"], again["changed"], len(place.events())) == ("nothing_to_do", False, 2)


class Bright(Lamp):
    def observe(self, host, plan):
        return super().observe(host, plan)._replace(evidence={"lumens": 800})


def test_what_was_seen_is_told_where_it_went_well_too(place, permit):
    assert "evidence" not in place.approve()
    place.lamp.write_text("off")
    assert place.approve(Bright)["evidence"] == {"lumens": 800}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"incident": "2026-11-23-another"}, "incident_unknown"),
        ({"incident": "../../etc"}, "bad_incident"),
        ({"clearance": None}, "clearance_missing"),
        ({"clearance": "another"}, "clearance_missing"),
        ({"approve": "0" * 12}, "plan_changed"),
        ({"approve": ""}, "bad_approval"),
        ({"approve": "yes"}, "bad_approval"),
        ({"approve": "A" * 12}, "bad_approval"),
        ({"budget_override_reason": " "}, "bad_override"),
        ({"budget_override_reason": "..."}, "bad_override"),
        ({"budget_override_reason": "WHY"}, "bad_override"),
        ({"budget_override_reason": "x" * 200000}, "bad_event"),
        ({"operator": "x" * 200000}, "bad_event"),
    ],
)
def test_what_is_refused_leaves_nothing(place, said, code):
    """Law 3 among them: without an incident that is open nothing is begun."""
    planned = place.run()
    place.did.clear()
    result = place.run(**{"approve": planned["plan_id"], "clearance": TOKEN, **said})
    assert (result["outcome"], result["changed"], result["code"]) == ("refused", False, code)
    assert result["detail"]
    assert result["next_step"]
    assert "act" not in place.did
    assert (place.lamp.read_text(), place.kinds()) == ("off", [])
    # The same without what is wrong is done: it was that which was refused.
    assert place.approve()["outcome"] == "applied"


def test_an_incident_that_is_over_is_no_reason(place):
    end = {"resolved_at": "2026-11-23T19:00:00Z", "reason": "later"}
    place.log.append(Draft("incident_contained", end, NAME))
    assert place.run()["code"] == "incident_closed"


def test_a_world_that_moved_is_refused_with_the_plan_of_now(place):
    planned = place.run()
    place.lamp.write_text("dim")
    result = place.run(approve=planned["plan_id"], clearance=TOKEN)
    assert result["code"] == "plan_changed"
    assert result["evidence"]["plan"]["before"] == {"lamp": {"state": "dim"}}
    assert result["evidence"]["plan_id"] == place.run()["plan_id"] != planned["plan_id"]
    assert place.lamp.read_text() == "dim"


def test_a_clearance_for_another_commit_is_none(place, permit):
    permit.head = "cd" * 20
    assert place.approve()["code"] == "head_moved"
    assert place.kinds() == []


def test_a_clearance_that_ends_after_the_begin_record(place, permit):
    permit.refuse_at = 2
    result = place.approve()
    assert (result["outcome"], result["changed"], result["code"]) == ("refused", False, "clearance_missing")
    assert (place.lamp.read_text(), place.outcomes()) == ("off", ["refused"])
    assert place.did == ["plan"]


def test_what_brings_the_commit_needs_no_clearance(place, permit):
    class Deploy(Lamp):
        needs_clearance = False

    planned = place.run(Deploy)
    assert place.run(Deploy, approve=planned["plan_id"])["outcome"] == "applied"
    assert permit.asked == []
    assert place.events()[0]["data"]["clearance_id"] is None


@pytest.mark.parametrize(
    ("raised", "left", "outcome", "changed"),
    [
        (ActFailed("switch ended with 1."), "off", "failed", True),
        # Whatever is seen, somebody said that it went wrong.
        (ActFailed("switch ended with 1."), "on", "unknown", True),
        (ValueError("a fault of ours"), "off", "failed", True),
        (MemoryError(), "on", "unknown", True),
        (Refusal("lock_held", "Somebody has the lock.", "Wait."), "off", "refused", False),
        (audit.AuditUnavailable("audit_disk_full", "The disk is full.", "Make room."), "off", "refused", False),
    ],
)
def test_an_act_that_raises(place, raised, left, outcome, changed):
    class Broken(Lamp):
        def act(self, host, plan):
            self.lamp.write_text(left)
            raise raised

    result = place.approve(Broken)
    assert (result["outcome"], result["changed"], place.outcomes()) == (outcome, changed, [outcome])
    assert result["code"] == getattr(
        raised, "code", {"failed": "act_failed", "unknown": "outcome_unknown"}.get(outcome)
    )
    assert result["next_step"]


def test_an_observation_that_raises(place):
    class Blind(Lamp):
        def observe(self, host, plan):
            raise OSError("gone")

    result = place.approve(Blind)
    assert (result["outcome"], result["changed"], place.outcomes()) == ("unknown", True, ["unknown"])
    assert "OSError: gone." in result["detail"]


def test_what_else_was_seen_is_told_of_what_went_well_too(place):
    class Warm(Lamp):
        def observe(self, host, plan):
            return super().observe(host, plan)._replace(evidence={"degrees": 40})

    done = place.approve(Warm)
    assert (done["outcome"], done["evidence"]) == ("applied", {"degrees": 40})
    place.lamp.write_text("off")
    assert "evidence" not in place.approve()


def test_a_plan_that_raises(place):
    class Silly(Lamp):
        def plan(self, host):
            raise KeyError("no such key")

    result = place.run(Silly)
    assert (result["outcome"], result["changed"], result["code"]) == ("refused", False, "internal_error")
    assert "Traceback" in result["evidence"]["traceback"]


def test_a_begin_record_that_cannot_be_written(place, monkeypatch):
    """Law 4: then nothing is done."""

    def full(*_arguments: Any, **_more: Any) -> None:
        raise audit.AuditUnavailable("audit_disk_full", "The disk is full.", "Make room.")

    monkeypatch.setattr(audit.AuditLog, "begin", full)
    result = place.approve()
    assert (result["outcome"], result["code"], place.lamp.read_text()) == ("refused", "audit_disk_full", "off")


def test_an_end_that_cannot_be_recorded_is_settled_by_the_next_run(place, monkeypatch):
    def full(*_arguments: Any, **_more: Any) -> None:
        raise audit.AuditUnavailable("audit_disk_full", "The disk is full.", "Make room.")

    with monkeypatch.context() as patched:
        patched.setattr(audit.AuditLog, "finish", full)
        result = place.approve()
    assert (result["outcome"], result["changed"], result["code"]) == ("unknown", True, "outcome_unrecorded")
    assert "It is on." in result["detail"]
    assert place.kinds() == ["action_begun"]
    planned = place.run()
    assert [each["action_id"] for each in planned["unfinished_actions"]] == [result["action_id"]]
    again = place.run(approve=result["plan_id"], clearance=TOKEN)
    assert [each["action_id"] for each in again["settled"]] == [result["action_id"]]
    assert (again["outcome"], place.outcomes()) == ("nothing_to_do", ["unknown"])


def test_an_end_is_recorded_whatever_the_command_printed(place):
    class Loud(Lamp):
        def observe(self, host, plan):
            return Observation("applied", True, "%s\n%s\udcff" % (SECRET, "x" * 500000))

    assert place.approve(Loud)["outcome"] == "applied"
    (detail,) = [event["data"]["detail"] for event in place.events() if event["kind"] == "action_finished"]
    assert detail.startswith("********\\n")


# At which step a process is killed, and what is on record then.
KILLS = [
    ("plan", [], "off"),
    ("begin", [], "off"),
    ("begun", ["action_begun"], "off"),
    ("act", ["action_begun"], "off"),
    ("acted", ["action_begun"], "on"),
    ("observe", ["action_begun"], "on"),
    ("finish", ["action_begun"], "on"),
    ("finished", ["action_begun", "action_finished"], "on"),
]


@pytest.mark.parametrize(("step", "kinds", "state"), KILLS, ids=[kill[0] for kill in KILLS])
def test_killed_at_every_boundary(place, monkeypatch, step, kinds, state):
    """What is on record is true, nothing is locked, and the same command again brings it to an end."""

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    class Killed(Lamp):
        def plan(self, host):
            return kill() if step == "plan" else super().plan(host)

        def act(self, host, plan):
            if step == "act":
                kill()
            super().act(host, plan)
            if step == "acted":
                kill()

        def observe(self, host, plan):
            return kill() if step == "observe" else super().observe(host, plan)

    approved = place.run()["plan_id"]
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            for name, before, after in (("begin", "begin", "begun"), ("finish", "finish", "finished")):
                real = getattr(AuditLog, name)

                def wrapped(*given, real=real, before=before, after=after, **more):
                    if step == before:
                        kill()
                    found = real(*given, **more)
                    if step == after:
                        kill()
                    return found

                monkeypatch.setattr(AuditLog, name, wrapped)
            place.run(Killed, approve=approved, clearance=TOKEN)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert (place.kinds(), place.lamp.read_text()) == (kinds, state)

    again = place.run(approve=approved, clearance=TOKEN)
    assert again["outcome"] == ("applied" if state == "off" else "nothing_to_do")
    assert len(again["settled"]) == (kinds == ["action_begun"])
    assert place.lamp.read_text() == "on"
    assert recorded.Record(place.events()).unfinished == {}


def test_what_still_goes_on_is_not_settled(place, monkeypatch):
    class Long(Lamp):
        def settle(self, host, action):
            return None

    place.log.begin(NAME, "lamp-1", "lamp", subjects=["lamp"])
    assert place.approve(Long)["settled"] == []
    assert [each.action_id for each in recorded.Record(place.events()).unfinished.values()] == ["lamp-1"]


class Slow(Lamp):
    """Hands its act to something that goes on without it."""

    burns = False

    def act(self, host, plan):
        self.did.append("act " + host.action_id)

    def observe(self, host, plan):
        return Observation("running", True, "It is being switched on.")

    def settle(self, host, action):
        return Observation("applied", True, "It is on.") if self.burns else None


def test_the_end_of_what_goes_on_is_recorded_when_it_is_settled(place, monkeypatch):
    begun = place.approve(Slow)
    assert (begun["outcome"], begun["changed"], "code" in begun) == ("running", True, False)
    assert place.did == ["plan", "act " + begun["action_id"]]
    assert place.kinds() == ["action_begun"]
    assert place.run(Slow)["unfinished_actions"][0]["action_id"] == begun["action_id"]
    monkeypatch.setattr(Slow, "burns", True)
    place.lamp.write_text("on")
    again = place.run(Slow, approve=begun["plan_id"], clearance=TOKEN)
    assert [each["action_id"] for each in again["settled"]] == [begun["action_id"]]
    assert (again["outcome"], place.outcomes()) == ("nothing_to_do", ["applied"])


def test_what_goes_on_already_is_told_instead_of_a_plan(place, monkeypatch):
    asked = []

    def resume(self, host, check_mode):
        asked.append((host.incident, check_mode))
        return {"outcome": "running", "changed": True, "steps": 3}

    monkeypatch.setattr(Slow, "resume", resume, raising=False)
    told = place.run(Slow, approve="0" * 12, clearance=TOKEN)
    assert (told["outcome"], told["steps"], told["incident"], told["head"]) == ("running", 3, NAME, HEAD)
    assert (place.did, place.kinds(), asked) == ([], [], [(NAME, False)])
    # The incident comes first all the same, and an approval that is none is no approval.
    assert place.run(Slow, incident="2026-11-23-another")["code"] == "incident_unknown"
    assert place.run(Slow, approve="yes")["code"] == "bad_approval"


def test_what_was_settled_before_the_plan_is_told_with_it(place, monkeypatch):
    monkeypatch.setattr(Slow, "resume", lambda *_asked: {"settled": [{"action_id": "lamp-1"}]}, raising=False)
    assert place.run(Slow)["settled"] == [{"action_id": "lamp-1"}]
    assert place.approve(Slow)["settled"] == [{"action_id": "lamp-1"}]


def test_an_action_says_by_which_subjects_its_budget_counts(place, monkeypatch):
    monkeypatch.setattr(Lamp, "counted", lambda self, plan: (), raising=False)
    for _time in range(Lamp.budget.per_host):
        assert place.approve()["outcome"] == "applied"
        place.lamp.write_text("off")
    assert place.approve()["code"] == "budget_spent"


def test_acts_of_other_kinds_are_not_settled(place):
    place.log.begin(NAME, "deploy-1", "deploy")
    done = place.approve()
    assert (done["outcome"], done["settled"]) == ("applied", [])


def test_the_budget_is_of_the_host_and_not_of_the_run(place):
    """Law 11, counted on the record: also what other incidents and other laptops did."""
    for _time in range(Lamp.budget.per_subject):
        assert place.approve()["outcome"] == "applied"
        place.lamp.write_text("off")
    refused = place.approve()
    assert (refused["code"], refused["evidence"]["subjects"]) == ("budget_spent", {"lamp": 2})
    assert (place.lamp.read_text(), len(place.events())) == ("off", 4)
    allowed = place.approve(budget_override_reason="the bulb was changed")
    assert allowed["outcome"] == "applied"
    assert place.events()[4]["data"]["override_reason"] == "the bulb was changed"


def test_what_was_refused_after_it_began_uses_nothing_up(place, permit):
    for _time in range(Lamp.budget.per_host + 1):
        permit.asked, permit.refuse_at = [], 2
        assert place.approve()["outcome"] == "refused"
    permit.refuse_at = None
    assert place.approve()["outcome"] == "applied"


def test_only_one_acts_at_a_time(place):
    """Law 5."""
    planned = place.run()
    ready, go = os.pipe(), os.pipe()

    class Slow(Lamp):
        def act(self, host, plan):
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            super().act(host, plan)

    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            place.run(Slow, approve=planned["plan_id"], clearance=TOKEN, operator="the first")
        os._exit(0)
    os.read(ready[0], 1)
    refused = place.run(approve=planned["plan_id"], clearance=TOKEN)
    assert (refused["code"], place.run()["outcome"]) == ("busy", "planned")
    assert (refused["evidence"]["acting"]["operator"], refused["evidence"]["acting"]["action"]) == ("the first", "lamp")
    os.write(go[1], b"x")
    os.waitpid(child, 0)
    assert place.run(approve=planned["plan_id"], clearance=TOKEN)["outcome"] == "nothing_to_do"
    assert place.kinds() == ["action_begun", "action_finished"]
    for descriptor in (*ready, *go):
        os.close(descriptor)


def in_environment(place: Place, lines: bytes) -> None:
    place.context = place.context._replace(environment=envfile.parse(lines))


@pytest.mark.parametrize("lines", [b"HEALTHARCHIVE_ENV=staging\n", b"A=b\nHEALTHARCHIVE_ENV='development'\n"])
def test_a_drill_approves_what_is_planned_where_the_host_is_not_production(place, permit, lines):
    in_environment(place, lines)
    done = place.run(approve="auto", clearance=TOKEN)
    assert (done["outcome"], place.did) == ("applied", ["plan", "act", "observe"])
    begun = next(event["data"] for event in place.events() if event["kind"] == "action_begun")
    assert (begun["approval"], begun["plan_id"]) == ("automatic", done["plan_id"])


def test_what_a_person_approves_is_not_called_automatic(place, permit):
    assert place.approve()["outcome"] == "applied"
    assert next(event["data"] for event in place.events() if event["kind"] == "action_begun")["approval"] is None


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (b"HEALTHARCHIVE_ENV=production\n", "production"),
        (b"HEALTHARCHIVE_ENV=Production\n", "production"),
        (b"HEALTHARCHIVE_ENV=prod\n", "production"),
        (b"HEALTHARCHIVE_ENV=live\n", "production"),
        (b"", "environment_unknown"),
        (b"HEALTHARCHIVE_ENV=\n", "environment_unknown"),
        # systemd does not see it, so that the services have another one
        (b"export HEALTHARCHIVE_ENV=staging\n", "environment_unknown"),
        (b"HEALTHARCHIVE_ENV=$STAGE\n", "environment_unknown"),
        (b"HEALTHARCHIVE_ENV=production\nexport HEALTHARCHIVE_ENV=staging\n", "environment_unknown"),
        (b"HEALTHARCHIVE_ENV=staging\nA=\0\n", "environment_unknown"),
    ],
)
def test_no_drill_on_a_host_that_is_or_may_be_production(place, permit, lines, code):
    in_environment(place, lines)
    refused = place.run(approve="auto", clearance=TOKEN)
    assert (refused["outcome"], refused["code"], place.did, place.kinds()) == ("refused", code, [], [])
    assert place.approve()["outcome"] == "applied"


def test_no_drill_by_the_word_of_a_file_that_the_service_is_not_started_with(place, permit, monkeypatch):
    in_environment(place, b"HEALTHARCHIVE_ENV=staging\n")
    own = "/etc/healtharchive/backend.env"
    for files in ((), ("/etc/healtharchive/other.env",), (own, "/etc/healtharchive/other.env")):
        monkeypatch.setattr(approval, "files_of_the_service", lambda context, files=files: files)
        assert place.run(approve="auto", clearance=TOKEN)["code"] == "environment_unknown"
    assert place.did == []


def test_no_drill_where_the_environment_file_was_not_read(place, permit):
    assert place.run(approve="auto", clearance=TOKEN)["code"] == "environment_unknown"
