# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that are stuck, and the worker that runs them: recovered on a real host, and looked at with SQL, systemctl and files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import Any, Dict, Iterator, List, Optional

import pytest

from . import record
from .asking import Desk
from .changes import COLLECTION, INVENTORY, approvals, play, rows, state
from .conftest import ROOT
from .test_record import incident

REASON = "the tests changed nothing in the repository"
WORKER = "healtharchive-worker.service"
SWITCH = "healtharchive-remediation-worker-resume.timer"
LOCKS = "/srv/healtharchive/ops/locks/jobs"
HELPERS = (ROOT / "tests" / "sandbox" / "guest" / "helpers.sh").read_text()
ENV_FILE = "/etc/healtharchive/backend.env"
CLI = "/opt/healtharchive/.venv/bin/healtharchive"
HOLD = (
    "systemd-run --quiet --collect --unit=hold-{0} --uid=haadmin flock %s/job-{0}.lock sleep infinity\n"
    "wait_until 10 sh -c '! flock -n %s/job-{0}.lock true'"
) % (LOCKS, LOCKS)
# psql is gone when its unit is stopped; what it asked for is not.
UNLOCK = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
)
# Of ids that no other test uses.
FIRST, LAST = 800, 899


class Stage:
    """A host whose worker is stopped, an open incident, a clearance; jobs are put on it as rows."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.incident = incident(host, title="Stuck", severity="sev2")["incident"]["id"]
        self.desk = Desk(host, self.incident)
        host.root("cat >/run/helpers.sh <<'END OF HELPERS'\n%s\nEND OF HELPERS\n" % HELPERS)
        self.token = ""
        self.grant()

    def grant(self) -> None:
        self.token = self.desk.granted(no_repo_change_reason=REASON, ttl_minutes=60)["token"]

    def run(self, script: str) -> str:
        """A script as root, with the functions that the faults are written in."""
        return self.desk.run("source /run/helpers.sh\n" + script)

    def job(self, job: int, source: Optional[str] = "hc", hours: Optional[float] = 5, name: str = "stuck") -> None:
        """A row that says running and nothing runs; its directory was never made, so its log tells nothing."""
        of = "NULL" if source is None else "(SELECT id FROM sources WHERE code = '%s')" % source
        started = "NULL" if hours is None else "now() - interval '%g hours'" % hours
        self.run(
            'sql "INSERT INTO archive_jobs (id, source_id, name, output_dir, status, retry_count, config, queued_at, started_at, '
            "created_at, updated_at) SELECT %d, %s, '%s', '/srv/healtharchive/jobs/stuck/%d', 'running', 1, config, now(), %s, "
            'now(), now() FROM archive_jobs WHERE id = 3"' % (job, of, name, job, started)
        )

    def hold(self, job: int) -> None:
        """Hold the job's lock, as something that runs it would."""
        self.run(HOLD.format(job))

    def clear(self) -> None:
        """No job of these tests, nothing that holds a lock."""
        ours = "BETWEEN %d AND %d" % (FIRST, LAST)
        rows = "DELETE FROM snapshots WHERE job_id {0}; DELETE FROM archive_jobs WHERE id {0}".format(ours)
        self.run("systemctl stop 'hold-*' 'crawl-*' 2>/dev/null || true")
        self.run('sql "%s"; sql "%s"; rm -f %s/job-8??.lock' % (UNLOCK, rows, LOCKS))

    def stale(self, **options: Any) -> Dict[str, Any]:
        return self.desk.change("stale_jobs", "StaleJobs", **{"pickup_seconds": 20, **options})

    def worker(self, wanted: str, **options: Any) -> Dict[str, Any]:
        return self.desk.change("worker", "Worker", state=wanted, **options)

    def approved(self, ask: Any, *words: str, **options: Any) -> Dict[str, Any]:
        """Plan it, approve that, do it."""
        planned = ask(*words, **options)
        assert planned["outcome"] == "planned", planned
        return ask(*words, **options, approve=planned["plan_id"], clearance=self.token)

    def rows(self) -> Dict[int, Dict[str, Any]]:
        found = rows(self.host)
        return {job: row for job, row in found.items() if FIRST <= job <= LAST}

    def statuses(self) -> Dict[int, str]:
        return {job: row["status"] for job, row in self.rows().items()}

    def active(self, unit: str) -> str:
        return self.desk.run("systemctl is-active %s || true" % unit).strip()


