# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a decision on output directories is made from. No input, no output. Private to this collection."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional, Tuple


class Directory(NamedTuple):
    """The output directory of a job that is not finished.

    ``lock``: of the job: ``held``, ``free``, ``absent`` or ``unknown``. ``year``: of its annual campaign; ``campaign``: whether
    its configuration says so, ``present`` or ``lost``. ``state``: ``ok``, ``missing``, ``stale``, ``hung`` or ``error``; None:
    not seen. ``tier``: of an annual job: ``mounted``, ``local`` or ``no_directory``. ``writable``: for the worker's user, by the
    kernel. ``fstype``, ``options``: of the file system that it lies on. ``entries``: how many lie in it, where it is on the local
    disk. ``failed_on_it``: whether its last crawl failed because it could not be written, and wrote no log.
    """

    job: int
    source: Optional[str]
    status: str
    retry_count: Optional[int]
    path: Optional[str]
    lock: str = "absent"
    year: Optional[int] = None
    campaign: Optional[str] = None
    state: Optional[str] = "ok"
    tier: Optional[str] = None
    writable: Optional[bool] = True
    fstype: Optional[str] = None
    options: Optional[str] = None
    entries: Optional[int] = None
    failed_on_it: Optional[bool] = False
    # Why a retry is refused: it was tried before at this commit, and failed in the same way.
    parked: Optional[str] = None


class Tiering(NamedTuple):
    """What a dry run of the annual tiering says for one source of one year: hot path -> cold path of what it would bind, or why
    it does not say."""

    binds: Mapping[str, str] = {}
    problem: Optional[str] = None


class Facts(NamedTuple):
    """``tiering``: by year and source. What a person's commands name: the worker's ``user``, the service's command and its
    tiering script, the environment file, and where the directories of jobs lie on the storage ``box``."""

    directories: Tuple[Directory, ...]
    tiering: Mapping[Tuple[int, str], Tiering]
    user: str
    cli: str
    tier_script: str
    env_file: str
    box: str
    truncated: bool = False
