# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running ``replay-reconcile`` as root, as the service does (contract 1.10), with the archive read-only under it.

As root it would write the crawler's state file of a job, which the worker could not write any more (surprise 17). Here it cannot:
in a mount name space of its own nothing below the archive root can be written. What it writes lies with the collections.
Private to this collection.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from typing import Dict, Iterator, List, Sequence

from .. import host, service
from ..parse import replay_reconcile
from ..parse.errors import ParseError
from ..probe import Context, complaint, failed
from ..refusal import Refusal
from ..tiers import survey
from .facts import PASSED_OVER

PLAN_SECONDS = 60.0
# An index of some gigabytes takes minutes.
RUN_SECONDS = 540.0
_PARENT = "/run"
_NAME = "replay-reconcile"
# The archive could not be made read-only: the command was not run.
_UNFENCED = 97

# Constants of <sched.h> and <sys/mount.h>.
_FENCE = r"""
import ctypes, json, os, sys
NEW_NAME_SPACE, READ_ONLY, REMOUNT, BIND, RECURSIVE, PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18
root, points = json.loads(sys.argv[1])
argv = sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)
def done(code, what):
    if code != 0:
        print("ERROR: %s: %s" % (what, os.strerror(ctypes.get_errno())), file=sys.stderr)
        sys.exit(97)
def mount(source, target, flags):
    given = [None if path is None else os.fsencode(path) for path in (source, target)]
    done(libc.mount(given[0], given[1], None, ctypes.c_ulong(flags), None), target)
done(libc.unshare(NEW_NAME_SPACE), "a mount name space of its own")
mount(None, "/", RECURSIVE | PRIVATE)
mount(root, root, BIND | RECURSIVE)
for point in [root, *points]:
    mount(None, point, BIND | REMOUNT | READ_ONLY)
if not os.statvfs(root).f_flag & os.ST_RDONLY:
    sys.exit(97)
os.execv(argv[0], argv)
"""


class NotRun(Exception):
    """It did not run to its end, or what it said cannot be read. One line."""


def would(context: Context, jobs: Sequence[int]) -> Dict[int, str]:
    """What a dry run says of these jobs: why their index is not written, ``""`` where it would be. :class:`Refusal`."""
    problem = context.database_problem()
    if problem is not None:
        raise Refusal(
            "database_unproven",
            "Which database the service's commands would use is not certain: %s" % problem.message,
            "Correct the environment file first: without a PostgreSQL URL they see an empty file and say that all is well.",
        )
    try:
        with _throw_away() as directory:
            argv = service.replay_reconcile(context.settings, jobs, directory + "/lock")
            said = _run(context, argv, PLAN_SECONDS, False)
    except NotRun as error:
        raise Refusal(
            "reconcile_unreadable",
            "Which indexes are behind is not known: %s." % error,
            "Run it by hand, as root with the environment loaded, as a dry run: %s %s --job-id %s"
            % (context.settings.cli, _NAME, " ".join(map(str, jobs))),
        ) from error
    beside = sorted(said.taken - set(jobs))
    if beside:
        raise Refusal(
            "evidence_contradictory",
            "Asked for other jobs, replay-reconcile would write the index of job %d." % beside[0],
            "See what this version does: its dry run names jobs that it was not asked for.",
        )
    return {job: "" if job in said.taken else _not_taken(said, job) for job in jobs}


def write(context: Context, job: int) -> None:
    """Write the index of this one job. :class:`NotRun`; what became of it is seen at the collection."""
    said = _run(context, service.replay_reconcile_applied(context.settings, job), RUN_SECONDS, True)
    if said.taken != {job}:
        raise NotRun(
            "replay-reconcile took %s" % (", ".join("job %d" % each for each in sorted(said.taken)) or "no job")
        )
    # With exit code 0 (contract 2.3). A page that was served before is served still, and would not tell.
    if said.failed:
        raise NotRun("replay-reconcile says that writing it failed")


def _not_taken(said: replay_reconcile.Report, job: int) -> str:
    if job in said.blocked:
        return "replay-reconcile cannot write its index: %s" % (said.blocked[job] or "it does not say why")
    return PASSED_OVER


def _run(context: Context, argv: Sequence[str], seconds: float, applies: bool) -> replay_reconcile.Report:
    settings = context.settings
    place = survey.where(context)
    points: List[str] = sorted(point for point in survey.mounted() if point.startswith(place.root + "/"))
    wrapped = host.python(_FENCE, json.dumps([place.root, points]), *argv)
    variables = {**context.variables, "HEALTHARCHIVE_LOG_LEVEL": "CRITICAL"}
    result = context.run(wrapped, seconds, None, environment=variables, cwd=settings.checkout)
    if result.failure is not None:
        raise NotRun(failed(result, _NAME).message.rstrip("."))
    if result.rc == _UNFENCED:
        raise NotRun("the archive could not be made read-only under it: %s" % complaint(result.stderr).rstrip("."))
    if result.rc != 0:
        raise NotRun("it ended with %d: %s" % (result.rc, complaint(result.stderr).rstrip(".")))
    try:
        said = replay_reconcile.report(result.stdout, result.stderr)
    except ParseError as error:
        raise NotRun(str(error)) from error
    if said.applied is not applies:
        raise NotRun("it says that it ran as something else than it was told to")
    return said


@contextlib.contextmanager
def _throw_away() -> Iterator[str]:
    directory = tempfile.mkdtemp(prefix="healtharchive-remediation-", dir=_PARENT)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
