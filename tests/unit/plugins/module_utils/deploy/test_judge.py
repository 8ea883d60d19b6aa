# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a deploy: said to be done only where everything was seen to be so, and never more than was seen."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy import decide, judge
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy.facts import Process, Seen
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy.judge import Begun, Ended
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import deploy

TRANSCRIPTS = Path(__file__).parents[3] / "transcripts"
BEFORE = "837e455ffe20210c8d34929e94846e0026695b91"
PREVIOUS = "c" * 40
REF = "0707e0e7ef47681e3ae870ce6d2f913f2a97f227"
RUNS, OLD, DEAD = Process(True, "active", True), Process(True, "active", False), Process(True, "failed", True)
GOOD = Seen(
    head=REF, git_problem=None, dirty=(), on_main=True, dependencies_met=True, missing=(), database_reachable=True,
    database_problem=None, schema=("0015",), schema_heads=("0015",), api=RUNS, worker=RUNS,
)  # fmt: skip
BEGUN = Begun(REF, BEFORE, decide.RESTARTED, False, True)
OK = Ended(judge.OK, 0)


def report(name: str) -> deploy.Report:
    return deploy.report((TRANSCRIPTS / ("deploy-%s.txt" % name)).read_bytes(), True)


def ref_of(found: deploy.Report) -> str:
    return found.steps[1].command.rpartition(" ")[2]


APPLIED = report("applied")


def judged(
    ended: Ended = OK, found: Optional[deploy.Report] = APPLIED, seen: Seen = GOOD, begun: Begun = BEGUN
) -> judge.Verdict:
    return judge.judge(begun, ended, found, seen)


def test_one_that_went_through():
    verdict = judged()
    assert (verdict.outcome, verdict.changed, verdict.code, verdict.back) == ("applied", True, None, None)
    assert verdict.detail == "Commit %s is deployed and live." % REF
    assert verdict.told == {
        "deployed": "the checkout is at the commit; its declared packages are installed; the schema is at 0015",
        "live": "the API; the worker",
        "public": "the public check passes (39 checks)",
    }


@pytest.mark.parametrize(
    ("name", "code", "exit_code", "step", "said"),
    [
        ("missing-dependency", "dependencies_not_installed", 1, "dependencies", "No matching distribution found for ha-nowhere"),
        ("failing-migration", "migration_failed", 1, "migrations", "UndefinedColumn"),
        ("no-postgresql", "migration_failed", 1, "migrations", "connection failed"),
        ("unknown-revision", "migration_failed", 255, "migrations", "Can't locate revision identified by '0015_example'"),
        ("silent-api", "unit_not_active", 3, "unit states", "auto-restart"),
        ("unknown-ref", "checkout_failed", 128, "checkout", "reference is not a tree"),
        ("no-search", "public_check_failed", 1, "public surface", "1 checks fail: api search"),
    ],
)  # fmt: skip
def test_a_failure_says_the_step_the_state_and_the_way_back(name, code, exit_code, step, said):
    found = report(name)
    begun = BEGUN._replace(ref=ref_of(found), head=PREVIOUS)
    seen = GOOD._replace(head=begun.ref, api=DEAD if name == "silent-api" else OLD)
    verdict = judged(Ended(judge.CODE, exit_code), found, seen, begun)
    assert (verdict.outcome, verdict.changed, verdict.code, verdict.step) == ("failed", True, code, step)
    assert said in verdict.detail
    assert "exit code %d" % exit_code in verdict.detail
    assert verdict.back == {"deploy_ref": PREVIOUS}
    assert PREVIOUS in (verdict.next_step or "")
    assert ("the API is failed" if name == "silent-api" else "the API was started before") in verdict.told["not yet"]
    assert ("had been deployed" in verdict.detail) is (name == "no-search")


@pytest.mark.parametrize(("name", "code"), [("locked", "deploy_running"), ("dirty", "tree_dirty")])
def test_a_refusal_of_the_script_is_a_refusal(name, code):
    verdict = judged(Ended(judge.CODE, 2), report(name), GOOD._replace(head=BEFORE, api=RUNS))
    assert (verdict.outcome, verdict.changed, verdict.code, verdict.back) == ("refused", False, code, None)


