# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of a job directory, recorded in its row."""

from __future__ import annotations

import os
from pathlib import Path

from healtharchive.crawler.state import FILE_NAME
from healtharchive.models import ArchiveJob, utc_now


def scan_storage(job: ArchiveJob) -> None:
    """Measure the job's directory without touching it; a missing directory measures zero."""
    root = Path(job.output_dir)
    total = temporary = temporary_other = warcs = warc_bytes = 0
    seen: set[tuple[int, int]] = set()
    for directory, _subdirectories, names in os.walk(root):
        in_temporary = any(part.startswith(".tmp") for part in Path(directory).relative_to(root).parts)
        for name in names:
            facts = os.lstat(os.path.join(directory, name))
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            is_warc = name.endswith(".warc.gz")
            total += facts.st_size
            warcs += is_warc
            warc_bytes += facts.st_size * is_warc
            temporary += facts.st_size * in_temporary
            temporary_other += facts.st_size * (in_temporary and not is_warc)
    job.output_bytes_total, job.tmp_bytes_total, job.tmp_non_warc_bytes_total = total, temporary, temporary_other
    job.warc_file_count, job.warc_bytes_total = warcs, warc_bytes
    job.storage_scanned_at = utc_now()
    state = root / FILE_NAME
    job.state_file_path = str(state) if state.exists() else None
