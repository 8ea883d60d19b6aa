# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a job that is to be indexed. No input, no output. Private to this collection."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional, Tuple

ACTION = "indexing"
NAME = "healtharchive-remediation-indexing.service"


class Wish(NamedTuple):
    """What was said. ``level``: how deep the WARC files are verified, as in ``verify-warcs``. ``timeout``: seconds."""

    job_id: int
    reindex: bool
    level: int
    timeout: int


class Job(NamedTuple):
    """The row. ``warc_files``: what the service itself counted at its last scan of the directory, 0 if there was none."""

    id: int
    name: str
    source: Optional[str]
    status: str
    output_directory: str
    started_at: Optional[str]
    finished_at: Optional[str]
    finished_seconds: Optional[float]
    indexed_pages: Optional[int]
    warc_files: int
    config: Any


class Snapshots(NamedTuple):
    """Those of the job. ``files``: WARC file -> how many of them point to it."""

    total: int
    first: Optional[int]
    last: Optional[int]
    files: Mapping[str, int]


class Transaction(NamedTuple):
    """One that is open in the database, of another connection. ``port``: the client's, None where it has none. ``writes``: it
    changes snapshots."""

    port: Optional[int]
    seconds: float
    writes: bool
    waits: bool


class Rows(NamedTuple):
    """What the database says at one time. ``newest``: the crawled and not indexed job that ended last. ``size``: of the table of
    snapshots on the disk, in bytes, what is not committed yet included."""

    job: Optional[Job]
    snapshots: Snapshots
    transactions: Tuple[Transaction, ...]
    newest: Optional[int]
    size: int


class Directory(NamedTuple):
    """Where the job's files lie. ``state``: ``ok``, or what is wrong with it or with the mount that it lies on, and ``why`` in
    words. ``state_file``: the service's own look for WARC files writes the crawl's state anew."""

    state: str
    why: str


class Warc(NamedTuple):
    """A WARC file. ``problem``: why it cannot be used, None where none was seen. ``verified``: read to its end."""

    path: str
    size: int
    problem: Optional[str]
    verified: bool


class Warcs(NamedTuple):
    """``kind``: ``stable`` (in ``warcs/``), ``temporary`` or ``plain``. ``all_files``: how many there are anywhere below the
    directory. ``promised``: name -> size by the manifest in ``warcs/``; None where there is none that can be read."""

    kind: str
    files: Tuple[Warc, ...]
    all_files: int
    promised: Optional[Mapping[str, Optional[int]]]


class Process(NamedTuple):
    """Somebody's ``index-job``. ``unit``: of which unit it is, None where that cannot be told."""

    pid: int
    job_id: Optional[int]
    unit: Optional[str]


class Facts(NamedTuple):
    """``warcs`` None: they were not looked at, for another reason to refuse is known. ``lock``: of the job: held, free, absent or
    unknown. ``worker``: whether it runs; ``worker_busy``: whether it has a transaction open."""

    job: Job
    snapshots: Snapshots
    newest: Optional[int]
    lock: str
    processes: Tuple[Process, ...]
    worker: bool
    worker_busy: Optional[bool]
    others: Tuple[str, ...]
    directory: Optional[Directory]
    warcs: Optional[Warcs]
