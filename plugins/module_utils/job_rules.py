# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done with one job, and how it is seen that it was done (contract 2.2, 2.7): no input, no output, no clock.

A job is a record of :mod:`.parse.jobs`. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from .parse.job_config import wrong_options
from .parse.jobs import KNOWN_STATUSES
from .parse.text import one_line
from .plan import NothingToDo, Plan
from .refusal import Refusal

# What a retry makes of a job, by its status.
RETRIED = {"failed": "retryable", "index_failed": "completed"}
_CRAWLED = ("queued", "retryable")
_WAITING = (*_CRAWLED, "completed")
_RESETTABLE = ("queued", "retryable", "failed")
# A run of the worker, the retries included, takes so many failures before it gives up (contract 2.2, default profile).
_ATTEMPTS = 3
# Of a job, what a plan is about: nothing of it changes by itself while nobody works on the job.
SHOWN = (
    "status",
    "retry_count",
    "crawler_status",
    "crawler_stage",
    "crawler_exit_code",
    "started_at",
    "finished_at",
)
_NAME_LIMIT = 80


class Wish(NamedTuple):
    """What shall be true of a job."""

    job_id: int
    retried: bool
    reset: bool


class Commands(NamedTuple):
    """The argv of what acts."""

    retry: Sequence[str]
    reset: Sequence[str]


def subject_of(job_id: int) -> str:
    return "job %d" % job_id


def shown(job: Mapping[str, Any]) -> Dict[str, Any]:
    """A job as a plan shows it."""
    return {name: job[name] for name in SHOWN}


def symptom(job: Mapping[str, Any]) -> Optional[str]:
    """How it failed, in words that are the same when it fails in the same way; None where that is not known."""
    if job["status"] == "index_failed":
        return "index_failed"
    if job["status"] != "failed" or job["read_from"] != "admin_api":
        return None
    names = ("crawler_status", "crawler_stage", "crawler_exit_code")
    return "failed: " + ", ".join("%s %s" % (name, job[name]) for name in names)


def decide(
    job: Mapping[str, Any],
    lock: str,
    wish: Wish,
    commands: Commands,
    before: Iterable[Mapping[str, Any]],
    head: Optional[str],
) -> Union[Plan, NothingToDo]:
    """What is to be done with a job; :class:`Refusal`.

    ``lock``: held, free, absent or unknown. ``before``: the actions on record. ``head``: the commit that is deployed.
    """
    _check_status(job)
    retry = wish.retried and job["status"] not in _WAITING
    reset = wish.reset and job["retry_count"] != 0
    if not retry and not reset:
        if wish.retried:
            _check_taken_up(job)
        return NothingToDo(_as_wished(job, wish))
    _check_lock(job, lock)
    if retry and job["status"] not in RETRIED:
        raise _not_now(job)
    if reset and job["status"] not in _RESETTABLE:
        raise Refusal(
            "job_not_resettable",
            "Job %d is %s: its retry count matters to no crawl." % (job["id"], job["status"]),
            "Only of a queued, retryable or failed job it can be reset. Leave retry_count out.",
        )
    if reset and job["retry_count"] is None:
        raise Refusal("job_unreadable", "The retry count of job %d is not known." % job["id"], "Triage says why.")
    after = {
        **shown(job),
        **({"retry_count": 0} if reset else {}),
        **({"status": RETRIED[job["status"]]} if retry else {}),
    }
    if retry:
        check_parked(job, before, head)
    subject = subject_of(job["id"])
    return Plan(
        action=action_name(retry),
        objective=_objective(job, retry, reset),
        commands=tuple(tuple(argv) for argv, wanted in ((commands.reset, reset), (commands.retry, retry)) if wanted),
        subjects=(subject,),
        before={subject: shown(job)},
        after={subject: after},
        expected_impact=" ".join(_impact(job, after, retry, reset)),
        rollback=" ".join(_rollback(job, retry, reset)),
        symptom=symptom(job) if retry else None,
        remarks=tuple(_remarks(job, retry)),
    )


def is_crawled_again(plan: Plan) -> bool:
    """Whether it has the worker crawl the job."""
    return any(
        state["status"] == RETRIED["failed"] != plan.before[name]["status"] for name, state in plan.after.items()
    )


def action_name(retry: bool) -> str:
    """By which the record and the budget count it."""
    return "job_retry" if retry else "job_reset"


