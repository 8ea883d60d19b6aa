# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""verify-warcs (contract 2.3, 2.7)."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from healtharchive.cli.common import Commands, add, fail, find_job
from healtharchive.database import session_scope
from healtharchive.models import ArchiveJob, Snapshot, utc_now
from healtharchive.verification import Problem, verify_file
from healtharchive.warc_discovery import discover


def register(commands: Commands) -> None:
    """Add the sub-command."""
    parser = add(commands, "verify-warcs", verify_warcs, "Read a job's WARC files.")
    parser.add_argument("--job-id", "--id", dest="id", type=int, required=True)
    parser.add_argument("--level", type=int, choices=(0, 1, 2), default=1)
    parser.add_argument("--since-minutes", type=int)
    parser.add_argument("--limit-warcs", type=int)
    parser.add_argument("--max-decompressed-bytes", "--max-bytes", dest="max_bytes", type=int)
    parser.add_argument("--max-records", type=int)
    parser.add_argument("--json-out", type=Path)
    parser.add_argument("--metrics-file", type=Path)
    parser.add_argument("--apply-quarantine", action="store_true")


@dataclass(frozen=True)
class _Result:
    job_id: int
    total: int
    checked: list[Path]
    problems: list[Problem]

    def summary(self) -> dict[str, int]:
        """The counts that the summary line and the JSON report share."""
        failed = len(self.problems)
        return {
            "total": self.total,
            "checked": len(self.checked),
            "ok": len(self.checked) - failed,
            "failed": failed,
        }


def verify_warcs(arguments: argparse.Namespace) -> int:
    """Always writes a report into the job directory."""
    for option in ("since_minutes", "limit_warcs", "max_bytes", "max_records"):
        value = getattr(arguments, option)
        if value is not None and value <= 0:
            return fail(f"--{option.replace('_', '-')} must be > 0.", 2)
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        if arguments.apply_quarantine and (reason := _quarantine_refusal(session, job)):
            return fail(reason, 2)
        output_dir = Path(job.output_dir)
    found = list(discover(output_dir).paths)
    if not found:
        return fail(f"No WARC files found for job {arguments.id} in {output_dir}.")
    checked = found
    if arguments.since_minutes is not None:
        oldest = time.time() - arguments.since_minutes * 60
        checked = [path for path in checked if path.stat().st_mtime >= oldest]
    checked = checked[: arguments.limit_warcs]
    looked_at = (verify_file(path, arguments.level, arguments.max_bytes, arguments.max_records) for path in checked)
    result = _Result(arguments.id, len(found), checked, [problem for problem in looked_at if problem])
    report = _write_report(arguments, output_dir, result)
    print("Summary: " + " ".join(f"{name}={count}" for name, count in result.summary().items()))
    if result.problems:
        print("Failures:")
        for problem in result.problems:
            print(f"- path={problem.path} kind={problem.kind} error={problem.error}")
    print(f"JSON report: {report}")
    if arguments.apply_quarantine and result.problems:
        _quarantine(arguments.id, output_dir, result.problems)
    return 1 if result.problems else 0


def _quarantine_refusal(session: Session, job: ArchiveJob) -> str | None:
    if job.status == "running":
        return f"Job {job.id} is running; refusing to quarantine."
    if session.scalar(select(Snapshot.id).where(Snapshot.job_id == job.id).limit(1)) is not None:
        return f"Job {job.id} has snapshots; refusing to quarantine."
    return None


def _write_report(arguments: argparse.Namespace, output_dir: Path, result: _Result) -> Path:
    report = output_dir / "warc_verify" / f"verify-warcs-{result.job_id}-{utc_now():%Y%m%dT%H%M%SZ}.json"
    report.parent.mkdir(exist_ok=True)
    failures = [{"path": str(item.path), "kind": item.kind, "error": item.error} for item in result.problems]
    content = {"job_id": result.job_id, "level": arguments.level, "summary": result.summary(), "failures": failures}
    text = json.dumps(content, indent=2)
    report.write_text(text)
    if arguments.json_out:
        arguments.json_out.write_text(text)
    if arguments.metrics_file:
        labels = f'{{job_id="{result.job_id}"}}'
        arguments.metrics_file.write_text(
            "".join(f"healtharchive_warc_verify_{name}{labels} {n}\n" for name, n in result.summary().items())
        )
    return report


def _quarantine(job_id: int, output_dir: Path, problems: list[Problem]) -> None:
    target = output_dir / "warcs_quarantine" / f"{utc_now():%Y%m%dT%H%M%SZ}"
    target.mkdir(parents=True)
    for problem in problems:
        shutil.move(problem.path, target / problem.path.name)
    (output_dir / "WARCS_QUARANTINED.txt").write_text("".join(f"{problem.path}\n" for problem in problems))
    with session_scope() as session:
        job = session.get_one(ArchiveJob, job_id)
        job.status, job.retry_count = "retryable", 0
    print(f"Quarantined {len(problems)} file(s) to {target}")
