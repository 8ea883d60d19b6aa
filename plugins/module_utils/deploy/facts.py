# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy has to know of the host, before it and after it. None is: not known. Private to this collection."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

# Of the deploy lock file.
FREE, HELD, FOREIGN, UNKNOWN = "free", "held", "foreign", "unknown"


class Wish(NamedTuple):
    """What was asked for. ``accepted``: numbers of jobs whose crawl may be interrupted. ``timeout`` is in seconds."""

    ref: str
    accepted: Tuple[int, ...] = ()
    timeout: int = 3600
    install_units: bool = False
    apply_alerting: bool = False
    restart_replay: bool = False
    skip_public_check: bool = False


class Process(NamedTuple):
    """A unit as systemd shows it. ``current``: its process was started after the last change of code and environment."""

    loaded: bool
    state: str
    current: Optional[bool]


class Seen(NamedTuple):
    """What is on the disk, in the environment, in the database and in the processes. ``dirty``: files that are not as in the
    commit. ``schema``: what the database is at; ``schema_heads``: what the checkout wants."""

    head: Optional[str]
    git_problem: Optional[str]
    dirty: Optional[Tuple[str, ...]]
    on_main: Optional[bool]
    dependencies_met: Optional[bool]
    missing: Tuple[str, ...]
    database_reachable: Optional[bool]
    database_problem: Optional[str]
    schema: Optional[Tuple[str, ...]]
    schema_heads: Optional[Tuple[str, ...]]
    api: Optional[Process]
    worker: Optional[Process]

    @property
    def schema_at_head(self) -> Optional[bool]:
        if self.schema is None or self.schema_heads is None:
            return None
        return sorted(self.schema) == sorted(self.schema_heads)


class Commit(NamedTuple):
    """The commit that is to be deployed. ``known``: git has it, here or on origin/main. ``newer``, ``older``: how many commits
    lie between it and what is deployed, on its side and on the other. ``revisions``: the migrations that it has;
    ``new_revisions``: those of them that what is deployed has not. ``replaced``: the checkout has commits that stand in
    another's place, perhaps in this one's."""

    known: Optional[bool]
    on_main: Optional[bool]
    problem: Optional[str]
    origin_main: Optional[str] = None
    subject: Optional[str] = None
    newer: Optional[int] = None
    older: Optional[int] = None
    subjects: Tuple[str, ...] = ()
    revisions: Optional[Tuple[str, ...]] = None
    new_revisions: Tuple[str, ...] = ()
    units_changed: bool = False
    replaced: Optional[bool] = False


class Crawl(NamedTuple):
    """A job whose row says that it runs, or whose lock is held. ``status`` None: it has no row."""

    job: int
    name: str
    source: Optional[str]
    status: Optional[str]
    lock: str

    def words(self) -> str:
        said = "job %d (%s%s)" % (self.job, self.name or "without a name", "" if self.source else ", without a source")
        if self.status != "running":
            return "%s: its row says %s, and its lock is held" % (said, self.status or "nothing")
        if self.lock in ("free", "absent"):
            return "%s: its row says running, and nobody holds its lock" % said
        return said


class Facts(NamedTuple):
    """Everything that a plan depends on. ``crawls`` None: which run is not known, and ``crawls_problem`` says why."""

    seen: Seen
    commit: Commit
    checkout: str
    checkout_owner: Optional[str]
    service_user: str
    script_there: bool
    env_file: str
    env_readable: Optional[bool]
    env_problem: Optional[str]
    sudo: Optional[bool]
    sudo_problem: Optional[str]
    lock_file: str
    lock: str
    lock_owner: Optional[str]
    lock_holders: Tuple[str, ...]
    deploys: Tuple[str, ...]
    clearance: Optional[str]
    crawls: Optional[Tuple[Crawl, ...]]
    crawls_problem: Optional[str]
    webhook_there: bool