def check_parked(job: Mapping[str, Any], before: Iterable[Mapping[str, Any]], head: Optional[str]) -> None:
    """One retry for each deployed change: :class:`Refusal` (``parked``) when it failed again in the same way since."""
    same = symptom(job)
    for data, at in retries(job, before, head):
        if same is not None and data.get("symptom") is not None and data["symptom"] != same:
            continue
        unknown = same is None or data.get("symptom") is None
        how = "as far as can be seen" if unknown else one_line(same or "", 120)
        raise Refusal(
            "parked",
            "Job %d was retried at %s at this very commit and failed again in the same way (%s): it is contained, and not mended."
            % (job["id"], at, how),
            "Leave it parked. Find the cause and deploy what mends it (deploy_pinned_ref): then it may be retried once more. If "
            "that must wait, end the incident as contained (close_incident -e contained=WHY). If the cause was outside of the "
            "service and is gone, say so: -e budget_override_reason=WHY",
            retried_at=at,
            head=head,
            symptom=same,
        )


def retries(
    job: Mapping[str, Any], before: Iterable[Mapping[str, Any]], head: Optional[str]
) -> List[Tuple[Mapping[str, Any], str]]:
    """The retries of a job at a commit that may have happened: what was begun, and when, the newest first."""
    begun: Dict[str, Tuple[Mapping[str, Any], str]] = {}
    ended = set()
    for event in before:
        data = event["data"]
        if event["kind"] == "action_begun":
            about = data["action"] == action_name(True) and subject_of(job["id"]) in data["subjects"]
            if about and event["head"] == head:
                begun[data["action_id"]] = (data, event["at"])
        elif event["kind"] == "action_finished":
            ended.add(data["action_id"])
            if data["changed"] is False:
                begun.pop(data["action_id"], None)
    # What was cut off is judged as it will be when it is settled.
    return [
        (data, at)
        for action_id, (data, at) in reversed(list(begun.items()))
        if action_id in ended or settle(data["action"], at, job).changed is not False
    ]


class Seen(NamedTuple):
    """What a job that was acted on shows. ``changed`` None: it cannot be told."""

    outcome: str
    changed: Optional[bool]
    detail: str
    code: Optional[str] = None


def judge(before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any], said_nothing: bool) -> Seen:
    """What became of an act on a job that was ``before`` and should be ``after``. ``now``: as it is seen.

    ``said_nothing``: a command said that it changed nothing. That decides only who did what is seen.
    """
    state = "Job %d is %s, its retry count %s." % (now["id"], now["status"], now["retry_count"])
    retried = before["status"] != after["status"]
    # The worker may have been faster than the look.
    has_run = retried and after["status"] == "retryable" and now["started_at"] != before["started_at"]
    if has_run and now["status"] == "failed":
        how = symptom(now) or "how, is not known"
        return Seen(
            "failed", True, "%s It was retried and has failed again already (%s)." % (state, how), "failed_again"
        )
    counted = before["retry_count"] == after["retry_count"] or now["retry_count"] == after["retry_count"]
    if has_run or (now["status"] == after["status"] and counted):
        if said_nothing:
            return Seen(
                "nothing_to_do", False, state + " Somebody else did it: the command says that it changed nothing."
            )
        return Seen("applied", True, state + (" The worker has picked it up already." if has_run else ""))
    if (now["status"], now["retry_count"]) == (before["status"], before["retry_count"]):
        return Seen("failed", False, state + " It is as it was before.", "not_changed")
    return Seen("unknown", None, state + " That is neither what it was nor what it should be.", "other_change")


def settle(action: str, begun_at: str, now: Mapping[str, Any]) -> Seen:
    """What became of an act that was cut off, by what the job is now; its command has ended."""
    state = "It was cut off. Job %d is %s, its retry count %s." % (now["id"], now["status"], now["retry_count"])
    if action == action_name(False):
        return Seen("applied", None, state) if now["retry_count"] == 0 else Seen("unknown", None, state)
    if now["status"] == "failed" and now["started_at"] is not None and now["started_at"] != begun_at:
        if now["started_at"] > begun_at:
            return Seen("applied", True, state + " It was retried and has failed again.")
        return Seen("failed", False, state + " It was not retried.")
    if now["status"] in (*RETRIED.values(), "running"):
        return Seen("applied", None, state + " That is what it should become.")
    return Seen("unknown", None, state)


def _check_status(job: Mapping[str, Any]) -> None:
    if job["status"] in ("running", "indexing"):
        raise Refusal(
            "job_running",
            "Job %d is %s by its row: nothing is done to a job that somebody may work on." % (job["id"], job["status"]),
            "If its crawl has died (recover_stale_jobs) or stands still (recover_stalled_crawl), that is another recovery: "
            "triage says which.",
        )
    if job["status"] not in KNOWN_STATUSES:
        raise Refusal(
            "job_status_unknown",
            "Job %d has the status %s, which this collection does not know." % (job["id"], one_line(job["status"], 60)),
            "See who wrote it. The column is free text, and the worker passes over what it does not know.",
        )


