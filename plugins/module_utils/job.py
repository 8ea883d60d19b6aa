# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing one job: it is read by the admin API, or from the CLI's table where the API is down, and never by show-job, which
writes (contract 2.5). Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Union

from . import change, job_cause, job_rules, recorded, service
from .admin_api import AdminApi, NotAnswered, NotThere
from .budget import Budget
from .change import ActFailed, Host, Observation
from .job_rules import Commands, Wish
from .parse import jobs
from .parse.errors import ParseError
from .plan import NothingToDo, Plan
from .probe import Context, complaint, failed
from .probes import deployment, job_facts
from .probes.environment import lock_directories
from .refusal import Refusal
from .settings import BadInput

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "job_id": {"type": "int", "required": True},
    "state": {"type": "str", "choices": ["retryable"]},
    "retry_count": {"type": "int", "choices": [0]},
}
_LARGEST_ID = 2**31 - 1
_API_SECONDS = 10.0
_CLI_SECONDS = 30.0
_ACT_SECONDS = 45.0
# As many as the table can be asked for; a job further down is not seen.
_TABLE_LIMIT = 10000


class Job(change.Action):
    """``state: retryable`` and ``retry_count: 0`` of one job."""

    name = "job"
    names = (job_rules.action_name(True), job_rules.action_name(False))
    # Many jobs fail at once when storage goes; one job that fails three times a day needs a person.
    budget = Budget(per_host=20, per_subject=3, window_seconds=24 * 3600)

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        job_id = parameters["job_id"]
        self.wish = Wish(job_id, parameters["state"] is not None, parameters["retry_count"] is not None)
        if not 1 <= job_id <= _LARGEST_ID:
            raise BadInput(
                "bad_job_id",
                "job_id must be the number of a job, and not %d." % job_id,
                "Triage lists jobs with their numbers.",
            )
        if not (self.wish.retried or self.wish.reset):
            raise BadInput(
                "nothing_wished",
                "Nothing was said to be done with job %d." % job_id,
                "Say state=retryable, retry_count=0, or both.",
            )
        # Whether a command said that it changed nothing.
        self._said_nothing = False

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        job = read(host.context, self.wish.job_id)
        lock = job_facts.lock_of(self.wish.job_id, _lock_directories(host.context))
        # Somebody says, on record, why it is right to try it again.
        mended = bool(self.parameters["budget_override_reason"])
        before = [] if mended else change.actions_of(host.log)
        plan = job_rules.decide(job, lock, self.wish, self._commands(host.context), before, host.log.origin.head)
        if isinstance(plan, NothingToDo) or not job_rules.is_crawled_again(plan):
            return plan
        seen = dict(job)
        job_facts.add(host.context, [seen])
        changed_at = deployment.checkout_changed_at(host.context.settings.checkout)
        job_cause.check(job, seen, changed_at, mended)
        return plan._replace(remarks=(*plan.remarks, *job_cause.remarks(seen, job["config"])))

    def act(self, host: Host, plan: Plan) -> None:
        commands = self._commands(host.context)
        for argv in plan.commands:
            if list(argv) == list(commands.reset):
                self._reset(host.context, argv)
            else:
                self._retry(host.context, argv)

    def observe(self, host: Host, plan: Plan) -> Observation:
        subject = job_rules.subject_of(self.wish.job_id)
        try:
            now = read(host.context, self.wish.job_id)
        except Refusal as refusal:
            return Observation("unknown", None, "Job %d cannot be seen now: %s" % (self.wish.job_id, refusal))
        seen = job_rules.judge(plan.before[subject], plan.after[subject], now, self._said_nothing)
        return Observation(seen.outcome, seen.changed, seen.detail, {subject: job_rules.shown(now)}, seen.code)

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        if action.subjects != (job_rules.subject_of(self.wish.job_id),):
            # Of another job: that one's own run settles it.
            return None
        try:
            now = read(host.context, self.wish.job_id)
        except Refusal as refusal:
            return Observation("unknown", None, "It was cut off, and the job cannot be seen now: %s" % refusal)
        seen = job_rules.settle(action.action, action.begun_at, now)
        return Observation(seen.outcome, seen.changed, seen.detail)

    def _commands(self, context: Context) -> Commands:
        job_id = self.wish.job_id
        return Commands(
            service.retry_job(context.settings, job_id), service.reset_retry_count(context.settings, job_id)
        )

    def _retry(self, context: Context, argv: Any) -> None:
        result = context.run_service(argv, _ACT_SECONDS, production=True)
        if result.failure is not None:
            raise ActFailed(failed(result, "retry-job").message)
        if result.rc != 0:
            raise ActFailed("retry-job ended with %d: %s." % (result.rc, complaint(result.stderr).rstrip(".")))
        # Its exit code is 0 when it changed nothing, too.
        self._said_nothing = self._said_nothing or b" marked " not in result.stdout

    def _reset(self, context: Context, argv: Any) -> None:
        result = context.run_service(argv, _ACT_SECONDS, production=True)
        if result.failure is not None:
            raise ActFailed(failed(result, "reset-retry-count").message)
        # A job whose count is 0 already is "not found", with exit code 1; one that is not safe to modify is passed over with 0.
        not_found = result.rc == 1 and b"not found: %d" % self.wish.job_id in result.stderr
        if result.rc != 0 and not not_found:
            raise ActFailed("reset-retry-count ended with %d: %s." % (result.rc, complaint(result.stderr).rstrip(".")))
        self._said_nothing = b"\nApplied: updated retry_count for 1 job" not in result.stdout


