# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service's recovery says of the jobs that it changes, or would change."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional, Tuple

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import stale_jobs
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.stale_jobs import Candidate
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"
NAMES = sorted(path.name for path in TRANSCRIPTS.glob("recover-stale-jobs-*.txt"))


def read(name: str) -> bytes:
    return (TRANSCRIPTS / ("recover-stale-jobs-%s.txt" % name)).read_bytes()


def test_a_dry_run_with_all_its_sections() -> None:
    found = stale_jobs.report(read("dry-run"))
    started = "2026-11-23T10:45:28Z"
    assert found == stale_jobs.Report(
        applied=False,
        older_than_minutes=180,
        cutoff="2026-11-23T12:45:30Z",
        source=None,
        limit=None,
        no_progress_seconds=3600,
        progressing={1012: 2},
        locked={
            1010: "lock held: /tmp/healtharchive-job-locks/job-1010.lock",
            1011: "lock probe failed: [Errno 13] Permission denied: '/tmp/healtharchive-job-locks/job-1011.lock'",
        },
        candidates=(
            Candidate(1014, "hc", started, 300, None, "missing-dir"),
            Candidate(1015, None, started, 300, None, "null-source"),
        ),
        recovered=None,
    )


def test_a_job_without_a_start() -> None:
    *_others, last = stale_jobs.report(read("missing-start")).candidates
    assert last == Candidate(8, "cihr", None, None, 18106, "cihr-killed-together")


@pytest.mark.parametrize(
    ("name", "recovered", "left"),
    [
        ("none", None, {}),
        ("none-applied", 0, {}),
        ("all-progressing", None, {6: 18111, 7: 18111}),
        ("all-locked-apply", 0, {7: "lock held: /srv/healtharchive/ops/locks/jobs/job-7.lock"}),
    ],
)
def test_none_in_the_words_of_the_program(name: str, recovered: Optional[int], left: object) -> None:
    found = stale_jobs.report(read(name))
    assert found.candidates == ()
    assert found.recovered == recovered
    assert {**found.progressing, **found.locked} == left


def test_what_was_asked_for_is_read_back() -> None:
    found = stale_jobs.report(
        read("applied").replace(b"filter:   (none)", b"filter:   hc").replace(b"t:           (none)", b"t:           5")
    )
    assert (found.applied, found.recovered, found.source, found.limit) == (True, 3, "hc", 5)
    assert [job.id for job in found.candidates] == [6, 7, 8]


JOB = "job_id=%d source=hc status=running started_at=2026-11-28T09:40:56+00:00 age_min=301 last_progress_age_seconds=5 name=%s"


def applied(names: List[str]) -> bytes:
    """An output as the program writes it for jobs 1, 2, ... of these names."""
    head = read("none-applied").decode().rpartition("No stale")[0]
    jobs = "".join(JOB % (number, name) + "\n" for number, name in enumerate(names, start=1))
    return (head + jobs + "\nRecovered %d job(s) (set status=retryable).\n" % len(names)).encode()


@pytest.mark.parametrize(
    "name", ["", "two  spaces ", "\x1b[31mred", "tab\there", "a\nb", "\n\n", "\nDry-run only", "x\r"]
)
def test_a_name_may_be_anything(name: str) -> None:
    found = stale_jobs.report(applied([name, "next"]))
    assert [job.name for job in found.candidates] == [name, "next"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        # More jobs than the program counted: one is part of a name.
        ("x\n" + JOB % (99, "forged"), "bad_evidence"),
        ("x\n" + JOB % (2, "forged"), "bad_evidence"),
        ("x\n\nRecovered 9 job(s) (set status=retryable).", None),
    ],
)
def test_a_name_that_forges_a_line(name: str, code: Optional[str]) -> None:
    if code is None:
        assert stale_jobs.report(applied([name, "next"])).candidates[0].name == name
        return
    with pytest.raises(ParseError) as caught:
        stale_jobs.report(applied([name, "next"]))
    assert caught.value.code == code


