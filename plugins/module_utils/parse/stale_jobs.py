# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``healtharchive recover-stale-jobs`` says (contract 2.6).

A job's name stands last on its line and is free text: it may hold a line end and a line that looks like another job. So a
report is a claim; what it claims is compared with the rows before anything is done (``stuck/decision.py``).
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from . import times
from .errors import BAD_EVIDENCE, EMPTY, TRUNCATED, UNPARSABLE, ParseError
from .text import decode


class Candidate(NamedTuple):
    """A job that is, or would be, recovered. ``source`` None: it has none. Times are UTC. ``progress_age_seconds`` None: the
    program could not tell, and counts that as no progress."""

    id: int
    source: Optional[str]
    started_at: Optional[str]
    age_minutes: Optional[int]
    progress_age_seconds: Optional[int]
    name: str


class Report(NamedTuple):
    """``cutoff`` is the moment before which a job must have started, UTC. ``progressing`` and ``locked`` are what was skipped and
    why: seconds since the last progress, and the words on the lock. ``recovered`` is the number of jobs that were changed, None
    for a dry run."""

    applied: bool
    older_than_minutes: int
    cutoff: str
    source: Optional[str]
    limit: Optional[int]
    no_progress_seconds: Optional[int]
    progressing: Dict[int, int]
    locked: Dict[int, str]
    candidates: Tuple[Candidate, ...]
    recovered: Optional[int]


_TITLE = "HealthArchive Backend \u2013 Recover Stale Jobs"
_PROGRESSING = "Skipping jobs with recent progress:"
_LOCKED = "Skipping jobs that appear to still be running (job lock held):"
_NONE = "No stale running jobs found."
_NONE_QUIET = "No stale running jobs matched the progress requirement."
_NONE_SAFE = re.compile(r"No stale running jobs matched the safety checks\.(?: Hint: .*)?")
_DRY = "Dry-run only; re-run with --apply to mark these jobs as retryable."
_DONE = re.compile(r"Recovered ([0-9]{1,9}) job\(s\) \(set status=retryable\)\.")
_NUMBER = r"([0-9]{1,9})"
_HEADER = {
    "mode": re.compile(r"Mode: +(DRY-RUN|APPLY)"),
    "older": re.compile(r"Older than: +" + _NUMBER + r" minute\(s\)"),
    "cutoff": re.compile(r"Cutoff \(UTC\): +([^ ]+)"),
    "source": re.compile(r"Source filter: +([^ ]+)"),
    "limit": re.compile(r"Limit: +(?:" + _NUMBER + r"|\(none\))"),
}
_QUIET = re.compile(r"Require progress: no progress for [^0-9 ]{1,2}" + _NUMBER + "s")
_SKIPPED_QUIET = re.compile(r"- job_id=" + _NUMBER + r" \(progress_age_seconds=" + _NUMBER + r" < [0-9]+\)")
_SKIPPED_LOCK = re.compile(r"- job_id=" + _NUMBER + r" \((lock (?:held|probe failed): .*)\)")
_JOB = re.compile(
    r"job_id=" + _NUMBER + r" source=([^ ]+) status=running started_at=(None|[^ ]+) age_min=(None|[0-9]{1,9}) "
    r"last_progress_age_seconds=(-|[0-9]{1,12}) name=(.*)"
)


def report(stdout: bytes) -> Report:
    """The output of a run that ended with exit code 0. A report without candidates is one that says so in the program's own
    words: nothing, or half of it, is never "none".

    Raises ParseError: ``empty``, ``truncated``, ``unparsable``, ``bad_evidence`` (it contradicts itself).
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "recover-stale-jobs printed nothing")
    if not stdout.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of recover-stale-jobs' output is missing")
    lines = decode(stdout).split("\n")[:-1]
    if len(lines) < 2 + len(_HEADER) + 1 or lines[0] != _TITLE:
        raise ParseError(UNPARSABLE, "recover-stale-jobs printed no known header: " + lines[0])
    header = {}
    for line, (name, pattern) in zip(lines[2:], _HEADER.items()):
        match = pattern.fullmatch(line)
        if match is None:
            raise ParseError(UNPARSABLE, "recover-stale-jobs printed where its %s should stand: %s" % (name, line))
        header[name] = match.group(1)
    rest = lines[2 + len(_HEADER) :]
    quiet = _QUIET.fullmatch(rest[0])
    body = rest[1:] if quiet else rest
    applied = header["mode"] == "APPLY"
    recovered = _ending(body, applied)
    progressing, locked, candidates = _sections(body[:-1])
    _refuse_contradictions(body[-1], quiet is not None, progressing, locked, candidates, recovered)
    return Report(
        applied=applied,
        older_than_minutes=int(header["older"]),
        cutoff=_time(header["cutoff"]),
        source=None if header["source"] == "(none)" else header["source"],
        limit=None if header["limit"] is None else int(header["limit"]),
        no_progress_seconds=int(quiet.group(1)) if quiet else None,
        progressing=progressing,
        locked=locked,
        candidates=tuple(candidates),
        recovered=recovered,
    )


def _ending(body: List[str], applied: bool) -> Optional[int]:
    """How many jobs the last line says were changed; None where it is a dry run's."""
    last = body[-1] if body else ""
    if last in (_NONE, _NONE_QUIET) or _NONE_SAFE.fullmatch(last):
        return 0 if applied else None
    if not applied and last == _DRY:
        return None
    done = _DONE.fullmatch(last)
    if applied and done is not None:
        return int(done.group(1))
    raise ParseError(TRUNCATED, "recover-stale-jobs ended with: " + last)