def read(context: Context, job_id: int) -> Dict[str, Any]:
    """The job as :mod:`.parse.jobs` describes it, with ``read_from``: ``admin_api`` or ``cli``. :class:`Refusal`."""
    problem = context.database_problem()
    if problem is not None:
        raise Refusal(
            "environment_unusable",
            "The service's commands cannot be used on this host. %s" % problem.message,
            "Mend the environment file: without it the commands read, and change, an empty database of their own.",
        )
    api = AdminApi(context, _API_SECONDS)
    try:
        try:
            return {**jobs.admin_job(api.get("/api/admin/jobs/%d" % job_id)), "read_from": "admin_api"}
        except NotThere:
            # Only who knows jobs can say that there is none.
            jobs.admin_counts(api.get("/api/admin/jobs/status-counts"))
        raise Refusal(
            "job_unknown", "There is no job %d on this host." % job_id, "Triage lists jobs with their numbers."
        )
    except (NotAnswered, ParseError) as error:
        return _from_table(context, job_id, str(error))


def _from_table(context: Context, job_id: int, why: str) -> Dict[str, Any]:
    result = context.run_service(service.list_jobs(context.settings, _TABLE_LIMIT), _CLI_SECONDS, production=True)
    said = "The admin API gave no answer (%s), and list-jobs " % why
    if result.failure is not None or result.rc != 0:
        message = failed(result, "it").message if result.failure is not None else complaint(result.stderr)
        raise _unreadable(job_id, "%sfailed: %s" % (said, message))
    try:
        found = [job for job in jobs.list_jobs(result.stdout) if job["id"] == job_id]
    except ParseError as error:
        raise _unreadable(job_id, "%sprinted what cannot be read: %s" % (said, error)) from error
    if not found:
        raise _unreadable(job_id, said + "does not show it: it shows no job that is indexed or has no source")
    if found[0]["ambiguous"]:
        raise _unreadable(job_id, said + "shows a name with a line break, which may hide another job")
    return {**found[0], "read_from": "cli"}


def _unreadable(job_id: int, why: str) -> Refusal:
    return Refusal(
        "job_unreadable",
        "Job %d cannot be read. %s." % (job_id, why.rstrip(".")),
        "Nothing is done to what cannot be seen. Triage says what is wrong with the API and the database.",
    )


def _lock_directories(context: Context) -> List[str]:
    return sorted({path for path in lock_directories(context).values() if path})