def test_a_fetch_that_failed_changed_nothing():
    found = deploy.report(b"Mode:        APPLY\n+ git fetch --prune origin\nfatal: unable to access\n", True)
    verdict = judged(Ended(judge.CODE, 128), found, GOOD._replace(head=BEFORE))
    assert (verdict.outcome, verdict.changed, verdict.code, verdict.back) == ("failed", False, "fetch_failed", None)


@pytest.mark.parametrize(
    ("ended", "code", "said"),
    [
        (Ended(judge.TIMEOUT), "deploy_timed_out", "its time was over"),
        (Ended(judge.KILLED), "deploy_killed", "killed in the step 'migrations'"),
        (Ended(judge.LOST), "outcome_lost", "taken away while it ran, in the step 'migrations'"),
    ],
)
def test_one_that_was_ended_from_outside(ended, code, said):
    found = report("failing-migration")
    verdict = judged(ended, found, GOOD._replace(head=ref_of(found), api=OLD), BEGUN._replace(ref=ref_of(found)))
    assert (verdict.outcome, verdict.code) == ("unknown" if ended.how == judge.LOST else "failed", code)
    assert said in verdict.detail
    assert verdict.back == {"deploy_ref": BEFORE}


def test_after_a_boot_only_what_is_seen_is_said():
    whole = judged(Ended(judge.LOST), None)
    assert (whole.outcome, whole.changed, whole.code) == ("unknown", True, "outcome_lost")
    assert "What is seen is as it should be" in whole.detail
    assert "public" not in whole.told
    cut = judged(Ended(judge.LOST), None, GOOD._replace(head=BEFORE))
    assert (cut.outcome, cut.changed) == ("unknown", None)
    assert cut.told["not yet"].startswith("the checkout is still at " + BEFORE)


def test_one_that_was_never_started():
    verdict = judged(Ended(judge.NEVER), None, GOOD._replace(head=BEFORE))
    assert (verdict.outcome, verdict.changed, verdict.code, verdict.back) == (
        "failed",
        False,
        "deploy_not_started",
        None,
    )


def test_a_unit_that_was_taken_away_after_its_end_is_believed_by_its_last_line():
    assert judged(Ended(judge.LOST)).outcome == "applied"
    assert judged(Ended(judge.LOST), report("dry-run")).outcome == "unknown"


@pytest.mark.parametrize("name", ["dry-run", "skip-worker", "locked", "failing-migration"])
def test_an_exit_code_alone_is_no_deploy(name):
    """Of another commit, of a dry run, cut short: whatever is seen, nobody said that this commit was deployed."""
    verdict = judged(OK, report(name))
    assert (verdict.outcome, verdict.code) == ("unknown", "report_unexpected")


def test_a_worker_that_was_left_is_told_and_is_no_failure():
    left = judged(begun=BEGUN._replace(worker=decide.LEFT), seen=GOOD._replace(worker=OLD))
    assert (left.outcome, left.detail) == ("applied", "Commit %s is deployed." % REF)
    assert left.told["live"] == "the API"
    assert "the worker runs code from before" in left.told["not yet"]
    stopped = judged(
        begun=BEGUN._replace(worker=decide.STOPPED), seen=GOOD._replace(worker=Process(True, "inactive", True))
    )
    assert stopped.outcome == "applied"
    assert stopped.told["not yet"] == "the worker does not run, as before (inactive)"
    # One that should have been restarted and was not is one.
    assert judged(seen=GOOD._replace(worker=OLD)).code == "not_as_reported"
    assert judged(seen=GOOD._replace(worker=DEAD)).outcome == "failed"


def test_the_restart_after_the_script():
    begun = BEGUN._replace(worker=decide.RESTARTED_AFTER)
    output = (TRANSCRIPTS / "deploy-applied.txt").read_bytes()
    left = deploy.report(output + b"healtharchive.remediation: worker left as it runs: job 13 began meanwhile\n", True)
    verdict = judged(OK, left, GOOD._replace(worker=OLD), begun)
    assert verdict.outcome == "applied"
    assert "job 13 began meanwhile" in verdict.told["worker"]
    # What nothing was said of was not left alone for a reason.
    assert judged(OK, APPLIED, GOOD._replace(worker=OLD), begun).code == "not_as_reported"
    assert judged(OK, APPLIED, GOOD, begun).outcome == "applied"
    failed = judged(Ended(judge.OK, 0, worker_restart_failed=True), APPLIED, GOOD._replace(worker=DEAD), begun)
    assert (failed.outcome, failed.code) == ("failed", "worker_restart_failed")


