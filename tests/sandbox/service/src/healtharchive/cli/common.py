# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sub-commands share: headings, errors, argument types."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from healtharchive.models import ArchiveJob

Commands = Any  # argparse keeps the type of its sub-parser collection private.
Command = Callable[[argparse.Namespace], int]


def add(commands: Commands, name: str, function: Command, help_text: str) -> argparse.ArgumentParser:
    """Register one sub-command."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(function=function)
    return parser


def heading(title: str) -> str:
    """A report's first two lines; the dash in the name is U+2013."""
    line = f"HealthArchive Backend – {title}"
    return f"{line}\n{'-' * len(line)}"


def fail(message: str, code: int = 1) -> int:
    """Print one error line on standard error and return the exit code."""
    print(f"ERROR: {message}", file=sys.stderr)
    return code


def find_job(session: Session, job_id: int) -> ArchiveJob | None:
    """The job, or ``None`` after saying that there is none."""
    job = session.get(ArchiveJob, job_id)
    if job is None:
        fail(f"Job {job_id} not found.")
    return job
