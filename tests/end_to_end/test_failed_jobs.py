# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failed job is tried again: planned, approved, done once, and on record whatever is killed in between.

Rows are read by SQL, files by find and sha256sum, never by our modules.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import Any, Dict, List

import pytest

from . import record
from .asking import Desk
from .changes import COLLECTION, INVENTORY, approvals, play, rows, state, tasks
from .conftest import ROOT

INCIDENT = "2026-11-23-crawl-failed"
REASON = "the tests changed nothing in the repository"
OPENED = {"title": "Crawl failed", "severity": "sev2", "slug": "crawl-failed", "started_at": "2026-11-23T17:50:00Z"}
# Indexed jobs of the host, which no worker picks up as long as it is stopped.
LOCKS = "/srv/healtharchive/ops/locks/jobs"
FAILED, INDEX_FAILED, WAITING, INDEXED, RUNNING = 1, 2, 3, 4, 5
CALL_IT = "sudo sed -i 's/^HEALTHARCHIVE_ENV=.*/HEALTHARCHIVE_ENV=%s/' /etc/healtharchive/backend.env"
STATUSES = {
    FAILED: "failed",
    INDEX_FAILED: "index_failed",
    WAITING: "retryable",
    INDEXED: "indexed",
    RUNNING: "running",
}


def job(job_id: int, **options: Any) -> Any:
    return "job", {"incident": INCIDENT, "job_id": job_id, "state": "retryable", **options}


GRANTED = ("clearance", {"incident": INCIDENT, "no_repo_change_reason": REASON})
RELEASED = ("clearance", {"incident": INCIDENT, "state": "released", "clearance": "{{ result_0.token }}"})