def test_a_schema_that_was_kept_is_as_it_should_be():
    begun = BEGUN._replace(keeps_schema=True)
    verdict = judged(begun=begun, seen=GOOD._replace(schema=("0016",), schema_heads=("0015",)))
    assert verdict.outcome == "applied"
    assert "the schema stays at 0016" in verdict.told["deployed"]
    assert judged(seen=GOOD._replace(schema=("0016",), schema_heads=("0015",))).outcome == "failed"
    assert judged(begun=begun, seen=GOOD._replace(schema=None)).outcome == "unknown"


def test_there_is_no_way_back_to_what_cannot_be_deployed():
    found = report("silent-api")
    begun = Begun(ref_of(found), BEFORE, decide.RESTARTED, False, False)
    verdict = judged(Ended(judge.CODE, 3), found, GOOD._replace(head=begun.ref, api=DEAD), begun)
    assert verdict.back is None
    assert "not on origin/main" in (verdict.next_step or "")
    same = judged(Ended(judge.CODE, 3), found, GOOD._replace(head=begun.ref, api=DEAD), begun._replace(head=begun.ref))
    assert same.back is None


SEEN = {
    "head": (REF, BEFORE, None),
    "dirty": ((), (" M x",), None),
    "dependencies_met": (True, False, None),
    "schema": (("0015",), ("0014",), None),
    "api": (RUNS, OLD, DEAD, Process(True, "active", None), None),
    "worker": (RUNS, OLD, DEAD, Process(True, "active", None), Process(True, "inactive", True), None),
}
ENDS = (
    OK, Ended(judge.CODE, 1), Ended(judge.TIMEOUT), Ended(judge.KILLED), Ended(judge.LOST), Ended(judge.NEVER),
    Ended(judge.OK, 0, True),
)  # fmt: skip
REPORTS = (APPLIED, report("failing-migration"), report("locked"), report("dry-run"), report("no-search"), None)
WORKERS = (decide.RESTARTED, decide.RESTARTED_AFTER, decide.LEFT, decide.STOPPED, None)


def _checked(ended: Ended, found: Optional[deploy.Report], seen: Seen, begun: Begun) -> Any:
    verdict = judge.judge(begun, ended, found, seen)
    good = (
        seen.head == REF and seen.dirty == () and seen.dependencies_met is True and seen.schema == ("0015",) and seen.api == RUNS
        and (begun.worker not in (decide.RESTARTED, decide.RESTARTED_AFTER) or seen.worker == RUNS)
    )  # fmt: skip
    if verdict.outcome == "applied":
        assert good
        assert found is not None
        assert found.complete
        assert ended.how in (judge.OK, judge.LOST)
    if ended == OK and found is APPLIED:
        assert (verdict.outcome == "applied") is good
    if verdict.changed is False:
        # Whoever moved it to the commit, the refused one did not.
        assert seen.head in (BEFORE, None) or ended.how == judge.NEVER or verdict.outcome == "refused"
    if seen.head == REF:
        assert verdict.changed is True or verdict.outcome == "refused"
    # Nothing is called live or deployed that was not seen to be.
    assert ("the API" in verdict.told.get("live", "")) is (seen.api == RUNS)
    assert ("the worker" in verdict.told.get("live", "")) is (seen.worker == RUNS)
    assert ("at the commit" in verdict.told.get("deployed", "")) is (seen.head == REF)
    assert verdict.detail.isprintable()
    assert len(verdict.detail) < 390
    return verdict.outcome


def test_every_combination_of_an_end_a_report_and_what_is_seen():
    outcomes = set()
    for values in itertools.product(*SEEN.values()):
        seen = GOOD._replace(**dict(zip(SEEN, values)))
        for worker in WORKERS:
            outcomes.add(_checked(OK, APPLIED, seen, BEGUN._replace(worker=worker)))
        outcomes.add(_checked(Ended(judge.CODE, 1), REPORTS[1], seen, BEGUN))
        outcomes.add(_checked(Ended(judge.LOST), None, seen, BEGUN))
    for ended, found in itertools.product(ENDS, REPORTS):
        for head, api in itertools.product(SEEN["head"], SEEN["api"]):
            outcomes.add(_checked(ended, found, GOOD._replace(head=head, api=api), BEGUN))
    assert outcomes == {"applied", "failed", "unknown", "refused"}
