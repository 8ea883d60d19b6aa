# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a probe gets, what it gives, and how several run at once. Private to this collection.

A probe is a function from a :class:`Context` to a :class:`Finding`. It may block, fail or crash: that costs itself only.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from typing import Any, Callable, ContextManager, Dict, List, Mapping, NamedTuple, Optional, Sequence

from . import host, launcher, service
from .envfile import EnvironmentFile
from .parse import database
from .redact import Redactor
from .settings import Settings


class Problem(NamedTuple):
    """Why something is not known: a stable code (docs/evidence.md) and one line for a person."""

    code: str
    message: str


class Finding(NamedTuple):
    """What a probe found: its data, or None when nothing can be concluded, and what is not known about it."""

    data: Optional[Dict[str, Any]]
    problems: List[Problem]

    @property
    def status(self) -> str:
        """``ok`` (all of it), ``partial`` (true, but not all of it) or ``unknown`` (nothing)."""
        if self.data is None:
            return "unknown"
        return "partial" if self.problems else "ok"


class Turn:
    """One after another, for what takes much memory: used as a context, it waits for the one before, but not for long.

    A probe that hangs must cost itself only, so the wait is a courtesy: at most ``seconds``, then both run.
    """

    def __init__(self, seconds: float = 3.0) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._holder: Optional[threading.Thread] = None

    def __enter__(self) -> None:
        if self._lock.acquire(timeout=self._seconds):
            self._holder = threading.current_thread()

    def __exit__(self, *_raised: object) -> None:
        if self._holder is threading.current_thread():
            self._holder = None
            self._lock.release()


class Context(NamedTuple):
    """What every probe may use. ``environment`` is None, with the reason, when the env file could not be read by root."""

    settings: Settings
    environment: Optional[EnvironmentFile]
    environment_problem: Optional[Problem]
    redactor: Redactor
    secrets_known: bool
    deadline: float  # time.monotonic() at which everything must have ended
    stale_after_seconds: int
    baseline_mode: str
    turn: ContextManager[None] = contextlib.nullcontext()  # for what takes much memory, see :class:`Turn`

    def seconds(self, wanted: float) -> float:
        """``wanted`` seconds, or what is left until the deadline if that is less."""
        return max(min(wanted, self.deadline - time.monotonic()), 0.1)

    @property
    def variables(self) -> Dict[str, str]:
        """The production environment as the services get it; empty when the env file could not be read."""
        return dict(self.environment.services) if self.environment else {}

    def run(
        self, argv: Sequence[str], seconds: float, who: Optional[host.Account] = None, **options: Any
    ) -> host.Result:
        """:func:`host.run` within the deadline, without secrets in what it printed: parsers may cut what they return,
        and half a secret is no longer recognised."""
        return self._redacted(host.run(argv, self.seconds(seconds), who, **options))

    def run_service(
        self, argv: Sequence[str], seconds: float, production: bool = False, other: Optional[Mapping[str, str]] = None
    ) -> host.Result:
        """Run a command of the service as its user, in its checkout; ``production``: with the environment of the env file,
        of which ``other`` sets some variables otherwise.

        As root the CLI leaves root-owned files (contract 2.1), and without the environment it reads an empty SQLite file:
        ask :meth:`database_problem` first.
        """
        return self._redacted(self._service_runner(production, other)(argv, self.seconds(seconds)))

    def run_service_programs(
        self, programs: Sequence[Sequence[str]], seconds: float, other: Optional[Mapping[str, str]] = None
    ) -> List[host.Result]:
        """Run commands of the service one after another, as :meth:`run_service` with the production environment runs
        one, for at most ``seconds`` in all; those that one interpreter can run share what it imports."""
        run = self._service_runner(True, other)
        results = launcher.run_all(run, self.settings.python, service.COMMON_PACKAGES, programs, self.seconds(seconds))
        return [self._redacted(result) for result in results]

    def _service_runner(self, production: bool, other: Optional[Mapping[str, str]]) -> Callable[..., host.Result]:
        variables = {**(self.variables if production else {}), **(other or {})}
        variables["HEALTHARCHIVE_LOG_LEVEL"] = "ERROR"
        who = host.account(self.settings.service_user)
        return functools.partial(host.run, who=who, environment=variables, cwd=self.settings.checkout)

    def _redacted(self, result: host.Result) -> host.Result:
        cut = result.failure in ("timed_out", "output_truncated")

        def text(output: bytes) -> bytes:
            return self.redactor.text(output.decode("utf-8", "surrogateescape"), cut).encode("utf-8", "surrogateescape")

        return result._replace(stdout=text(result.stdout), stderr=text(result.stderr))

    def database_problem(self) -> Optional[Problem]:
        """Why the service's commands must not be run: without a PostgreSQL URL they read an empty SQLite file
        and say that all is well (contract 1.3). None when they may."""
        if self.environment is None:
            return self.environment_problem
        backend = self.environment.database_backend()
        if backend == "postgresql":
            return None
        return Problem("bad_evidence", _BACKEND_PROBLEMS[backend] % self.settings.env_file)