@pytest.fixture(scope="module")
def stage(host) -> Iterator[Stage]:
    host.ssh("sudo systemctl stop healtharchive-worker")
    found = Stage(host)
    yield found
    found.run("release_worker; forget_jobs phac-stalled; start_worker")
    found.desk.released(found.token)
    found.desk.close()
    host.ssh("sudo rm -rf " + record.DIRECTORY)


@pytest.fixture(autouse=True)
def _nothing_is_left(stage) -> Iterator[None]:
    yield
    stage.clear()


def crawl(stage: Stage, job: int) -> int:
    """A job that a unit of its own crawls, and that gets on; the process that holds its lock."""
    stage.job(job, "cihr")
    stage.run(
        "sql \"UPDATE archive_jobs SET status = 'queued' WHERE id = {0}\"; place_job {0} healthy cihr/healthy-{0}\n"
        "crawl_detached crawl-{0} {0}; wait_until 30 crawl_writes $JOBS/cihr/healthy-{0}\n"
        "sql \"UPDATE archive_jobs SET started_at = now() - interval '4 hours' WHERE id = {0}\"".format(job)
    )
    return int(stage.desk.run("systemctl show --property=MainPID --value crawl-%d" % job))


def ids(result: Dict[str, Any]) -> List[int]:
    return [int(subject.split()[1]) for subject in result["plan"]["subjects"]]


def test_a_plan_changes_nothing(stage, tmp_path):
    stage.job(801)
    stage.job(802, "phac", None)
    stage.job(803, None)
    before = state(stage.host)
    plans = [stage.stale(), stage.stale(check_mode=True, approve="0" * 12)]
    assert [plan["outcome"] for plan in plans] == ["planned", "planned"]
    assert plans[0]["plan_id"] == plans[1]["plan_id"]
    assert ids(plans[0]) == [801, 802]
    checked = play(stage.host, "recover_stale_jobs", tmp_path, "--check", "--diff", incident=stage.incident)
    assert (checked.rc, approvals(checked)) == (0, [plans[0]["plan_id"]]), checked.output
    assert '"status": "retryable"' in checked.output
    assert stage.desk.change("stalled_crawl", "StalledCrawl")["outcome"] == "nothing_to_do"
    assert stage.worker("paused")["outcome"] == "nothing_to_do"
    assert state(stage.host) == before
    assert stage.desk.run("ls /run").split().count("healtharchive-remediation") == 1
    assert "healtharchive-remediation-" not in stage.desk.run("ls /run")
    # As the runbook's own dry run does not: it leaves lock files behind.
    stage.run("service recover-stale-jobs --older-than-minutes 180")
    assert state(stage.host) != before


