# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a commit is deployed, and what then is done, for every combination of what a host can show."""

from __future__ import annotations

import itertools
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy import decide
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy import facts as of
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy.facts import (
    Commit,
    Crawl,
    Facts,
    Process,
    Seen,
    Wish,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan, plan_id
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal

HEAD, REF = "a" * 40, "b" * 40
WHERE = settings.Settings(**{name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()})
RUNS = Process(True, "active", True)
SEEN = Seen(
    head=HEAD,
    git_problem=None,
    dirty=(),
    on_main=True,
    dependencies_met=True,
    missing=(),
    database_reachable=True,
    database_problem=None,
    schema=("0014",),
    schema_heads=("0014",),
    api=RUNS,
    worker=RUNS,
)
COMMIT = Commit(
    known=True, on_main=True, problem=None, origin_main=REF, subject="Mend the search", newer=1, older=0,
    subjects=("bbbbbbbbbbbb Mend the search",), revisions=("0013", "0014", "0015"), new_revisions=("0015",),
)  # fmt: skip
FACTS = Facts(
    seen=SEEN,
    commit=COMMIT,
    checkout="/opt/healtharchive",
    checkout_owner="haadmin",
    service_user="haadmin",
    script_there=True,
    env_file="/etc/healtharchive/backend.env",
    env_readable=True,
    env_problem=None,
    sudo=True,
    sudo_problem=None,
    lock_file="/tmp/healtharchive-deploy.lock",
    lock=of.FREE,
    lock_owner="haadmin",
    lock_holders=(),
    deploys=(),
    clearance=None,
    crawls=(),
    crawls_problem=None,
    webhook_there=False,
)
CRAWL = Crawl(12, "hc-20261123", "hc", "running", "held")
OTHER = Crawl(13, "x", None, "running", "held")


def seen(**other: Any) -> Dict[str, Any]:
    return {"seen": other}


def commit(**other: Any) -> Dict[str, Any]:
    return {"commit": other}


def facts(*others: Dict[str, Any]) -> Facts:
    found = FACTS
    for other in others:
        own = {name: value for name, value in other.items() if name not in ("seen", "commit")}
        found = found._replace(
            seen=found.seen._replace(**other.get("seen", {})),
            commit=found.commit._replace(**other.get("commit", {})),
            **own,
        )
    return found


# In the order in which they are looked at: every state of each fact, and the code of the refusal that it brings.
STATES: List[List[Tuple[Dict[str, Any], Any]]] = [
    [({}, None), ({"checkout_owner": "root"}, "checkout_foreign")],
    [({}, None), (seen(head=None, git_problem="git status ended with 128"), "git_unreadable")],
    [({}, None), ({"script_there": False}, "script_missing")],
    [
        ({}, None),
        ({"env_readable": False}, "env_file_unreadable"),
        ({"env_readable": None}, "env_file_unreadable"),
        ({"env_problem": "It sets a SQLite database."}, "database_unfit"),
    ],
    [
        ({}, None),
        (seen(database_reachable=None, database_problem="no module psycopg", schema=None), None),
        (seen(database_reachable=False, schema=None), "database_unreachable"),
    ],
    [({}, None), (seen(worker=None), "systemd_unreadable")],
    [
        ({}, None),
        (commit(known=None, problem="git fetch of origin/main: no route"), "origin_unreachable"),
        (commit(known=False, on_main=None, subject=None), "ref_unknown"),
        (commit(on_main=False), "ref_not_on_main"),
        (commit(on_main=None), "ref_not_on_main"),
        (commit(replaced=True), "commits_replaced"),
        (commit(replaced=None), "commits_replaced"),
    ],
    [({}, None), (seen(dirty=(" M README.md", "?? x")), "tree_dirty")],
    [
        ({}, None),
        ({"lock": of.FOREIGN, "lock_owner": "root"}, "deploy_lock_foreign"),
        ({"lock": of.HELD, "clearance": "ann on laptop until 2026-11-23T18:00:00Z"}, "clearance_held"),
        ({"lock": of.HELD, "lock_holders": ("bash (process 7 of haadmin)",)}, "deploy_running"),
        ({"lock": of.HELD}, "deploy_running"),
        ({"deploys": ("vps-hetzdeploy.sh (process 7 of haadmin)",)}, "deploy_running"),
        ({"lock": of.UNKNOWN}, "deploy_lock_unknown"),
    ],
    [({}, None), ({"sudo": False, "sudo_problem": "a password is required"}, "sudo_refused"), ({"sudo": None}, "sudo_refused")],
]  # fmt: skip


def refusal(found: Facts, wanted: Optional[Wish] = None) -> Any:
    """The code of the refusal; None for a plan."""
    told: Optional[Refusal] = None
    try:
        decide.decide(found, wanted or Wish(REF), WHERE)
    except Refusal as error:
        told = error
    if told is None:
        return None
    assert told.next_step
    assert "\n" not in str(told)
    return told.code


def test_every_combination_of_what_stands_against_a_deploy():
    """The first in the order is what is told, and nothing but all of them in order gives a plan."""
    combinations = 0
    for chosen in itertools.product(*STATES):
        expected = next((code for _other, code in chosen if code is not None), None)
        assert refusal(facts(*(other for other, _code in chosen))) == expected
        combinations += 1
    assert combinations > 30000


def test_what_nobody_owns_is_not_the_service_users():
    assert refusal(facts({"checkout_owner": None})) == "checkout_foreign"


def test_a_tree_of_which_git_says_nothing_is_not_clean():
    assert refusal(facts(seen(dirty=None))) == "git_unreadable"


def test_each_refusal_names_what_was_found():
    found = {}
    for states in STATES:
        for other, code in states:
            if code is not None:
                with pytest.raises(Refusal) as caught:
                    decide.decide(facts(other), Wish(REF), WHERE)
                found.setdefault(code, str(caught.value))
    assert "README.md, ?? x" in found["tree_dirty"]
    assert "root" in found["deploy_lock_foreign"]
    assert "ann on laptop until" in found["clearance_held"]
    assert "process 7 of haadmin" in found["deploy_running"]
    assert "Mend the search" in found["ref_not_on_main"]
    assert "a password is required" in found["sudo_refused"]
    assert len(found) == 17


@pytest.mark.parametrize(
    ("process", "crawls", "accepted", "expected"),
    [
        (RUNS, (), (), decide.RESTARTED),
        (RUNS, (), (12,), decide.RESTARTED),
        (RUNS, (CRAWL,), (), decide.LEFT),
        (RUNS, (CRAWL,), (13,), decide.LEFT),
        (RUNS, (CRAWL, OTHER), (12,), decide.LEFT),
        (RUNS, (CRAWL,), (12,), decide.RESTARTED_AFTER),
        (RUNS, (CRAWL, OTHER), (12, 13, 14), decide.RESTARTED_AFTER),
        (RUNS, None, (), decide.LEFT),
        (RUNS, None, (12,), decide.LEFT),
        (Process(True, "failed", True), (), (), decide.RESTARTED),
        (Process(True, "failed", True), (CRAWL,), (), decide.LEFT),
        (Process(True, "restarting", None), (), (), decide.RESTARTED),
        (Process(True, "inactive", True), (), (), decide.STOPPED),
        (Process(True, "inactive", True), (CRAWL,), (12,), decide.STOPPED),
        (Process(False, "inactive", True), (), (), decide.STOPPED),
    ],
)
def test_the_worker(process, crawls, accepted, expected):
    found = facts(seen(worker=process), {"crawls": crawls})
    wanted = Wish(REF, accepted)
    assert decide.worker_of(found, wanted) == expected
    plan = decide.decide(found, wanted, WHERE)
    assert isinstance(plan, Plan)
    first = plan.commands[0]
    assert "--force-worker-restart" not in first
    assert ("--skip-worker-restart" in first) is (expected != decide.RESTARTED)
    assert len(plan.commands) == (2 if expected == decide.RESTARTED_AFTER else 1)
    assert any(word.startswith("--property=ExecStartPost=/") for word in first) is (expected == decide.RESTARTED_AFTER)
    named = "unit healtharchive-worker.service"
    assert (named in plan.subjects) is (expected in (decide.RESTARTED, decide.RESTARTED_AFTER))
    assert (named in plan.left_out) is (named not in plan.subjects)
    told = " ".join((plan.expected_impact, *plan.remarks))
    for crawl in crawls or ():
        # Law 12: who restarts the worker, or leaves it for that reason, names the jobs.
        assert ("job %d" % crawl.job in told.lower()) is (expected in (decide.LEFT, decide.RESTARTED_AFTER))


def test_a_crawl_that_ends_meanwhile_makes_no_other_plan_of_a_worker_that_is_left_alone():
    plans = [decide.decide(facts({"crawls": crawls}), Wish(REF), WHERE) for crawls in ((CRAWL,), (CRAWL, OTHER))]
    assert len({plan_id(plan, "m", "i", HEAD) for plan in plans}) == 1
    others = [
        decide.decide(facts({"crawls": crawls}), Wish(REF, (12, 13)), WHERE)
        for crawls in ((), (CRAWL,), (CRAWL, OTHER))
    ]
    assert len({plan_id(plan, "m", "i", HEAD) for plan in others}) == 3


HERE = (seen(head=REF), commit(newer=0, new_revisions=()))
IN_ORDER: Dict[str, List[Tuple[Dict[str, Any], bool]]] = {
    "dependencies": [
        ({}, True),
        (seen(dependencies_met=False, missing=("slowapi",)), False),
        (seen(dependencies_met=None), False),
    ],
    "schema": [
        ({}, True),
        (seen(schema=("0013",)), False),
        (seen(schema=None), False),
        (seen(schema_heads=None), False),
        # Newer than the commit, after a way back: it stays.
        (seen(schema=("0016",)), True),
    ],
    "API": [
        ({}, True),
        (seen(api=Process(True, "active", False)), False),
        (seen(api=Process(True, "active", None)), False),
        (seen(api=Process(True, "failed", True)), False),
        (seen(api=Process(True, "inactive", True)), False),
    ],
    "worker": [
        ({}, True),
        (seen(worker=Process(True, "active", False)), False),
        (seen(worker=Process(True, "failed", True)), False),
        (seen(worker=Process(True, "inactive", True)), True),
        # It runs code from before, and a deploy would leave it alone.
        ({**seen(worker=Process(True, "active", False)), "crawls": (CRAWL,)}, True),
    ],
}  # fmt: skip


def test_every_combination_of_what_makes_a_deploy_superfluous():
    for chosen in itertools.product(*IN_ORDER.values()):
        found = decide.decide(facts(*HERE, *(other for other, _good in chosen)), Wish(REF), WHERE)
        assert isinstance(found, NothingToDo) is all(good for _other, good in chosen)
        if isinstance(found, Plan):
            assert found.before["commit " + REF] == {"deployed": True}
    # Another commit is always something to do, and so is what only a deploy installs.
    assert isinstance(decide.decide(FACTS, Wish(REF), WHERE), Plan)
    assert isinstance(decide.decide(facts(*HERE), Wish(REF, restart_replay=True), WHERE), Plan)


def test_the_way_back_over_a_migration_leaves_the_schema():
    back = facts(
        seen(schema=("0015",), schema_heads=("0015",)),
        commit(revisions=("0013", "0014"), new_revisions=(), newer=0, older=1),
    )
    plan = decide.decide(back, Wish(REF), WHERE)
    assert isinstance(plan, Plan)
    assert "--skip-migrations" in plan.commands[0]
    assert plan.before["schema"] == plan.after["schema"] == {"revision": "0015"}
    assert "0015" in " ".join(plan.remarks)
    forth = decide.decide(FACTS, Wish(REF), WHERE)
    assert isinstance(forth, Plan)
    assert "--skip-migrations" not in forth.commands[0]
    assert "0015" in forth.expected_impact
    # What is not known is no reason to leave migrations out.
    for unknown in (commit(revisions=None), seen(schema=None)):
        plan = decide.decide(facts(unknown), Wish(REF), WHERE)
        assert isinstance(plan, Plan)
        assert "--skip-migrations" not in plan.commands[0]


def test_the_way_back_is_named_where_there_is_one():
    def rollback(*others: Dict[str, Any]) -> str:
        plan = decide.decide(facts(*others), Wish(REF), WHERE)
        assert isinstance(plan, Plan)
        return plan.rollback

    assert "deploy_ref=" + HEAD in rollback()
    assert "not on origin/main" in rollback(seen(on_main=False))
    assert "not on origin/main" in rollback(seen(on_main=None))
    assert rollback(seen(head=REF, api=Process(True, "failed", True))).startswith("None")


def test_the_command_is_exactly_that():
    plan = decide.decide(FACTS, Wish(REF, timeout=600, restart_replay=True, skip_public_check=True), WHERE)
    assert isinstance(plan, Plan)
    assert plan.commands == (
        (
            *("/usr/bin/systemd-run", "--quiet", "--no-block", "--no-ask-password"),
            *("--unit=healtharchive-remediation-deploy.service", "--description=Deploy of " + REF, "--uid=haadmin"),
            *("--service-type=oneshot", "--remain-after-exit", "--property=TimeoutStartSec=600"),
            "--property=StandardOutput=append:/run/healtharchive-remediation/deploy.log",
            "--property=StandardError=append:/run/healtharchive-remediation/deploy.log",
            *("--setenv=LC_ALL=C.UTF-8", "--setenv=NO_COLOR=1", "--setenv=GIT_TERMINAL_PROMPT=0"),
            *(
                "/bin/bash",
                "/opt/healtharchive/scripts/vps-deploy.sh",
                "--apply",
                "--baseline-mode",
                "live",
                "--ref",
                REF,
            ),
            *("--repo-dir", "/opt/healtharchive", "--env-file", "/etc/healtharchive/backend.env"),
            *("--lock-file", "/tmp/healtharchive-deploy.lock", "--health-url", "http://127.0.0.1:8001/api/health"),
            *("--skip-public-surface-verify", "--restart-replay"),
        ),
    )


def test_alert_rules_need_their_file():
    assert refusal(FACTS, Wish(REF, apply_alerting=True)) == "webhook_missing"
    assert refusal(facts({"webhook_there": True}), Wish(REF, apply_alerting=True)) is None


GIVEN = {
    "deploy_ref": REF, "accept_interruption_of": [], "timeout": 3600, "install_units": False, "apply_alerting": False,
    "restart_replay": False, "skip_public_check": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "code"),
    [
        *(
            ({"deploy_ref": ref}, "bad_ref")
            for ref in ("", "main", "origin/main", REF[:39], REF + "0", REF.upper(), "HEAD", "v1.0", REF + "\n", " " + REF[1:])
        ),
        *(({"accept_interruption_of": jobs}, "bad_option") for jobs in ([0], [-1], [12, 12])),
        *(({"timeout": seconds}, "bad_option") for seconds in (0, 59, 21601, -1)),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_anything_is_looked_at(other, code):
    with pytest.raises(Refusal) as caught:
        decide.wish({**GIVEN, **other})
    assert caught.value.code == code
    assert str(caught.value).isprintable()


def test_what_can_be_meant_is_taken():
    assert decide.wish({**GIVEN, "accept_interruption_of": [13, 12], "timeout": 60}) == Wish(REF, (12, 13), 60)


@pytest.mark.parametrize(
    ("crawl", "words"),
    [
        (CRAWL, "job 12 (hc-20261123)"),
        (OTHER, "job 13 (x, without a source)"),
        (Crawl(1, "", "hc", "running", "free"), "job 1 (without a name): its row says running, and nobody holds its lock"),
        (Crawl(1, "x", "hc", "retryable", "held"), "job 1 (x): its row says retryable, and its lock is held"),
        (Crawl(1, "", None, None, "held"), "job 1 (without a name, without a source): its row says nothing, and its lock is "
                                           "held"),
    ],
)  # fmt: skip
def test_a_crawl_in_words(crawl, words):
    assert crawl.words() == words