_BACKEND_PROBLEMS = {
    "missing": "%s sets no HEALTHARCHIVE_DATABASE_URL: the service's commands would read an empty SQLite file.",
    "empty": "%s sets an empty HEALTHARCHIVE_DATABASE_URL.",
    "sqlite": "%s sets a SQLite database: this is not the production database.",
    "other": "%s sets a HEALTHARCHIVE_DATABASE_URL that is not PostgreSQL's.",
}

Probe = Callable[[Context], Finding]


def failed(result: host.Result, what: str) -> Problem:
    """The problem of a command that did not end by itself, or that could not be started."""
    if result.failure == "timed_out":
        return Problem("timed_out", "%s gave no answer within %.0f s and was ended." % (what, result.seconds))
    if result.failure == "output_truncated":
        return Problem(
            "output_truncated", "%s printed more than %d bytes and was ended." % (what, host.OUTPUT_CAP_BYTES)
        )
    return Problem(result.failure or "command_failed", "%s could not be started: %s" % (what, complaint(result.stderr)))


def complaint(output: bytes) -> str:
    """The line of a command's standard error that says what went wrong, for a message; it may be an empty string.

    git and the service's CLI name it (``fatal:``, ``ERROR:``); a traceback ends with it, but for what the database's library
    puts below: the SQL text, and where to read about it.
    """
    lines = [line.strip() for line in output.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    named = [line for line in lines if line.lower().startswith(("fatal:", "error:"))]
    return (named or [line for line in [database.raised(output)] if line] or lines[-1:] or [""])[0]


def run_all(context: Context, probes: Mapping[str, Probe]) -> Dict[str, Dict[str, Any]]:
    """Run the probes at once, each in its own thread, until all have ended or the deadline has passed.

    Returns the ``probes`` part of the evidence document (docs/evidence.md), in the order given.
    """
    started = time.monotonic()
    results: Dict[str, Dict[str, Any]] = {}

    def work(name: str, probe: Probe) -> None:
        began = time.monotonic()
        try:
            finding = probe(context)
        except Exception as error:  # a fault of ours in one probe must not hide what the others saw
            finding = Finding(None, [Problem("probe_error", "%s: %s" % (type(error).__name__, error))])
        results[name] = _record(finding, time.monotonic() - began)

    # Daemons: one that hangs in the kernel must not keep the module from ending.
    threads = {name: threading.Thread(target=work, args=(name, probe), daemon=True) for name, probe in probes.items()}
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(context.deadline - time.monotonic(), 0))
    finished = dict(results)
    elapsed = time.monotonic() - started
    late = Finding(
        None, [Problem("timed_out", "The probe had not ended after %.0f s, when the deadline passed." % elapsed)]
    )
    return {name: finished.get(name) or _record(late, elapsed) for name in probes}


def _record(finding: Finding, seconds: float) -> Dict[str, Any]:
    return {
        "status": finding.status,
        "seconds": round(seconds, 3),
        "problems": [problem._asdict() for problem in finding.problems],
        "data": finding.data,
    }