def test_exactly_the_planned_jobs_and_no_crawl(stage):
    stage.job(811)
    stage.job(812, "phac")
    stage.job(813, "phac", None)
    stage.job(814, "hc", 1)
    stage.job(815, None)
    stage.job(816, "cihr")
    stage.hold(816)
    living = crawl(stage, 817)
    before = rows(stage.host)
    planned = stage.stale()
    assert ids(planned) == [811, 812, 813]
    left_out = planned["plan"]["left_out"]
    assert set(left_out) == {"job 814", "job 815", "job 816", "job 817"}
    assert "recover_stalled_crawl" in left_out["job 816"]
    assert left_out["job 817"] == "Its lock is held: something runs it."
    # Job 816 is quiet and would be taken if it ended in that moment, so its source is left out by name.
    assert [argv[-2] for argv in planned["plan"]["commands"] if "--apply" in argv] == ["hc", "phac"]
    done = stage.stale(approve=planned["plan_id"], clearance=stage.token)
    assert done["outcome"] == "applied", done
    assert done["evidence"]["claimed"] == [811, 812, 813]
    assert done["evidence"]["pickup"]["code"] == "worker_inactive"
    after = rows(stage.host)
    changed = [job for job in before if after[job] != before[job]]
    assert changed == [811, 812, 813]
    for job in changed:
        kept = {name: before[job][name] for name in ("retry_count", "started_at", "finished_at", "config", "queued_at")}
        assert {name: after[job][name] for name in kept} == kept
        assert after[job]["status"] == "retryable"
    assert stage.desk.run("readlink /proc/%d/exe" % living)
    begun, finished = record.events(stage.host)[-2:]
    assert (begun["kind"], begun["data"]["subjects"]) == ("action_begun", ["job 811", "job 812", "job 813"])
    assert (finished["kind"], finished["data"]["outcome"]) == ("action_finished", "applied")
    assert stage.stale()["outcome"] == "nothing_to_do"


def test_the_command_is_kept_from_a_job_that_it_would_take(stage):
    stage.job(821)
    stage.job(822)
    planned = stage.stale(jobs=[821])
    assert ids(planned) == [821]
    argv = planned["plan"]["commands"][0]
    taken = stage.run("service %s" % " ".join(argv[1:]))
    assert "job_id=821 " in taken
    assert "job_id=822 " in taken
    done = stage.stale(jobs=[821], approve=planned["plan_id"], clearance=stage.token)
    assert done["outcome"] == "applied", done
    assert stage.statuses() == {821: "retryable", 822: "running"}
    # And it has let go of the lock.
    assert stage.desk.run("flock -n %s/job-822.lock echo free" % LOCKS) == "free\n"


UPDATE = 'sql "UPDATE archive_jobs SET %s WHERE id = 831"'
# What happens, how it is undone, and what the approved plan is answered with then.
MOVES = {
    "another goes stale": (
        "sql \"UPDATE archive_jobs SET started_at = now() - interval '4 hours' WHERE id = 832\"",
        "sql \"UPDATE archive_jobs SET started_at = now() - interval '1 hour' WHERE id = 832\"",
        ("refused", "plan_changed"),
    ),
    "its lock is taken": (HOLD.format(831), "systemctl stop hold-831", ("nothing_to_do", None)),
    "it is healed": (UPDATE % "status = 'retryable'", UPDATE % "status = 'running'", ("nothing_to_do", None)),
    "it began anew": (
        UPDATE % "started_at = started_at + interval '10 minutes'",
        UPDATE % "started_at = started_at - interval '10 minutes'",
        ("refused", "plan_changed"),
    ),
}


def test_the_world_moves_between_plan_and_approval(stage):
    stage.job(831)
    stage.job(832, "hc", 1)
    plan_id = stage.stale()["plan_id"]
    begun = len(record.events(stage.host))
    for what, (move, undo, expected) in MOVES.items():
        stage.run(move)
        before = rows(stage.host)
        done = stage.stale(approve=plan_id, clearance=stage.token)
        assert (done["outcome"], done.get("code")) == expected, (what, done)
        assert rows(stage.host) == before, what
        if what == "another goes stale":
            assert done["evidence"]["plan"]["subjects"] == ["job 831", "job 832"]
        stage.run(undo)
    assert len(record.events(stage.host)) == begun
    # A deploy starts.
    before = rows(stage.host)
    stage.desk.released(stage.token)
    stage.run(
        "systemd-run --quiet --collect --unit=hold-deploy --uid=haadmin flock /tmp/healtharchive-deploy.lock sleep infinity\n"
        "wait_until 10 sh -c '! flock -n /tmp/healtharchive-deploy.lock true'"
    )
    assert stage.desk.refused(no_repo_change_reason=REASON) == "deploy_running"
    assert stage.stale(approve=plan_id, clearance=stage.token)["code"] == "clearance_missing"
    assert rows(stage.host) == before
    stage.run("systemctl stop hold-deploy")
    stage.grant()
    # All of it is over, and the plan is the one that was approved.
    done = stage.stale(approve=plan_id, clearance=stage.token)
    assert done["outcome"] == "applied", json.dumps(done)
    assert stage.statuses() == {831: "retryable", 832: "running"}