@pytest.fixture
def failed(host):
    """Jobs of every kind, the worker stopped, an incident open; afterwards as before."""
    host.ssh(
        "sudo systemctl stop healtharchive-worker; sudo rm -rf %s /run/healtharchive-remediation" % record.DIRECTORY
    )
    before = rows(host)
    statements = [
        "UPDATE archive_jobs SET status = '%s', crawler_status = 'failed', crawler_exit_code = 1, retry_count = 2 WHERE id = %d"
        % (status, job_id)
        for job_id, status in STATUSES.items()
    ]
    host.sql(";".join(statements))
    options = ["ansible", host.name, "-i", INVENTORY, "-b", "-m", COLLECTION + "incident", "-a", json.dumps(OPENED)]
    subprocess.run(options, cwd=ROOT, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    yield host
    host.ssh("sudo systemctl stop hold-row hold-job", check=False)
    host.sql(";".join(as_before(row) for row in before.values()))
    host.ssh("sudo systemctl start healtharchive-worker; sudo rm -rf %s" % record.DIRECTORY)


def as_before(row: Dict[str, Any]) -> str:
    names = ("status", "crawler_status", "crawler_exit_code", "retry_count", "started_at", "finished_at")
    values = ["%s = %s" % (name, "NULL" if row[name] is None else "'%s'" % row[name]) for name in names]
    return "UPDATE archive_jobs SET %s WHERE id = %d" % (", ".join(values), row["id"])


def differing(before: Dict[int, Dict[str, Any]], after: Dict[int, Dict[str, Any]]) -> Dict[int, Dict[str, Any]]:
    """What is another one in each row, apart from when it was written last."""
    assert before.keys() == after.keys()
    return {
        job_id: {name: row[name] for name in row if row[name] != before[job_id][name] and name != "updated_at"}
        for job_id, row in after.items()
        if row != before[job_id]
    }


def actions(host: Any) -> List[str]:
    return [kind for kind in record.kinds(record.events(host)) if kind.startswith("action")]


def test_from_the_plan_to_the_end(failed, tmp_path):
    host = failed
    before, was = rows(host), state(host)
    said = {"incident": INCIDENT, "job_id": FAILED}
    planned = play(host, "recover_failed_jobs", tmp_path, **said)
    checked = play(
        host,
        "recover_failed_jobs",
        tmp_path,
        "--check",
        "--diff",
        **said,
        approve="0" * 12,
        no_repo_change_reason=REASON,
    )
    assert state(host) == was
    for run in (planned, checked):
        assert run.rc == 0, run.output
        assert "PLANNED, nothing was changed" in run.output
        assert "retry-job --id %d" % FAILED in run.output
    assert '"status": "retryable"' in checked.output
    (plan_id,) = approvals(planned)

    # The world moves: refused, with what differs.
    host.sql("UPDATE archive_jobs SET retry_count = 1 WHERE id = %d" % FAILED)
    moved = rows(host)
    approved = {**said, "approve": plan_id, "no_repo_change_reason": REASON}
    refused = play(host, "recover_failed_jobs", tmp_path, **approved)
    assert refused.rc == 2
    assert "(plan_changed)" in refused.words
    assert "its retry_count was 2, it is 1" in refused.words
    assert approvals(refused) != [plan_id]
    assert rows(host) == moved
    assert actions(host) == []

    host.sql("UPDATE archive_jobs SET retry_count = 2 WHERE id = %d" % FAILED)
    done = play(host, "recover_failed_jobs", tmp_path, **approved)
    assert done.rc == 0, done.output
    assert "Retry of job %d: applied" % FAILED in done.output
    assert differing(before, rows(host)) == {FAILED: {"status": "retryable"}}
    assert actions(host) == ["action_begun", "action_finished"]
    (begun,) = [event for event in record.events(host) if event["kind"] == "action_begun"]
    assert begun["data"]["argv"] == [["/opt/healtharchive/.venv/bin/healtharchive", "retry-job", "--id", str(FAILED)]]
    assert begun["data"]["plan_id"] == plan_id
    assert (
        "unit clearance" not in host.ssh("systemctl list-units 'healtharchive-remediation*' --plain --no-legend").stdout
    )
    # It fails again in the same way: parked, until another commit is deployed.
    host.sql("UPDATE archive_jobs SET status = 'failed' WHERE id = %d" % FAILED)
    parked = play(host, "recover_failed_jobs", tmp_path, **said)
    assert (parked.rc, "(parked)" in parked.words, "contained" in parked.words) == (2, True, True)
    commit = "sudo -u haadmin git -C /opt/healtharchive %s"
    host.ssh(commit % "-c user.name=x -c user.email=x@example.org commit --quiet --allow-empty -m 'a change'")
    (after_a_change,) = tasks(host, tmp_path, job(FAILED))
    host.ssh(commit % "reset --quiet --soft HEAD~1")
    assert after_a_change["outcome"] == "planned"


def test_what_is_refused_changes_nothing(failed, tmp_path):
    host = failed
    path = LOCKS + "/job-%d.lock" % FAILED
    host.ssh("sudo -u haadmin mkdir -p -m 1777 %s && sudo -u haadmin touch %s" % (os.path.dirname(path), path))
    was = state(host)
    hold = "sudo systemd-run --quiet --collect --unit=hold-job --uid=haadmin flock -n %s sleep 60" % path
    host.ssh(hold)
    (locked,) = tasks(host, tmp_path, job(FAILED))
    host.ssh("sudo systemctl stop hold-job", check=False)
    assert locked["code"] == "job_locked"
    results = tasks(
        host,
        tmp_path,
        GRANTED,
        job(FAILED),
        job(FAILED, approve="{{ result_1.plan_id }}"),
        job(FAILED, approve="{{ result_1.plan_id }}", clearance="0" * 64),
        job(FAILED, approve="0" * 12, clearance="{{ result_0.token }}"),
        job(FAILED, approve="yes", clearance="{{ result_0.token }}"),
        job(INDEX_FAILED, approve="{{ result_1.plan_id }}", clearance="{{ result_0.token }}"),
        job(RUNNING),
        job(INDEXED),
        job(4711),
        job(0),
        job(INDEX_FAILED, retry_count=0),
        ("job", {"incident": INCIDENT, "job_id": FAILED}),
        ("job", {"incident": "2026-11-23-another", "job_id": FAILED, "state": "retryable"}),
        job(WAITING),
        job(WAITING, retry_count=0),
        RELEASED,
    )
    # What opens the host is in no log of the host: who reads it later could act in its name.
    token = results[0]["token"]
    journal = host.ssh("sudo journalctl -o cat").stdout
    assert "Invoked to change the host" in journal
    assert token not in journal
    # By a script: sudo logs the words of a command.
    assert (
        host.root("grep -rls %s /var/log /srv/healtharchive/ops /run/healtharchive-remediation || true" % token) == ""
    )
    codes = [each.get("code") for each in results]
    assert codes == [
        *(None, None),
        *("clearance_missing", "clearance_unknown", "plan_changed", "bad_approval", "plan_changed"),
        *(
            "job_running",
            "job_indexed",
            "job_unknown",
            "bad_job_id",
            "job_not_resettable",
            "nothing_wished",
            "incident_unknown",
        ),
        *(None, None, None),
    ]
    assert [results[index]["outcome"] for index in (1, 14, 15)] == ["planned", "nothing_to_do", "planned"]
    for each in results:
        assert each.get("code") is None or (each["failed"], each["changed"], each["outcome"]) == (
            True,
            False,
            "refused",
        )
    assert rows(host) == {row["id"]: row for row in map(json.loads, was.splitlines()[:5])}
    assert actions(host) == []


def test_the_commands_are_not_believed(failed, tmp_path):
    """And a job whose API is down is read from the table."""
    host = failed
    before = rows(host)
    host.ssh("sudo systemctl stop healtharchive-api")
    reset: Any = {"incident": INCIDENT, "job_id": WAITING, "retry_count": 0}
    approved = {**reset, "approve": "{{ result_3.plan_id }}", "clearance": "{{ result_0.token }}"}
    results = tasks(
        host,
        tmp_path,
        GRANTED,
        job(INDEX_FAILED),
        job(INDEX_FAILED, approve="{{ result_1.plan_id }}", clearance="{{ result_0.token }}"),
        ("job", reset),
        *(("job", approved), ("job", approved)),
        job(4711),
        RELEASED,
    )
    host.ssh("sudo systemctl start healtharchive-api")
    assert [each.get("outcome") for each in results[1:7]] == [
        "planned",
        "applied",
        "planned",
        "applied",
        "nothing_to_do",
        "refused",
    ]
    # Which jobs have no source, or are indexed, the table does not say: that is no proof that there is none.
    assert results[6]["code"] == "job_unreadable"
    assert "The admin API does not answer" in " ".join(results[1]["plan"]["remarks"])
    assert "index it with recover_indexing" in results[1]["plan"]["expected_impact"]
    assert differing(before, rows(host)) == {INDEX_FAILED: {"status": "completed"}, WAITING: {"retry_count": 0}}
    assert actions(host) == ["action_begun", "action_finished"] * 2


def test_nobody_approves_by_itself_what_a_production_host_plans(failed, tmp_path):
    """Law 2. What counts is the host's own environment file: the same words to the same host, once it says production."""
    host = failed
    said = {"incident": INCIDENT, "job_id": FAILED, "no_repo_change_reason": REASON, "remediation_auto_approve": True}
    before = rows(host)
    try:
        host.ssh(CALL_IT % "production")
        refused = play(host, "recover_failed_jobs", tmp_path, **said)
    finally:
        host.ssh(CALL_IT % "staging")
    assert (refused.rc, "(production)" in refused.words) == (2, True), refused.output
    assert rows(host) == before
    assert actions(host) == []

    done = play(host, "recover_failed_jobs", tmp_path, **said)
    assert done.rc == 0, done.output
    assert differing(before, rows(host)) == {FAILED: {"status": "retryable"}}
    (begun,) = [event for event in record.events(host) if event["kind"] == "action_begun"]
    assert begun["data"]["approval"] == "automatic"


def test_what_was_done_again_and_again_needs_a_reason(failed):
    """Law 11, counted from the host's record."""
    host = failed
    desk = Desk(host, INCIDENT)
    token = desk.granted(no_repo_change_reason=REASON)["token"]
    wish = {"job_id": WAITING, "retry_count": 0}

    def once_more(**said: Any) -> Dict[str, Any]:
        host.sql("UPDATE archive_jobs SET retry_count = 2 WHERE id = %d" % WAITING)
        plan_id = desk.change("job", "Job", **wish)["plan_id"]
        return desk.change("job", "Job", **wish, approve=plan_id, clearance=token, **said)

    assert [once_more()["outcome"] for _time in range(3)] == ["applied"] * 3
    refused = once_more()
    assert (refused["outcome"], refused["code"]) == ("refused", "budget_spent")
    assert "budget_override_reason" in refused["next_step"]
    for nothing in ("", "..."):
        assert once_more(budget_override_reason=nothing)["code"] == "bad_override"
    assert rows(host)[WAITING]["retry_count"] == 2
    assert actions(host) == ["action_begun", "action_finished"] * 3

    assert once_more(budget_override_reason="The disk was changed")["outcome"] == "applied"
    assert rows(host)[WAITING]["retry_count"] == 0
    reasons = [event["data"]["override_reason"] for event in record.events(host) if event["kind"] == "action_begun"]
    assert reasons == [None, None, None, "The disk was changed"]
    desk.released(token)
    desk.close()


# What sudo does to what it started, with a terminal, when that is gone.
CALLER_IS_GONE = "kill -KILL -- -$(ps -o pgid= -p $(pgrep -of BECOME-SUCCES[S]) | tr -d ' ')"
# Module and command alike: whoever has the turn to act open.
KILL_WHO_ACTS = """
for open in /proc/[0-9]*/fd/*; do
    if [ "$(readlink "$open" || true)" = /run/healtharchive-remediation/acting.lock ]; then
        echo "$open" | cut -d / -f 3
    fi
done | sort -u | xargs --verbose kill -KILL
"""


def test_cut_off_in_the_middle(failed, tmp_path):
    """The act waits for a lock on its row. The link is cut: it goes on to its end. The module is killed: the next run says so."""
    host = failed
    granted, planned, other = tasks(host, tmp_path, GRANTED, job(FAILED), job(INDEX_FAILED))
    options = json.dumps({**job(FAILED)[1], "approve": planned["plan_id"], "clearance": granted["token"]})
    argv = ["ansible", host.name, "-i", INVENTORY, "-b", "-m", COLLECTION + "job", "-a", options]

    def begin() -> subprocess.Popen:
        # A session that is ended takes its lock with it at once, as long as it waits for a command.
        session = (
            "(echo 'begin; select 1 from archive_jobs where id = %d for update;'; sleep 60) | psql -d healtharchive"
            % FAILED
        )
        host.ssh('sudo systemd-run --quiet --collect --unit=hold-row --uid=postgres sh -c "%s"' % session)
        running = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)  # fmt: skip
        wait_until(lambda: "retry-job" in host.ssh("pgrep -af 'healtharchive retry-jo[b]' || true").stdout)
        return running

    running = begin()
    (busy,) = tasks(host, tmp_path, job(INDEX_FAILED, approve=other["plan_id"], clearance=granted["token"]))
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    host.root(CALLER_IS_GONE)
    assert (busy["code"], rows(host)[FAILED]["status"]) == ("busy", "failed")
    host.ssh("sudo systemctl stop hold-row")
    wait_until(lambda: actions(host) == ["action_begun", "action_finished"])
    assert rows(host)[FAILED]["status"] == "retryable"
    assert record.events(host)[-1]["data"]["outcome"] == "applied"

    host.sql("UPDATE archive_jobs SET status = 'failed', crawler_exit_code = 7 WHERE id = %d" % FAILED)
    (planned,) = tasks(host, tmp_path, job(FAILED))
    options = json.dumps({**job(FAILED)[1], "approve": planned["plan_id"], "clearance": granted["token"]})
    argv[-1] = options
    running = begin()
    host.root(KILL_WHO_ACTS)
    running.wait()
    host.ssh("sudo systemctl stop hold-row")
    assert actions(host)[2:] == ["action_begun"]
    assert rows(host)[FAILED]["status"] == "failed"
    released = {"incident": INCIDENT, "state": "released", "clearance": granted["token"]}
    approved = job(FAILED, approve=planned["plan_id"], clearance=granted["token"])
    seen, done, ended = tasks(host, tmp_path, job(FAILED), approved, ("clearance", released))
    assert [each["action"] for each in seen["unfinished_actions"]] == ["job_retry"]
    assert [(each["outcome"], each["action"]) for each in done["settled"]] == [("failed", "job_retry")]
    assert (done["outcome"], rows(host)[FAILED]["status"]) == ("applied", "retryable")
    assert ended["outcome"] == "applied"


def wait_until(true: Any) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)