def test_a_name_that_forges_a_job_in_a_dry_run_is_shown_by_the_name_above_it() -> None:
    """A dry run counts nothing. What the row above is really called, the rows know."""
    dry = applied(["x\n" + JOB % (99, "forged")]).replace(b"APPLY", b"DRY-RUN").rpartition(b"Recovered")[0]
    found = stale_jobs.report(dry + b"Dry-run only; re-run with --apply to mark these jobs as retryable.\n")
    assert [(job.id, job.name) for job in found.candidates] == [(1, "x"), (99, "forged")]


DRY = "Dry-run only; re-run with --apply to mark these jobs as retryable."
CHANGES: List[Tuple[str, str, str, str]] = [
    ("none", "No stale running jobs found.", "", "truncated"),
    ("none", "No stale running jobs found.", "No stale running jobs", "truncated"),
    ("none", "DRY-RUN", "LIVE", "unparsable"),
    ("none", "180 minute(s)", "soon", "unparsable"),
    ("none", "Recover Stale Jobs", "Recover Jobs", "unparsable"),
    ("none-applied", "No stale running jobs found.", "Recovered 2 job(s) (set status=retryable).", "bad_evidence"),
    ("applied", "Recovered 3", "Recovered 2", "bad_evidence"),
    ("applied", "APPLY", "DRY-RUN", "truncated"),
    ("missing-start", "DRY-RUN", "APPLY", "truncated"),
    ("missing-start", DRY, "No stale running jobs found.", "bad_evidence"),
    ("missing-start", "job_id=7", "job_id=6", "bad_evidence"),
    ("missing-start", "2026-11-28T09:40:56+00:00", "2026-13-28T09:40:56+00:00", "unparsable"),
    ("dry-run", "job_id=1010", "job_id=1012", "bad_evidence"),
    ("dry-run", "job_id=1012", "job=1012", "unparsable"),
    ("dry-run", "Skipping jobs with recent progress:", "Skipping jobs:", "unparsable"),
    ("dry-run", "Require progress: no progress for ≥3600s\n", "", "bad_evidence"),
    ("all-progressing", "matched the progress requirement.", "found.", "bad_evidence"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "code"), CHANGES)
def test_what_is_not_as_it_should_be_is_never_none(name: str, old: str, new: str, code: str) -> None:
    text = read(name).decode()
    assert old in text
    with pytest.raises(ParseError) as caught:
        stale_jobs.report(text.replace(old, new).encode())
    assert caught.value.code == code


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\n", b"No jobs found.\n"])
def test_nothing_is_not_none(content: bytes) -> None:
    with pytest.raises(ParseError):
        stale_jobs.report(content)


@given(name=st.sampled_from(NAMES), data=st.data())
def test_a_cut_output_is_refused(name: str, data: st.DataObject) -> None:
    content = (TRANSCRIPTS / name).read_bytes()
    with pytest.raises(ParseError):
        stale_jobs.report(content[: data.draw(st.integers(0, len(content) - 1))])


@given(
    names=st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n")), min_size=1, max_size=5)
)
def test_every_job_is_read_whatever_the_names(names: List[str]) -> None:
    found = stale_jobs.report(applied(names))
    assert [(job.id, job.name) for job in found.candidates] == list(enumerate(names, start=1))
    assert found.recovered == len(names)


@given(names=st.lists(st.text(st.sampled_from("ab \n=")), min_size=1, max_size=4))
def test_no_job_is_lost_by_a_line_end_in_a_name(names: List[str]) -> None:
    found = stale_jobs.report(applied(names))
    assert [(job.id, job.name) for job in found.candidates] == list(enumerate(names, start=1))


@given(st.sampled_from(NAMES), st.data())
def test_a_line_that_is_lost_or_doubled_is_no_other_set_of_jobs(name: str, data: st.DataObject) -> None:
    """Unless the program's own count goes with it: a dry run has none, and there the rows are asked."""
    content = (TRANSCRIPTS / name).read_bytes()
    whole = stale_jobs.report(content)
    lines = content.splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    copies = data.draw(st.sampled_from([0, 2]))
    try:
        found = stale_jobs.report(
            b"".join([*lines[:number], *lines[number : number + 1] * copies, *lines[number + 1 :]])
        )
    except ParseError:
        return
    assert whole.recovered is None or {job.id for job in found.candidates} == {job.id for job in whole.candidates}
    assert bool(found.candidates) == bool(whole.candidates)