def with_environment(stage: Stage, name: str, edit: str) -> str:
    """The path of a copy of the environment file, edited by sed."""
    path = "/etc/healtharchive/%s.env" % name
    stage.run("sed '%s' %s >%s; chgrp healtharchive %s; chmod 640 %s" % (edit, ENV_FILE, path, path, path))
    return path


def test_what_is_not_certain_is_refused(stage):
    stage.job(841)
    good = stage.stale()
    assert good["outcome"] == "planned"
    refusals = {
        "export": ("s/^HEALTHARCHIVE_JOB_LOCK_DIR=/export &/", "lock_directories_differ"),
        "elsewhere": (
            "s#^HEALTHARCHIVE_JOB_LOCK_DIR=.*#HEALTHARCHIVE_JOB_LOCK_DIR=/srv/healtharchive/ops/locks#",
            "lock_directories_differ",
        ),
        "expanded": (
            "s#^HEALTHARCHIVE_JOB_LOCK_DIR=.*#HEALTHARCHIVE_JOB_LOCK_DIR=$HOME/x#",
            "lock_directories_unknown",
        ),
        "password": ("s#://healtharchive:[^@]*@#://healtharchive:wrong@#", "database_unproven"),
        "sqlite": ("/^HEALTHARCHIVE_DATABASE_URL=/d", "database_unproven"),
    }
    try:
        for name, (edit, code) in refusals.items():
            assert stage.stale(env_file=with_environment(stage, name, edit))["code"] == code
        # A program of the service that was started with another directory.
        stage.run(
            "systemd-run --quiet --collect --unit=hold-program --uid=haadmin --setenv=HEALTHARCHIVE_JOB_LOCK_DIR=/tmp/other "
            "bash -c 'exec -a {0} sleep 600'\nwait_until 10 pgrep --full '^{0} 600'".format(CLI)
        )
        refused = stage.stale()
        assert refused["code"] == "lock_directories_differ"
        assert any("process" in who for who in refused["evidence"]["lock_directories"]["/tmp/other"])
        stage.run("systemctl stop hold-program")
    finally:
        stage.run("rm -f %s" % " ".join("/etc/healtharchive/%s.env" % name for name in refusals))
    # Without the API the table of the CLI is as good, unless there is a row that no table can show.
    without = {"api_url": "http://127.0.0.1:9"}
    assert stage.stale(**without)["plan_id"] == good["plan_id"]
    stage.job(842, name="two\nlines")
    assert stage.stale()["outcome"] == "planned"
    assert stage.stale(**without)["code"] == "jobs_unreadable"
    stage.run('place_job 842 unlistable stuck/842 \'{"initial_workers": "abc"}\'')
    assert stage.stale()["outcome"] == "planned"
    assert stage.stale(**without)["code"] == "jobs_unreadable"


def running(stage: Stage, name: str) -> Dict[str, Any]:
    (found,) = [row for row in rows(stage.host).values() if row["name"] == name]
    return found