def _check_taken_up(job: Mapping[str, Any]) -> None:
    """That a job which waits for the worker does not wait for ever."""
    if job["status"] not in _CRAWLED or job["read_from"] != "admin_api":
        return
    why = never_taken_up(job["source"], job["config"])
    if why is None:
        return
    raise Refusal(
        "job_not_taken_up",
        "Job %d is %s, and the worker never takes it up: %s. No retry changes that." % (job["id"], job["status"], why),
        "A person's: find out what made the row so. Triage prints the command that reads it.",
    )


def never_taken_up(source: Optional[str], config: Any) -> Optional[str]:
    """Why no worker ever takes up a job that waits for it; None: nothing like that is known. ``config`` None: not known."""
    if source is None:
        return "it has no source"
    wrong = [] if config is None else wrong_options(config)
    return "its options hold no number where one belongs (%s)" % one_line(", ".join(wrong), 200) if wrong else None


def _check_lock(job: Mapping[str, Any], lock: str) -> None:
    if lock == "held":
        raise Refusal(
            "job_locked",
            "Somebody holds the lock of job %d, which is %s: a process is at work on it." % (job["id"], job["status"]),
            "See who (fuser -v on its lock file) and wait until it has ended. Then plan again.",
        )
    if lock not in ("free", "absent"):
        raise Refusal(
            "job_lock_unknown",
            "Whether somebody holds the lock of job %d cannot be seen." % job["id"],
            "See what is in the way of its lock file, which must be a file that can be opened.",
        )


def _not_now(job: Mapping[str, Any]) -> Refusal:
    return Refusal(
        "job_indexed",
        "Job %d is %s: it has ended well, and there is nothing to retry." % (job["id"], job["status"]),
        "If its pages are wrong, index it anew (playbook recover_indexing, with -e reindex=true), or crawl anew.",
    )


def _as_wished(job: Mapping[str, Any], wish: Wish) -> str:
    said = []
    if wish.retried:
        said.append(
            "Job %d is completed: it was crawled, and waits for its indexing: playbook recover_indexing." % job["id"]
            if job["status"] == "completed"
            else "Job %d is %s: it waits for the worker." % (job["id"], job["status"])
        )
    if wish.reset:
        said.append("The retry count of job %d is 0." % job["id"])
    return " ".join(said)


def _objective(job: Mapping[str, Any], retry: bool, reset: bool) -> str:
    name = "job %d (%s, %s)" % (
        job["id"],
        one_line(job["source"] or "no source", 40),
        one_line(job["name"], _NAME_LIMIT),
    )
    what = []
    if reset:
        what.append("give %s its attempts back" % name)
    if retry and job["status"] == "failed":
        what.append("have %s crawled again" % ("it" if reset else name))
    elif retry:
        what.append("have %s indexed again" % ("it" if reset else name))
    text = ", and ".join(what)
    return text[0].upper() + text[1:] + "."


def _impact(job: Mapping[str, Any], after: Mapping[str, Any], retry: bool, reset: bool) -> List[str]:
    said = []
    if reset:
        said.append("The retry count goes from %s to 0." % job["retry_count"])
    if retry and job["status"] == "index_failed":
        said.append("The job becomes completed, not indexed. Nobody indexes it by that: the worker only indexes what it has just "
                    "crawled, so index it with recover_indexing, which takes it as it is, too.")  # fmt: skip
        return said
    if retry:
        said.append("The job becomes retryable. The worker, if it is active, crawls it when its turn comes, the oldest first, "
                    "within 30 s at the earliest.")  # fmt: skip
        count = after["retry_count"]
        left = max(_ATTEMPTS - count, 1) if isinstance(count, int) else None
        if left == 1:
            said.append("It has one attempt: a failure ends it again.")
        elif left is not None:
            said.append("It has up to %d attempts, without a pause between them." % left)
    return said


def _rollback(job: Mapping[str, Any], retry: bool, reset: bool) -> List[str]:
    said = []
    if retry and job["status"] == "failed":
        said.append("No command of the service makes a job failed again. Before the worker picks it up, stop the worker; a crawl "
                    "that has begun ends by itself, and writes only into the job's own directory.")  # fmt: skip
    elif retry:
        said.append(
            "None is needed: the job is as it was after its crawl. A further index-job that fails makes it index_failed."
        )
    if reset:
        count = job["retry_count"]
        words = (count, job["id"], count)
        said.append("The count was %s: reset-retry-count --id %d --min-retry-count 0 --new-count %s --apply gives it back, as "
                    "long as the job does not run." % words)  # fmt: skip
    return said


def _remarks(job: Mapping[str, Any], retry: bool) -> List[str]:
    said = []
    if job["read_from"] != "admin_api":
        said.append("The admin API does not answer: how the job failed is not known, only what list-jobs shows.")
    if retry and job["source"] is None and job["status"] == "failed":
        said.append("The job has no source: the worker passes over it.")
    return said
