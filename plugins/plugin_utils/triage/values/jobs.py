# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs a rule means, and what is said of them. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Iterator, List

from ..evidence import Evidence
from ..templates import Value
from ..unknown import kind
from .reading import Look, Records, found_at, listed, mappings, shortened

_jobs = listed("jobs", "jobs")
OPEN = ["queued", "running", "retryable", "failed"]
# As the rule `indexing_not_started` has it.
UNINDEXED_SECONDS = 3600


def picked(**wanted: List[Any]) -> Records:
    """The jobs of which each named member has one of the values."""

    def jobs(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
        yield from (job for job in _jobs(evidence) if all(job.get(key) in value for key, value in wanted.items()))

    return jobs


def stale(evidence: Evidence) -> List[Mapping[str, Any]]:
    return [job for job in _jobs(evidence) if job.get("status") == "running" and job.get("stale") is True]


stalled = picked(status=["running"], stalled=[True])
poisoned = picked(status=["failed", "retryable"], poisoned_resume=[True])
unlistable = picked(listable=[False])
unwritable = picked(status=OPEN, writable=[False])
local = picked(status=["queued", "running", "retryable"], tier=["local"])


def rejected(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    for job in picked(status=["failed", "retryable"])(evidence):
        if job.get("crawler_status") == "infra_error_config" or kind(job.get("rejected_options")) == "text":
            yield job


def unindexed(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """Crawls that ended well so long ago that nobody is going to index them by himself."""
    for job in picked(status=["completed"])(evidence):
        age = job.get("finished_age_seconds")
        if kind(age) == "number" and age >= UNINDEXED_SECONDS:
            yield job


def healthy(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """Crawls that something runs, and of which nothing bad is known."""
    for job in picked(status=["running"], stale=[False])(evidence):
        if job.get("stalled") is not True:
            yield job


def reconciled(member_name: str) -> Records:
    def records(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
        listing = found_at(evidence, "jobs", "annual_options")
        yield from (record for record in mappings(listing) if record.get(member_name) is True)

    return records


def job_names(**wanted: Any) -> Look:
    """Jobs as people know them: number, source and name."""

    def names(evidence: Evidence) -> Value:
        return named(picked(**wanted))(evidence)

    return names


def named(jobs: Records) -> Look:
    def names(evidence: Evidence) -> Value:
        found = ["%s (%s, %s)" % (job.get("id"), job.get("source"), job.get("name")) for job in jobs(evidence)]
        return shortened(found)

    return names


def drifted_options(evidence: Evidence) -> Value:
    texts = []
    for record in reconciled("options_drifted")(evidence):
        changes = record.get("changes")
        shown = [str(change) for change in changes] if isinstance(changes, (list, tuple)) else []
        texts.append("%s: %s" % (record.get("job_id"), "; ".join(shown)))
    return shortened(texts)


def progress(evidence: Evidence) -> Value:
    """How far the stalled crawls are, since when, and what their logs name."""
    texts = []
    for job in stalled(evidence):
        words = ["%s:" % job.get("id")]
        if kind(job.get("crawled")) == "number":
            words.append("%s of %s pages" % (job["crawled"], job.get("crawl_total")))
        if kind(job.get("progress_age_seconds")) == "number":
            words.append("for %.1f h" % (job["progress_age_seconds"] / 3600))
        if kind(job.get("navigation_timeouts")) == "number":
            words.append(
                "(%s navigation timeouts, %s HTTP/2 errors)" % (job["navigation_timeouts"], job.get("http2_errors"))
            )
        texts.append(" ".join(words))
    return shortened(texts)
