# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a job is indexed, and what that does (contract 2.2, 2.3, 4.6; surprises 15, 27). Pure. Private to this collection.

A file that is missing or damaged is a person's: indexed as it is, its pages would be missing without a word.
"""

from __future__ import annotations

import os
import shlex
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .. import job_rules
from ..parse.jobs import KNOWN_STATUSES
from ..parse.text import one_line
from ..plan import NothingToDo, Plan
from ..refusal import Refusal
from ..settings import Settings
from ..shapes import counted
from . import command
from .facts import ACTION, NAME, Facts, Job, Snapshots, Warcs, Wish

# The worker indexes what it has crawled right after the crawl (contract 2.2).
JUST_ENDED_SECONDS = 120
_INDEXABLE = ("completed", "index_failed", "indexed")
_NAME_LIMIT = 80
_NAMED = 5
_KINDS = {
    "stable": "in warcs/",
    "temporary": "in the crawl's temporary directories",
    "plain": "in the job's directory itself",
}
_LATER = "Wait until it has ended, then plan again: what it did is seen in the job's row."


def subject_of(job_id: int) -> str:
    return "job %d" % job_id


def state_of(job: Job, snapshots: Snapshots) -> Dict[str, Any]:
    """What a plan shows of a job: nothing of it changes by itself while nobody works on it."""
    return {
        "status": job.status,
        "indexed_pages": job.indexed_pages,
        "snapshots": snapshots.total,
        "newest_snapshot": snapshots.last,
        "finished_at": job.finished_at,
    }


def check_row(facts: Facts, wish: Wish, done_before: Optional[str]) -> Optional[NothingToDo]:
    """By the row and by who works on the job; :class:`Refusal`. ``done_before``: when this incident has indexed it."""
    job = facts.job
    _check_status(job, facts.worker)
    _check_nobody(facts)
    if job.status != "indexed" or wish.reindex:
        return None
    agreed = facts.snapshots.total == job.indexed_pages and facts.snapshots.total > 0
    if agreed and done_before is not None:
        return NothingToDo(
            "Job %d was indexed at %s in this incident: %s, and as many snapshots are in the database."
            % (job.id, done_before, counted(facts.snapshots.total, "page", "pages"))
        )
    raise Refusal(
        "job_indexed",
        "Job %d is indexed: its row says %s pages, and %s in the database. Indexed once more, they are deleted and made anew "
        "with other ids." % (job.id, job.indexed_pages, counted(facts.snapshots.total, "snapshot is", "snapshots are")),
        "Leave it. If that is meant, say so, and read in the plan how many are replaced: -e reindex=true",
        indexed_pages=job.indexed_pages,
        snapshots=facts.snapshots.total,
    )


def check_files(facts: Facts, settings: Settings) -> Warcs:
    """By the mount and the files; :class:`Refusal`, with nothing touched."""
    job, directory, found = facts.job, facts.directory, facts.warcs
    if directory is None or directory.state == "mount":
        why = "it was not looked at" if directory is None else directory.why
        raise Refusal(
            "storage_first",
            "Where the files of job %d lie is not well (%s: %s): indexed now, pages would be missing."
            % (job.id, job.output_directory, why),
            "Bring the storage back first (playbook recover_storage; triage says what is wrong), then plan again.",
            output_directory=job.output_directory,
        )
    if directory.state != "ok" or found is None or not found.files:
        why = directory.why or "no WARC file is in it"
        raise _for_a_person(
            "warcs_missing", "Job %d has no WARC files: %s, %s." % (job.id, job.output_directory, why), facts, settings
        )
    missing = _missing(job, facts.snapshots, found)
    if missing:
        said = "WARC files of job %d are missing: %s." % (job.id, _shortened(missing))
        raise _for_a_person("warcs_missing", said, facts, settings, missing=missing[:100])
    damaged = ["%s: %s" % (each.path, each.problem) for each in found.files if each.problem is not None]
    if damaged:
        said = "%d of %s of job %d cannot be read to the end: %s." % (
            len(damaged),
            counted(len(found.files), "WARC file", "WARC files"),
            job.id,
            _shortened(damaged),
        )
        raise _for_a_person("warcs_damaged", said, facts, settings, damaged=damaged[:100])
    return found


def plan(facts: Facts, found: Warcs, wish: Wish, settings: Settings) -> Plan:
    """The change request, of what was found well."""
    job, snapshots = facts.job, facts.snapshots
    subject = subject_of(job.id)
    size = sum(each.size for each in found.files)
    files = {"warc_files": len(found.files), "warc_bytes": size}
    before = {**state_of(job, snapshots), **files}
    after = {
        **before,
        "status": "indexed",
        "indexed_pages": "those in the WARC files",
        "snapshots": "one for each page",
        "newest_snapshot": "new",
    }
    return Plan(
        action=ACTION,
        objective="%s job %d (%s, %s) from its %s."
        % (
            "Index anew" if job.status == "indexed" else "Index",
            job.id,
            one_line(job.source or "no source", 40),
            one_line(job.name, _NAME_LIMIT),
            counted(len(found.files), "WARC file", "WARC files"),
        ),
        commands=(command.command(settings, wish),),
        subjects=(subject,),
        before={subject: before},
        after={subject: after},
        expected_impact=" ".join(_impact(facts, found, wish)),
        rollback=" ".join(_rollback(job, snapshots)),
        symptom="%s, with %s" % (job.status, "snapshots" if snapshots.total else "no snapshot"),
        remarks=tuple(_remarks(facts, found, size)),
    )


def _check_status(job: Job, worker: bool) -> None:
    if job.status in ("running", "indexing"):
        raise Refusal(
            "job_running",
            "Job %d is %s by its row: nothing is done to a job that somebody may work on." % (job.id, job.status),
            "If its crawl has died (recover_stale_jobs) or stands still (recover_stalled_crawl), that is another recovery: "
            "triage says which.",
        )
    if job.status not in KNOWN_STATUSES:
        raise Refusal(
            "job_status_unknown",
            "Job %d has the status %s, which this collection does not know." % (job.id, one_line(job.status, 60)),
            "See who wrote it. The service's index-job refuses it, too.",
        )
    if job.status not in _INDEXABLE:
        raise Refusal(
            "job_not_crawled",
            "Job %d is %s: no crawl of it has ended well, and the service indexes nothing else." % (job.id, job.status),
            _instead(job, worker),
        )


def _instead(job: Job, worker: bool) -> str:
    if job.status == "failed":
        return "A failed job is retried: playbook recover_failed_jobs."
    never = job_rules.never_taken_up(job.source, job.config)
    if never is not None:
        return "A person's: the worker never takes it up, for %s. Triage prints the command that reads the row." % never
    return "It is taken up by the worker%s." % ("" if worker else ", which does not run: playbook recover_services")


def _check_nobody(facts: Facts) -> None:
    job = facts.job
    if facts.lock == "held":
        raise Refusal(
            "job_locked",
            "Somebody holds the lock of job %d, which is %s: a process is at work on it." % (job.id, job.status),
            "See who (fuser -v on its lock file) and wait until it has ended. Then plan again.",
        )
    if facts.lock not in ("free", "absent"):
        raise Refusal(
            "job_lock_unknown",
            "Whether somebody holds the lock of job %d cannot be seen." % job.id,
            "See what is in the way of its lock file, which must be a file that can be opened.",
        )
    mine = [each for each in facts.processes if each.job_id in (job.id, None)]
    if mine:
        told = ", ".join("process %d of %s" % (each.pid, each.unit or "an unknown unit") for each in mine)
        raise Refusal("indexing_running", "Somebody indexes job %d right now: %s." % (job.id, told), _LATER)
    if facts.worker and job.status == "completed" and facts.newest == job.id:
        _check_worker(facts)


def _check_worker(facts: Facts) -> None:
    """The worker indexes by itself what it has crawled just now, and nothing else: the crawl that ended last."""
    job = facts.job
    if facts.worker_busy is not False:
        raise Refusal(
            "worker_indexing",
            "%s, and job %d is the crawl that ended last: it may be the one that it indexes."
            % (
                "The worker has a transaction open"
                if facts.worker_busy
                else "Somebody changes snapshots, and whether it is the worker cannot be told",
                job.id,
            ),
            _LATER,
        )
    if job.finished_seconds is not None and job.finished_seconds < JUST_ENDED_SECONDS:
        raise Refusal(
            "worker_indexing",
            "The crawl of job %d ended less than %d seconds ago, and the worker runs: it indexes what it has crawled right then."
            % (job.id, JUST_ENDED_SECONDS),
            _LATER,
        )


def _missing(job: Job, snapshots: Snapshots, found: Warcs) -> List[str]:
    paths = {each.path for each in found.files}
    told = ["%s, to which %s" % (path, counted(count, "snapshot points", "snapshots point"))
            for path, count in snapshots.files.items() if path not in paths]  # fmt: skip
    if found.kind == "stable" and found.promised is not None:
        sizes = {os.path.basename(each.path): each.size for each in found.files}
        for name, size in found.promised.items():
            if name not in sizes:
                told.append("%s, which warcs/manifest.json names" % one_line(name, 120))
            elif size is not None and size != sizes[name]:
                told.append("a part of %s: %d bytes by warcs/manifest.json, %d are there" % (name, size, sizes[name]))
    if not told and found.all_files < job.warc_files:
        told.append(
            "%d of %d, by what the service counted when it looked last"
            % (job.warc_files - found.all_files, job.warc_files)
        )
    return told


def _impact(facts: Facts, found: Warcs, wish: Wish) -> List[str]:
    snapshots = facts.snapshots
    size = sum(each.size for each in found.files)
    words = []
    if snapshots.total:
        words.append(
            "REPLACED: %s: deleted and made anew with other ids, and what links to an id leads nowhere then."
            % counted(snapshots.total, "snapshot", "snapshots")
        )
    words.append(
        "In a unit of its own verify-warcs reads %s (%s) at level %d and writes a report into the job's warc_verify/%s."
        % (
            counted(len(found.files), "WARC file", "WARC files"),
            _bytes(size),
            wish.level,
            "" if found.kind == "stable" else ", the service its .archive_state.json",
        )
    )
    words.append(
        "Only if all are whole index-job follows, in one transaction of which search sees nothing before its end; that may take "
        "hours, and at most %d s." % wish.timeout
    )
    words.append("No WARC file is changed, no crawl touched.")
    return words


def _rollback(job: Job, snapshots: Snapshots) -> List[str]:
    words = [
        "While it runs: systemctl stop %s. Its transaction is undone, and the job is %s as before." % (NAME, job.status)
    ]
    if snapshots.total:
        words.append("Afterwards the ids of before do not come back; the rows themselves are in the nightly dump.")
    else:
        words.append("Afterwards none is needed: it adds snapshots of pages that were crawled.")
    return words


def _remarks(facts: Facts, found: Warcs, size: int) -> List[str]:
    job = facts.job
    verified = [each for each in found.files if each.verified]
    told = [
        "What there is lies %s: %s. Read to the end for this plan: %d, %s; the unit reads all of it before it indexes."
        % (
            _KINDS[found.kind],
            _bytes(size),
            len(verified),
            _bytes(sum(each.size for each in verified)),
        )
    ]
    if facts.worker:
        told.append(
            "The worker runs and would not take it up by itself: it indexes only what it has crawled just then%s."
            % (". It has a transaction open now, for another job" if facts.worker_busy else "")
        )
    else:
        told.append("The worker does not run, and is not needed for this.")
    others = [each for each in facts.processes if each.job_id != job.id]
    if others:
        told.append(
            "Beside it %s: it takes longer."
            % ", ".join("job %s is indexed by process %d" % (each.job_id, each.pid) for each in others)
        )
    told += ["%s changes snapshots right now: it takes longer." % name for name in facts.others]
    if not facts.snapshots.total:
        told.append("Replay serves its pages when replay-reconcile has run for it, as root (contract 1.10).")
    return told


def _for_a_person(code: str, said: str, facts: Facts, settings: Settings, **evidence: Any) -> Refusal:
    """With what a person does, in order: look, put back or give up, plan again."""
    job = facts.job
    see = _cli(settings, "verify-warcs", "--id", str(job.id), "--level", "2")
    back = "Put whole copies where they belong (from the storage box, or a backup of %s)" % job.output_directory
    steps = "Nothing was touched; this is for a person. 1. See all of it: %s. 2. %s. " % (see, back)
    if code == "warcs_damaged" and not facts.snapshots.total:
        argv = _cli(settings, "verify-warcs", "--id", str(job.id), "--level", "1", "--apply-quarantine")
        steps += (
            "If there are none, and the pages in it may be lost: %s moves what is damaged aside and makes the job retryable, so "
            "that it is crawled again. " % argv
        )
    short = "A person's: see all of it. %s, then plan again. docs/indexing.md says what else can be done." % back
    evidence["next"] = {"why": short, "on_host": see}
    return Refusal(code, said, steps + "3. Plan again.", output_directory=job.output_directory, **evidence)


def _cli(settings: Settings, *words: str) -> str:
    """As it can be pasted: as the service's user, with its environment (contract 1.3, 2.1)."""
    inner = "set -a; source %s; set +a; exec %s" % (shlex.quote(settings.env_file), shlex.join([settings.cli, *words]))
    return "sudo -u %s bash -c %s" % (shlex.quote(settings.service_user), shlex.quote(inner))


def _shortened(told: Sequence[str]) -> str:
    more = len(told) - _NAMED
    return "; ".join(told[:_NAMED]) + ("; and %d more" % more if more > 0 else "")


def _bytes(size: int) -> str:
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return "%d B" % size if unit == "B" else "%.1f %s" % (value, unit)


def indexed_in(incident: str, job_id: int, events: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """When an act of this kind on this job, in this incident, ended well; None if none did."""
    begun = {
        event["data"]["action_id"]
        for event in events
        if event["kind"] == "action_begun"
        and event["data"]["action"] == ACTION
        and event["incident"] == incident
        and subject_of(job_id) in event["data"]["subjects"]
    }
    ended = [
        str(event["at"])
        for event in events
        if event["kind"] == "action_finished"
        and event["data"]["action_id"] in begun
        and event["data"]["outcome"] == "applied"
    ]
    return ended[-1] if ended else None