def test_the_worker_is_busy_paused_and_resumed_and_heals_by_itself(stage):
    stage.run("occupy_worker")
    busy = running(stage, "hc-busy")
    stage.job(861, "phac")
    stage.run(
        "mkdir -p /run/full; mount -t tmpfs -o size=1m tmpfs /run/full; fallocate --length 900KiB /run/full/filled"
    )
    done = stage.approved(stage.stale, archive_root="/run/full")
    stage.run("umount /run/full")
    assert (done["outcome"], done["evidence"]["pickup"]["code"]) == ("applied", "disk_full"), done
    stage.job(862, "phac")
    done = stage.approved(stage.stale)
    assert (done["outcome"], done["evidence"]["pickup"]["code"]) == ("applied", "busy"), done
    assert "job %d" % busy["id"] in done["detail"]
    assert running(stage, "hc-busy") == busy

    refused = stage.worker("paused")
    assert refused["code"] == "would_interrupt"
    (hit,) = refused["evidence"]["jobs"]
    assert (hit["job"], hit["retry_count"], hit["units"]) == (busy["id"], 0, [WORKER])
    assert hit["crawled"] is not None
    # A job without a source counts as well: what says who is hit are the locks.
    stage.run("sql \"UPDATE archive_jobs SET source_id = NULL WHERE name = 'hc-busy'\"")
    assert stage.worker("paused")["code"] == "would_interrupt"
    accepted = {"accept_interruption_of": [busy["id"]]}
    done = stage.approved(stage.worker, "paused", resume_after=3600, **accepted)
    assert done["outcome"] == "applied", done
    assert (stage.active(WORKER), stage.active(SWITCH)) == ("inactive", "active")
    assert stage.worker("paused")["outcome"] == "nothing_to_do"
    stage.run("forget_jobs hc-busy")
    stage.clear()
    stage.job(863)
    stale = stage.stale()
    assert ids(stale) == [863]
    done = stage.approved(stage.worker, "resumed")
    assert done["outcome"] == "applied", done
    assert (stage.active(WORKER), stage.active(SWITCH)) == ("active", "inactive")
    assert stage.desk.run("ls /run/healtharchive-remediation | grep pause || true") == ""
    # Its first poll heals what is stale, and takes it up again: what was approved is done already.
    stage.run("healed() { ! job_is running 863 || row \"id = 863 AND started_at > now() - interval '5 minutes'\"; }\n"
              "wait_until 20 healed")  # fmt: skip
    before = stage.rows()[863]
    done = stage.stale(approve=stale["plan_id"], clearance=stage.token)
    assert done["outcome"] == "nothing_to_do", done
    assert stage.rows()[863]["started_at"] >= before["started_at"]

    # What somebody stops on purpose stays so.
    stage.run("systemctl stop healtharchive-worker; rm -rf $JOBS/stuck")
    assert stage.worker("paused")["outcome"] == "nothing_to_do"
    assert stage.worker("resumed")["outcome"] == "nothing_to_do"
    assert stage.active(WORKER) == "inactive"


# Whoever acts, and whatever it has started: each has the turn to act open.
KILL_WHO_ACTS = r"""
for process in /proc/[0-9]*; do
    if readlink $process/fd/* 2>/dev/null | grep --quiet /healtharchive-remediation/acting.lock; then
        kill -KILL "${process#/proc/}"
    fi
done
"""
OPTIONS = '"simulated_seconds": 36000, "simulated_pages": 36000'


def stand_still(stage: Stage, attempts: int) -> None:
    """The worker's crawl has been silent for two hours."""
    stage.run(
        "silent() { [ $(ls $JOBS/phac/stalled/*.combined.log | wc -l) = %d ] && "
        'grep --quiet "Navigation timeout" "$(ls -t $JOBS/phac/stalled/*.combined.log | head -1)"; }\n'
        'wait_until 60 silent; log_earlier "$(ls -t $JOBS/phac/stalled/*.combined.log | head -1)" 2\n'
        "sql \"UPDATE archive_jobs SET started_at = now() - interval '2 hours' WHERE name = 'phac-stalled'\"" % attempts
    )


