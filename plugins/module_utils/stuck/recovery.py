# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running ``recover-stale-jobs``: to see its candidates without a trace, and kept to some of them. Private to this collection."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from typing import Iterable, Iterator

from .. import host, service
from ..parse import database, stale_jobs
from ..parse.errors import ParseError
from ..parse.text import one_line
from ..probe import Context, failed
from ..refusal import Refusal
from . import holders
from .lock_directories import VARIABLE

# Each candidate costs the command a look at the end of its log and at its lock.
CANDIDATES_SECONDS = 45.0
_RUN_SECONDS = 90.0
_PARENT = "/run"
_NAME = "recover-stale-jobs"
# The fence could not be set up: the command was not run.
_UNFENCED = 97

# Holds the lock of each job that the command must leave alone, and becomes the command: the kernel gives the locks back when
# that ends, however it ends. A lock that somebody else holds keeps the command away just as well. The file is opened as
# the service opens it (contract 1.6: never created where it exists).
_FENCE = r"""
import fcntl, json, os, resource, sys
paths, argv = json.loads(sys.argv[1]), sys.argv[2:]
try:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for path in paths:
        try:
            lock = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            os.fchmod(lock, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.set_inheritable(lock, True)
        except BlockingIOError:
            os.close(lock)
except OSError as error:
    print("ERROR: " + str(error), file=sys.stderr)
    sys.exit(97)
os.execv(argv[0], argv)
"""


class NotRun(Exception):
    """The command did not run to its end, or what it said cannot be read. One line; ``started``: it may have done something."""

    def __init__(self, message: str, started: bool) -> None:
        super().__init__(message)
        self.started = started


def candidates(context: Context, selection: service.StaleSelection) -> stale_jobs.Report:
    """A dry run that leaves nothing behind: the lock files that it makes lie in a directory that is gone afterwards, so it takes
    every lock for free. That the database is PostgreSQL and answers is proved with it. :class:`Refusal`."""
    problem = context.database_problem()
    if problem is not None:
        raise Refusal(
            "database_unproven",
            "Which database the service's commands would use is not certain: %s" % problem.message,
            "Correct the environment file first: without a PostgreSQL URL they see an empty file and say that all is well.",
        )
    settings = context.settings
    programs = [service.check_db(settings), service.recover_stale_jobs(settings, selection)]
    with _throw_away(context) as directory:
        checked, listed = context.run_service_programs(programs, CANDIDATES_SECONDS, {VARIABLE: directory})
        made = bool(os.listdir(directory))
    _prove_database(checked)
    try:
        report = _report(listed)
    except NotRun as error:
        raise Refusal(
            "candidates_unreadable",
            "Which jobs the service's own command takes for stale is not known: %s." % error,
            "Run it by hand, as a dry run, and see: %s" % " ".join(programs[1]),
        ) from error
    if report.candidates and not made:
        raise Refusal(
            "lock_directory_ignored",
            "The service's command did not look for locks where it was told to (%s)." % VARIABLE,
            "Its locks cannot be relied on: see where this version keeps them before anything is recovered.",
        )
    return report


def run(context: Context, argv: Iterable[str], directory: str, others: Iterable[int]) -> stale_jobs.Report:
    """Run the command, as a dry run or not, while it cannot get the locks of ``others``. :class:`NotRun`."""
    paths = [holders.path(directory, job) for job in sorted(others)]
    wrapped = host.python(_FENCE, json.dumps(paths), *argv)
    result = context.run_service(wrapped, _RUN_SECONDS, production=True, other={VARIABLE: directory})
    return _report(result)


def _report(result: host.Result) -> stale_jobs.Report:
    if result.failure is not None:
        raise NotRun(failed(result, _NAME).message, result.failure in ("timed_out", "output_truncated"))
    if result.rc == _UNFENCED:
        why = one_line(result.stderr.decode("utf-8", "backslashreplace").strip(), 300)
        raise NotRun("the locks of the other running jobs could not be held: %s" % why, False)
    try:
        if result.rc != 0:
            said = database.failure_of(result.stderr + result.stdout)
            raise NotRun("%s ended with %d: %s" % (_NAME, result.rc, said["detail"]), True)
        return stale_jobs.report(result.stdout)
    except ParseError as error:
        raise NotRun(one_line(str(error), 300), True) from error


def _prove_database(checked: host.Result) -> None:
    try:
        if checked.failure is not None:
            raise _unreachable(failed(checked, "check-db").message)
        found = database.check_db(checked.stdout, checked.stderr, checked.rc)
    except ParseError as error:
        raise _unreachable("check-db: %s" % error) from error
    if found["reachable"] is not True or found["backend"] != "postgresql":
        raise _unreachable("check-db: %s (%s)" % (found["failure"], found["detail"]))


def _unreachable(why: str) -> Refusal:
    return Refusal(
        "database_unproven",
        "That the service's commands reach PostgreSQL was not seen: %s." % why.rstrip("."),
        "Bring the database back first (playbook triage says what is wrong with it), then plan again.",
    )


@contextlib.contextmanager
def _throw_away(context: Context) -> Iterator[str]:
    who = host.account(context.settings.service_user)
    directory = tempfile.mkdtemp(prefix="healtharchive-remediation-", dir=_PARENT)
    try:
        os.chown(directory, who.uid, who.gid)
        yield directory
    finally:
        shutil.rmtree(directory)