def _sections(body: List[str]) -> Tuple[Dict[int, int], Dict[int, str], List[Candidate]]:
    progressing: Dict[int, int] = {}
    locked: Dict[int, str] = {}
    candidates: List[Candidate] = []
    section = None
    for line in body:
        job = _JOB.fullmatch(line)
        if job is not None:
            candidates.append(_candidate(job))
        elif candidates:
            # Below a job only jobs come, and what belongs to the name above.
            candidates[-1] = candidates[-1]._replace(name=candidates[-1].name + "\n" + line)
        elif line in (_PROGRESSING, _LOCKED):
            section = line
        elif line:
            _add_skipped(line, section, progressing, locked)
    if candidates:
        # The empty line before the last one is the report's own.
        last = candidates[-1]
        if not last.name.endswith("\n"):
            raise ParseError(UNPARSABLE, "recover-stale-jobs printed no empty line below its jobs")
        candidates[-1] = last._replace(name=last.name[:-1])
    return progressing, locked, candidates


def _add_skipped(line: str, section: Optional[str], progressing: Dict[int, int], locked: Dict[int, str]) -> None:
    quiet, held = _SKIPPED_QUIET.fullmatch(line), _SKIPPED_LOCK.fullmatch(line)
    if section == _PROGRESSING and quiet is not None and int(quiet.group(1)) not in progressing:
        progressing[int(quiet.group(1))] = int(quiet.group(2))
    elif section == _LOCKED and held is not None and int(held.group(1)) not in locked:
        locked[int(held.group(1))] = held.group(2)
    else:
        raise ParseError(UNPARSABLE, "recover-stale-jobs printed: " + line)


def _candidate(match: "re.Match[str]") -> Candidate:
    job, source, started, age, progress, name = match.groups()
    return Candidate(
        int(job),
        None if source == "?" else source,
        None if started == "None" else _time(started),
        None if age == "None" else int(age),
        None if progress == "-" else int(progress),
        name,
    )


def _time(value: str) -> str:
    try:
        return times.from_zoned(value)
    except ValueError as error:
        raise ParseError(UNPARSABLE, "recover-stale-jobs printed an impossible time: " + value) from error


def _refuse_contradictions(
    last: str,
    quiet: bool,
    progressing: Dict[int, int],
    locked: Dict[int, str],
    candidates: List[Candidate],
    recovered: Optional[int],
) -> None:
    named = [*progressing, *locked, *(candidate.id for candidate in candidates)]
    if len(set(named)) != len(named):
        raise ParseError(BAD_EVIDENCE, "recover-stale-jobs names a job twice: one of them may be part of a name")
    none = last in (_NONE, _NONE_QUIET) or _NONE_SAFE.fullmatch(last) is not None
    if none is bool(candidates):
        raise ParseError(BAD_EVIDENCE, "recover-stale-jobs names %d jobs and says: %s" % (len(candidates), last))
    if recovered is not None and recovered != len(candidates):
        raise ParseError(
            BAD_EVIDENCE, "recover-stale-jobs says that it changed %d jobs and names %d" % (recovered, len(candidates))
        )
    fits = {_NONE: not named, _NONE_QUIET: bool(progressing) and not locked}
    if progressing and not quiet or not fits.get(last, True):
        raise ParseError(
            BAD_EVIDENCE, "recover-stale-jobs skips jobs for what it was not asked for, or for nothing it names"
        )
