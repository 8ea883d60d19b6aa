# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How deep a WARC file is looked at: 0 opens it, 1 decompresses it, 2 parses every record."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from healtharchive.storage_errors import STORAGE_ERRNOS
from healtharchive.warc import records

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file; ``infra_error`` speaks of the storage, not of the file."""

    path: Path
    kind: str
    error: str


def verify_file(path: Path, level: int, max_bytes: int | None = None, max_records: int | None = None) -> Problem | None:
    """Verify one file; the limits bound how much of it is read, in decompressed bytes and in records."""
    try:
        with path.open("rb") as stream:
            stream.read(2)
        if level >= 1:
            _decompress(path, max_bytes)
        if level >= 2:
            for number, _record in enumerate(records(path), start=1):
                if number == max_records:
                    break
    except OSError as error:
        # gzip's own complaint about a bad magic number is an OSError without a number.
        kind = "infra_error" if error.errno in STORAGE_ERRNOS else "corrupt_or_unreadable"
        return Problem(path, kind, str(error))
    except (EOFError, zlib.error, ValueError) as error:
        return Problem(path, "corrupt_or_unreadable", str(error))
    return None


def _decompress(path: Path, max_bytes: int | None) -> None:
    seen = 0
    with gzip.open(path) as stream:
        while chunk := stream.read(CHUNK):
            seen += len(chunk)
            if max_bytes is not None and seen >= max_bytes:
                return
