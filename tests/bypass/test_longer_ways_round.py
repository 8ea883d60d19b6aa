# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways round the guard that take more than one call. `make bypass` tries them."""

from __future__ import annotations

import concurrent.futures

import yaml
from end_to_end.conftest import ROOT

from .attempts import DONE, FORGED, UNTOUCHED
from .runs import COLLECTION
from .ways import ACT, BECOME, GUARD, VERDICT, Run

PRECONDITION, RECOVERY = "precondition/tasks/*.yml", "recover_failed_jobs/tasks/*.yml"
# The part of the recovery that acts, as a playbook of its own.
APPROVED = [
    {
        **BECOME,
        "hosts": "$HOST",
        "tasks": [
            {"ansible.builtin.import_role": {"name": COLLECTION + ".recover_failed_jobs", "tasks_from": "approved"}}
        ],
    }
]


def documents(*files):
    """The tasks of these files of the roles, each as a mapping, those of blocks too."""
    waiting = [
        task
        for pattern in files or (PRECONDITION, RECOVERY)
        for path in sorted((ROOT / "roles").glob(pattern))
        for task in yaml.safe_load(path.read_text())
    ]
    while waiting:
        task = waiting.pop()
        yield task
        for part in ("block", "rescue", "always"):
            waiting += task.get(part, [])


def registered():
    """What the roles register or set."""
    names = {task["register"] for task in documents() if "register" in task}
    assert not [task for task in documents() if any("set_fact" in key for key in task)]
    return sorted(names)


def task_variables():
    return {name for task in documents() for name in task.get("vars", {})}


def tasks_of(attempts, play):
    """Their names as --list-tasks says them; it leaves out what is done after a failure and at the end, so these are added."""
    output = attempts.run(attempts.bare, Run(play, ("--list-tasks",)), FORGED, "$UNDEPLOYED").output
    listed = [line.split("\tTAGS:")[0].strip() for line in output.splitlines() if "\tTAGS:" in line and " : " in line]
    every = [task["name"] for task in documents(PRECONDITION, "recover_failed_jobs/tasks/approved.yml")]
    return listed + [name for name in every if not [each for each in listed if each.endswith(" : " + name)]]


def test_starting_at_any_task_changes_nothing(attempts):
    """With all that an earlier task would have registered, as somebody could give it."""
    target, forged = attempts.target, dict.fromkeys(registered(), VERDICT)
    attempts.put_back(clearance_too=True)
    before = target.state()
    names = tasks_of(attempts, APPROVED)
    assert len(names) > 10
    reached = set()
    for name in names:
        run = Run(APPROVED, ("--start-at-task", name), variables=forged)
        ran = attempts.run(attempts.bare, run, FORGED, "$UNDEPLOYED")
        assert target.job() == UNTOUCHED, name
        reached |= {result.code for result in ran.refusals}
    attempts.unchanged(before)
    assert {"required_commit_not_deployed", "clearance_missing"} <= reached
    # The positive control: with a clearance that is good, it is done.
    (acts,) = [name for name in names if name.endswith("Approved | Retry the job")]
    run = Run(APPROVED, ("--start-at-task", acts), variables=forged)
    attempts.run(attempts.bare, run, attempts.token, "$UNDEPLOYED")
    assert target.job() == DONE
    attempts.put_back(clearance_too=True)


def test_no_variable_of_the_roles_opens_the_host(attempts):
    target = attempts.target
    attempts.put_back(clearance_too=True)
    before = target.state()
    for name in registered():
        ran = attempts.run(attempts.shipped, Run(variables={name: VERDICT}), FORGED, "$UNDEPLOYED")
        assert ran.refusals[-1].code == "bad_input", name
    for name in sorted(task_variables()):
        ran = attempts.run(attempts.shipped, Run(variables={name: []}), FORGED, "$UNDEPLOYED")
        assert ran.refusals[-1].code == "required_commit_not_deployed", name
    # A plan that seems to be one, so that the part that acts is reached.
    everything = {
        **dict.fromkeys(registered(), {**VERDICT, "outcome": "planned"}),
        **dict.fromkeys(task_variables(), []),
    }
    ran = attempts.run(attempts.bare, Run(variables=everything), FORGED, "$UNDEPLOYED")
    assert ran.rc != 0
    assert "required_commit_not_deployed" in {result.code for result in ran.refusals}
    attempts.unchanged(before)
    assert target.job() == UNTOUCHED
    # The positive control.
    attempts.run(attempts.shipped, Run(), FORGED, "$HEAD")
    assert target.job() == DONE
    attempts.put_back(clearance_too=True)