def test_a_crawl_that_stands_still_and_a_controller_that_is_killed(stage, tmp_path):
    stage.run(
        "place_job $(new_job phac) phac-stalled phac/stalled '{%s, \"simulated_stall_after_pages\": 2}'; start_worker"
        % OPTIONS
    )
    stand_still(stage, 1)
    # What comes after it in the queue.
    stage.run("place_job $(new_job cihr) cihr-waiting cihr/waiting")
    before = rows(stage.host)
    stalled = running(stage, "phac-stalled")
    stage.desk.released(stage.token)
    said = {"incident": stage.incident, "recover_stalled_crawl_resume_after": 20}
    # A check shows the same plan, without a clearance.
    planned = play(stage.host, "recover_stalled_crawl", tmp_path, "--check", "--diff", **said)
    assert planned.rc == 0, planned.output
    assert '"status": "retryable"' in planned.output
    assert "2 of 36000 pages crawled" in planned.words
    assert "0 retries, run by " + WORKER in planned.words
    (plan_id,) = approvals(planned)
    assert rows(stage.host) == before

    # Nobody can write a row, so the recovery waits in its middle. There everything is killed, here and on the host.
    stage.run(
        "systemd-run --quiet --collect --unit=hold-table --uid=postgres psql healtharchive "
        "-c 'BEGIN; LOCK TABLE archive_jobs IN EXCLUSIVE MODE; SELECT pg_sleep(600)'"
    )
    variables = json.dumps(
        {**said, "approve": plan_id, "no_repo_change_reason": REASON, "incident_output_directory": str(tmp_path)}
    )
    argv = [
        "ansible-playbook",
        "-i",
        INVENTORY,
        "--limit",
        stage.host.name,
        COLLECTION + "recover_stalled_crawl",
        "-e",
        variables,
    ]
    controller = subprocess.Popen(
        argv,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    stage.run(
        "wait_until 60 unit_is inactive healtharchive-worker; wait_until 20 pgrep --full -- '--source phac --apply'"
    )
    stopped = time.monotonic()
    os.killpg(controller.pid, signal.SIGKILL)
    controller.wait()
    stage.desk.run(KILL_WHO_ACTS)
    assert (stage.active(WORKER), stage.active(SWITCH)) == ("inactive", "active")
    assert rows(stage.host) == before
    stage.run('systemctl stop hold-table; sql "%s"' % UNLOCK)
    stage.run("wait_until 30 unit_is active healtharchive-worker")
    assert time.monotonic() - stopped < 25
    assert stage.active(SWITCH) == "inactive"
    # The worker has healed its row and taken it up again. No other row changed, none is lost.
    stand_still(stage, 2)
    after = rows(stage.host)
    assert after.keys() == before.keys()
    assert [job for job in before if after[job] != before[job]] == [stalled["id"]]
    assert record.kinds(record.events(stage.host))[-1] == "action_begun"

    # It is gone on with, and the crawl gets on this time.
    stage.desk.ask(state="released", force_reason="its run was killed")
    stage.grant()
    stage.run(
        "place_job %d phac-stalled phac/stalled '{%s, \"simulated_stall_after_pages\": 0}'" % (stalled["id"], OPTIONS)
    )
    options = {"pickup_seconds": 30, "progress_seconds": 30}
    planned = stage.desk.change("stalled_crawl", "StalledCrawl", **options)
    assert [action["subjects"][0] for action in planned["unfinished_actions"]] == ["job %d" % stalled["id"]]
    again = {**options, "approve": planned["plan_id"], "clearance": stage.token}
    # Its row says that it runs since before: what was cut off recovered nothing, and has not used the budget up.
    done = stage.desk.change("stalled_crawl", "StalledCrawl", **again)
    assert done["outcome"] == "applied", done
    assert [action["outcome"] for action in done["settled"]] == ["failed"]
    name = "job %d" % stalled["id"]
    assert done["evidence"]["claimed"] == [stalled["id"]]
    assert list(done["evidence"]["pickup"]["taken_up"]) == [name]
    assert any("Picked job %d" % stalled["id"] in line for line in done["evidence"]["pickup"]["worker_journal"])
    assert "pages crawled" in done["evidence"]["progress"]["moving"][name]
    assert (stage.active(WORKER), stage.active(SWITCH)) == ("active", "inactive")
    stage.run("systemctl stop healtharchive-worker; forget_jobs phac-stalled; forget_jobs cihr-waiting")
