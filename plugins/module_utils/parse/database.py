# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``healtharchive check-db`` and alembic say about the database (contract 1.3, 2.1, 2.7)."""

from __future__ import annotations

import re
from typing import Any, Optional

from .errors import BAD_EVIDENCE, EMPTY, TRUNCATED, UNPARSABLE, ParseError
from .text import decode, one_line, strip_ansi

_URL_LINE = "Database URL: "
_OK_LINE = "Database connection OK."
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\+[A-Za-z0-9_]+)?:")
_TRACEBACK = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(?:: (.*))?")
_REVISION = re.compile(r"([A-Za-z0-9_.-]+)(?: \([a-z ]+\))*")

_DECLARED = re.compile(r"""revision\s*(?::[^=]*)?=\s*["']([A-Za-z0-9_.-]+)["']\s*(?:#.*)?""")

# First match wins. The pattern is searched in "EXCEPTION: MESSAGE", which ends before the SQL text and its
# parameters, so that no value from a table is taken for a message.
_FAILURES = (
    ("missing_module", re.compile(r"^(?:ModuleNotFoundError|ImportError):")),
    ("undefined_column", re.compile(r"\bUndefinedColumn\b|\bno such column\b")),
    ("no_such_table", re.compile(r"\bUndefinedTable\b|\bno such table\b")),
    ("url_unparsable", re.compile(r"Could not parse SQLAlchemy URL")),
    (
        "authentication_failed",
        re.compile(
            r"authentication failed for user|no password supplied|no pg_hba\.conf entry|role \"[^\"]*\" does not exist"
        ),
    ),
    (
        "connection_refused",
        re.compile(r"Connection refused|connection to server on socket \"[^\"]*\" failed: No such file"),
    ),
)


def check_db(stdout: bytes, stderr: bytes, rc: int) -> dict[str, Any]:
    """Outcome of ``healtharchive check-db``: ``{"reachable", "backend", "failure", "detail"}``.

    ``reachable`` bool|None: whether the service's own database answers; None when this run cannot tell.
    ``backend`` "postgresql"|"sqlite"|"other"|None: from the printed URL.
    ``failure`` None or a code of ``failure_of``, or ``sqlite_fallback``: the program used a local file because it had
    no database URL, says "OK" and exits 0 all the same. Nothing that was read in the same environment is evidence
    then.
    ``detail`` str|None: one printable line; it may quote the database server, so redact it.

    Raises ParseError: ``empty``, ``unparsable`` (also for an exit code other than 0 and 1: the program did not run),
    ``bad_evidence`` (exit code and text contradict each other).
    """
    if rc not in (0, 1):
        raise ParseError(UNPARSABLE, "check-db ended with exit code %s" % rc)
    lines = [line.rstrip("\r") for line in strip_ansi(decode(stdout)).split("\n")]
    urls = [line[len(_URL_LINE) :].strip() for line in lines if line.startswith(_URL_LINE)]
    says_ok = _OK_LINE in lines
    if len(set(urls)) > 1:
        raise ParseError(BAD_EVIDENCE, "check-db printed several database URLs")
    backend = _backend(urls[0]) if urls else None

    if rc == 0:
        if not stdout.strip():
            raise ParseError(EMPTY, "check-db printed nothing")
        if backend is None:
            raise ParseError(UNPARSABLE, "check-db printed no database URL")
        if not says_ok:
            raise ParseError(BAD_EVIDENCE, "check-db ended with exit code 0 but does not say that the connection is OK")
        if backend == "postgresql":
            return {"reachable": True, "backend": backend, "failure": None, "detail": None}
        failure = "sqlite_fallback" if backend == "sqlite" else "other"
        return {"reachable": None, "backend": backend, "failure": failure, "detail": "check-db used a %s URL" % backend}

    if says_ok:
        raise ParseError(BAD_EVIDENCE, "check-db says that the connection is OK but ended with exit code 1")
    if backend == "sqlite":
        return {
            "reachable": None,
            "backend": backend,
            "failure": "sqlite_fallback",
            "detail": "check-db used a sqlite URL",
        }
    if not stdout.strip() and not stderr.strip():
        raise ParseError(EMPTY, "check-db failed and printed nothing")
    # Failures that the program handles are an ERROR line on standard output, others a traceback on standard error.
    found = failure_of(stderr + b"\n" + stdout)
    reachable: Optional[bool] = False
    if found["failure"] in ("missing_module", "other") and not found["handled"]:
        reachable = None
    return {"reachable": reachable, "backend": backend, "failure": found["failure"], "detail": found["detail"]}