def test_the_clearance_of_one_host_is_none_of_another(attempts, another):
    """A guard that runs once, for the first of two hosts, whose act is the positive control."""
    first, second = attempts, another
    first.put_back(clearance_too=True)
    before = second.target.state()
    act = {**ACT, "incident": "{{ incidents[inventory_hostname] }}", "approve": "{{ plans[inventory_hostname] }}"}
    play = {
        "hosts": "%s,%s" % (first.name, second.name),
        "order": "inventory",
        "vars": {
            "plans": {each.name: each.words["$PLAN"] for each in (first, second)},
            "incidents": {each.name: each.words["$INCIDENT"] for each in (first, second)},
        },
        "tasks": [{**GUARD, "run_once": True}, {COLLECTION + ".job": act}],
    }
    ran = first.run(second.bare, Run([{**BECOME, **play}]), FORGED, "$HEAD")
    acted = {result.host: (result.outcome, result.code) for result in ran.of("job")}
    assert acted == {first.name: ("applied", None), second.name: ("refused", "clearance_missing")}
    second.unchanged(before)
    assert (first.target.job(), second.target.job()) == (DONE, UNTOUCHED)
    first.put_back(clearance_too=True)


def test_head_moves_while_the_beginning_is_recorded(attempts):
    """The record's lock is held by somebody, so that the module waits with its checks behind it; meanwhile HEAD moves."""
    target, token = attempts.target, attempts.token
    before = target.state()
    target.script("systemd-run --quiet --unit=holds-record flock --no-fork $RECORD/audit.jsonl sleep 300")
    target.script("until ! flock --nonblock $RECORD/audit.jsonl true; do :; done")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        trying = pool.submit(attempts.call, {})
        # Who waits to write has the lock of the directory.
        target.script("until ! flock --nonblock $RECORD true; do sleep 0.05; done")
        target.script("as_owner git -C $CHECKOUT checkout --quiet --detach HEAD~1; systemctl stop holds-record")
        tried = trying.result()
    target.script("put_checkout_back")
    after = attempts.unchanged(before)
    assert [(result.outcome, result.code) for result in tried.results] == [("refused", "head_moved")]
    told = [(event["kind"], event["data"].get("outcome")) for event in after.new_events(before)]
    assert told == [("action_begun", None), ("action_finished", "refused")]
    assert target.job() == UNTOUCHED
    assert attempts.token == token
    assert attempts.call({}).results[-1].outcome == "applied"
    attempts.put_back()


def test_a_clearance_ends_by_itself(attempts):
    target = attempts.target
    attempts.put_back(clearance_too=True)
    granted = attempts.ask({"ttl_minutes": 1}).results[-1]
    assert granted.outcome == "applied"
    target.script("for _ in $(seq 90); do systemctl is-active --quiet $HOLDER || exit 0; sleep 1; done; exit 1")
    before = target.state()
    tried = attempts.call({"clearance": granted.token})
    after = attempts.unchanged(before)
    assert [result.code for result in tried.results] == ["clearance_expired"]
    assert [event["kind"] for event in after.new_events(before)] == ["clearance_expired"]
    attempts.put_back(clearance_too=True)
    assert attempts.call({}).results[-1].outcome == "applied"
    attempts.put_back()


def test_what_was_given_back_is_none(attempts):
    target, token = attempts.target, attempts.token
    assert (
        attempts.ask({"required_commit": None, "state": "released", "clearance": token}).results[-1].outcome
        == "applied"
    )
    before = target.state()
    tried = attempts.call({"clearance": token})
    attempts.unchanged(before)
    assert [result.code for result in tried.results] == ["clearance_missing"]
    attempts.put_back(clearance_too=True)
    assert attempts.call({}).results[-1].outcome == "applied"
    attempts.put_back()