def failure_of(stderr: bytes) -> dict[str, Any]:
    """Why a command of the service failed, from its standard error: ``{"failure", "exception", "detail", "handled"}``.

    A traceback is classified by its exception line, which under a database driver is followed by hints and the SQL text
    (contract 2.7), so it is not the last line. Without a traceback the last ``ERROR:`` line counts.

    ``failure``: ``connection_refused``, ``authentication_failed``, ``url_unparsable``, ``no_such_table``,
    ``undefined_column``, ``missing_module`` or ``other``. ``exception`` str|None: its qualified name. ``detail``
    str|None: its first line, of at most 300 printable characters; redact it. ``handled``: the program said ``ERROR:``
    itself.

    Raises ParseError ``empty`` when there is nothing to judge.
    """
    text = strip_ansi(decode(stderr))
    if not text.strip():
        raise ParseError(EMPTY, "the command failed and printed nothing")
    lines = text.split("\n")
    exception, message = _raised(lines)
    handled = False
    if exception is None:
        reported = [line for line in lines if line.startswith("ERROR: ")]
        handled = bool(reported)
        message = reported[-1][len("ERROR: ") :] if reported else [line for line in lines if line.strip()][-1]
    judged = message if exception is None else "%s: %s" % (exception, message)
    return {
        "failure": next((code for code, pattern in _FAILURES if pattern.search(judged)), "other"),
        "exception": exception,
        # What follows says it again, or shows the SQL text.
        "detail": one_line(judged.strip().split("\n", 1)[0], 300) or None,
        "handled": handled,
    }


def raised(stderr: bytes) -> Optional[str]:
    """The first line of the exception that ended the last traceback, with its name; None without one."""
    exception, message = _raised(strip_ansi(decode(stderr)).split("\n"))
    if exception is None:
        return None
    first = message.split("\n", 1)[0].strip()
    return "%s: %s" % (exception, first) if first else exception


def alembic_revisions(stdout: bytes, rc: int) -> list[str]:
    """Revisions that ``alembic current`` or ``alembic heads`` names: ``0014_snapshot_deduplication (head)``.

    An empty list means that alembic ran and named none: for ``current`` a database without any migration.
    Raises ParseError: ``unparsable`` (also for an exit code other than 0), ``truncated``.
    """
    if rc != 0:
        raise ParseError(UNPARSABLE, "alembic ended with exit code %s" % rc)
    if not stdout.strip():
        return []
    if not stdout.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of alembic's output is missing")
    revisions = []
    for line in decode(stdout).split("\n"):
        if not line.strip():
            continue
        match = _REVISION.fullmatch(line.strip())
        if match is None or match.group(1) in revisions:
            raise ParseError(UNPARSABLE, "alembic printed: " + line)
        revisions.append(match.group(1))
    return revisions


def declared_revisions(lines: bytes) -> list[str]:
    """The revisions of migrations that lines ``revision = "0014_name"`` of their files declare; what is none is left out."""
    found = (_DECLARED.fullmatch(line.strip()) for line in decode(lines).split("\n"))
    return [match.group(1) for match in found if match is not None]


def _backend(url: str) -> str:
    match = _SCHEME.match(url)
    name = match.group(1).lower() if match else None
    return name if name in ("postgresql", "sqlite") else "other"


def _raised(lines: list[str]) -> tuple[Optional[str], str]:
    """Name and message of the exception that ended the last traceback; (None, "") without one."""
    start = None
    for number, line in enumerate(lines):
        if line == _TRACEBACK:
            start = number
    if start is None:
        return None, ""
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line[:1] in ("", " ", "\t"):
            continue
        match = _EXCEPTION.fullmatch(line)
        if match is None:
            return None, ""
        message = [match.group(2) or ""]
        for following in lines[number + 1 :]:
            if following.startswith(("[SQL:", "(Background on this error")):
                break
            message.append(following)
        return match.group(1), "\n".join(message).strip()
    return None, ""
