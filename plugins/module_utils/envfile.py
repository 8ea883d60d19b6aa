# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's environment file, read as each of its three readers reads it (contract 1.3).

systemd gives the file to the API and the worker (``EnvironmentFile=``), operators and timers source it into bash
(``set -a; source FILE; set +a``), and the drift checker has a reader of its own. They disagree, so that "the value
of X" has no answer without saying to whom. Nothing here runs the file: what only a shell could know is unknown.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Optional
from urllib.parse import unquote

from . import secret_forms
from .parse import bash_environment, systemd_environment
from .parse.text import decode

DATABASE_URL = "HEALTHARCHIVE_DATABASE_URL"

# A variable whose name contains one of these words holds a secret.
SECRET_WORDS = (
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "KEY",
    "CREDENTIAL",
    "WEBHOOK",
    "PING",
    "DSN",
)
# Shorter values are not treated as secrets: to hide every "a" hides everything, and three characters protect nothing.
SHORTEST_SECRET = 4
# A longer line is not judged by bash's rules, in characters: it counts as read differently.
_LONGEST_LINE = 8192
_SWITCH_WORDS = frozenset(("true", "false", "none", "null", "enabled", "disabled", "auto", "default"))

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPORT = re.compile(r"export[ \t]+([A-Za-z_][A-Za-z0-9_]*)")
_RAW_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=")
_SECRET_PART = re.compile(r"(?<=[^/:]/)[^/?#\s'\"]{16,}")
# A secret within a value is taken to go on to here, whatever else a separator may be: too much is no harm.
_TO_THE_NEXT = re.compile(r"[^@&\s'\"]+")


@dataclass(frozen=True)
class EnvironmentFile:
    """What each reader gets. Only ``findings`` and ``database_backend`` may be shown: values may be secret.

    ``services``: variables that systemd passes to a unit. Empty with ``services_error`` set ("nul_byte",
    "invalid_utf8") when systemd refuses the whole file, so that the unit does not start.
    ``shell``: variables that sourcing it into bash certainly sets; ``shell_unknown``: those of which only a shell could
    say whether and how they are set (``$`` expansion, a command word on the line, a syntax error anywhere, ...).
    ``drift_checker``: what the drift checker compares (modelled on the table in contract 1.3, more is not known of it).
    ``findings``: by line, ``{"line": int, "code": str, "variable": str|None, "disagreeing": [str]}``, see ``parse``.
    """

    services: dict[str, str] = field(repr=False)
    services_error: Optional[str]
    shell: dict[str, str] = field(repr=False)
    shell_unknown: frozenset[str]
    drift_checker: dict[str, str] = field(repr=False)
    findings: tuple[dict[str, Any], ...]
    raw_values: tuple[tuple[str, str], ...] = field(repr=False)

    def database_backend(self, reader: str = "services") -> str:
        """ "postgresql", "sqlite", "other", "empty" or "missing" for ``services``, ``shell`` or ``drift_checker``.

        "missing" and "sqlite" both end in a local file (contract 1.3), "empty" in an error. ``shell`` may be "unknown".
        """
        if reader == "shell" and DATABASE_URL in self.shell_unknown:
            return "unknown"
        variables = {"services": self.services, "shell": self.shell, "drift_checker": self.drift_checker}[reader]
        url = variables.get(DATABASE_URL)
        if url is None:
            return "missing"
        if not url.strip():
            return "empty"
        scheme = url.partition(":")[0].partition("+")[0].strip().lower()
        return scheme if scheme in ("postgresql", "sqlite") else "other"

    def secret_values(self) -> frozenset[str]:
        """Everything that must never be shown, for ``Redactor``.

        The values of variables whose name contains one of ``SECRET_WORDS``, and the long parts of a path in them; of
        every value the password in a URL's userinfo (as written and percent-decoded) and password-like parameters. All
        readers' values count, and the text behind the ``=`` as it stands. Of a value of several lines each line counts
        too.

        Values shorter than ``SHORTEST_SECRET`` and switch words such as ``true`` are left out.
        """
        readings = list(self.raw_values)
        for variables in (self.services, self.shell, self.drift_checker):
            readings.extend(variables.items())
        return _secrets(readings)


def secret_values_of(variables: Mapping[str, str]) -> frozenset[str]:
    """What :meth:`EnvironmentFile.secret_values` would say of the environment of a process."""
    return _secrets(variables.items())


def _secrets(readings: Iterable[tuple[str, str]]) -> frozenset[str]:
    secrets: set[str] = set()
    for name, value in readings:
        if any(word in name.upper() for word in SECRET_WORDS) or secret_forms.names_a_secret(name):
            secrets.update(_forms(value))
            # The address to ping or to post to is secret for its last parts, which are also written without the rest.
            secrets.update(_SECRET_PART.findall(value))
        for found in _embedded(value):
            secrets.update(_forms(found))
    return frozenset(
        secret for secret in secrets if len(secret) >= SHORTEST_SECRET and secret.lower() not in _SWITCH_WORDS
    )


def parse(content: bytes) -> EnvironmentFile:
    """Read the bytes of an environment file. Never fails: what no reader understands is a finding.

    Codes of findings: ``export_line`` (systemd drops it), ``unquoted_special`` (an assignment that bash reads
    differently from systemd or that does not survive in it: a space, ``$``, ``&``, ``#``, ... that is not in single
    quotes), ``duplicate`` (assigned again, the last one counts), ``invalid_line`` (no assignment for systemd, or one
    that it refuses).
    ``disagreeing`` names the readers ("shell", "drift_checker") that end up, or may end up, with another value of the
    variable than the services do.
    """
    text = content.decode("utf-8", "surrogateescape")
    readings, no_assignments = systemd_environment.read(text)
    shell, shell_unknown = bash_environment.read(text)
    checker = _read_as_drift_checker(text)
    services, error, findings = _judge(text, readings, no_assignments)
    if error is not None:
        services = {}
    else:
        found = {finding["variable"] for finding in findings}
        for line, name, _value in _raw_assignments(text):
            # For instance below a comment that ends in a backslash.
            if name not in services and name not in found and (name in shell or name in checker):
                findings.append({"line": line, "code": "invalid_line", "variable": name})
    for finding in findings:
        name = finding["variable"]
        finding["disagreeing"] = []
        if name is not None:
            if name in shell_unknown or shell.get(name) != services.get(name):
                finding["disagreeing"].append("shell")
            if checker.get(name) != services.get(name):
                finding["disagreeing"].append("drift_checker")
    return EnvironmentFile(
        services=_printable(services),
        services_error=error,
        shell=_printable(shell),
        shell_unknown=frozenset(shell_unknown),
        drift_checker=_printable(checker),
        findings=tuple(sorted(findings, key=lambda finding: finding["line"])),
        # Text that is to be redacted may have been decoded either way.
        raw_values=tuple((name, form) for _line, name, raw in _raw_assignments(text) for form in (raw, _as_text(raw))),
    )


def _judge(
    text: str, readings: list[systemd_environment.Reading], no_assignments: list[int]
) -> tuple[dict[str, str], Optional[str], list[dict[str, Any]]]:
    """What systemd makes of its own readings, and everything that is odd about them."""
    line_of = _Lines(text)
    services: dict[str, str] = {}
    error = None
    findings: list[dict[str, Any]] = []

    def find(position: int, code: str, variable: Optional[str]) -> None:
        findings.append({"line": line_of(position), "code": code, "variable": variable})

    for position in no_assignments:
        find(position, "invalid_line", None)
    if "\0" in text:
        error = "nul_byte"
        find(text.index("\0"), "invalid_line", None)
    for reading in readings:
        if not (systemd_environment.is_valid(reading.key) and systemd_environment.is_valid(reading.value)):
            # systemd does not skip such a line, it refuses the file.
            error = error or "invalid_utf8"
            find(reading.start, "invalid_line", reading.key if _NAME.fullmatch(reading.key) else None)
            continue
        if _NAME.fullmatch(reading.key) is None:
            exported = _EXPORT.fullmatch(reading.key)
            find(reading.start, "export_line" if exported else "invalid_line", exported.group(1) if exported else None)
            continue
        if reading.key in services:
            find(reading.start, "duplicate", reading.key)
        services[reading.key] = reading.value
        # Each assignment is judged by itself, so that one that ends the shell's reading does not hide the others.
        line_end = text.find("\n", reading.end)
        lines = text[text.rfind("\n", 0, reading.start) + 1 : len(text) if line_end == -1 else line_end]
        # What stands between two line ends is read again for each of its assignments: a file of carriage returns is one
        # such line, and would cost its length squared.
        known, _unknown = bash_environment.read(lines) if len(lines) <= _LONGEST_LINE else ({}, frozenset())
        if known.get(reading.key) != reading.value and "\0" not in lines:
            find(reading.start, "unquoted_special", reading.key)
    return services, error, findings


def _read_as_drift_checker(text: str) -> dict[str, str]:
    """A line at a time: ``export`` is skipped, one pair of quotes is taken off, everything else stands as it is."""
    variables = {}
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("export "):
            line = line[len("export ") :].lstrip()
        name, separator, value = line.partition("=")
        name = name.strip()
        if separator and _NAME.fullmatch(name):
            variables[name] = _without_quotes(value.strip())
    return variables


def _raw_assignments(text: str) -> list[tuple[int, str, str]]:
    """Line, name and the text behind the ``=`` as it stands: what no reader could read is still no text to show."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        match = _RAW_ASSIGNMENT.match(line)
        if match is not None:
            found.append((number, match.group(1), line[match.end() :].strip()))
    return found


def _without_quotes(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _forms(secret: str) -> set[str]:
    """The secret as it may turn up: bare, percent-decoded, and one line at a time."""
    forms = {secret, secret.strip(), _without_quotes(secret.strip())}
    for form in tuple(forms):
        forms.update(line.strip() for line in form.splitlines())
    forms.update([unquote(form, errors="backslashreplace") for form in forms])
    return forms


def _embedded(value: str) -> set[str]:
    """Passwords inside a value: whatever looks like one, and URL userinfo as each program reads it."""
    found = set()
    for start, end in secret_forms.find(value):
        goes_on = _TO_THE_NEXT.match(value, start)
        found |= {value[start:end], goes_on.group() if goes_on else ""}
    for run in value.split():
        for part in {run, *run.split(",")}:
            scheme, separator, rest = part.partition("://")
            if not separator or "@" not in rest:
                continue
            # A password with a raw @ in it: programs differ on which @ ends it.
            for userinfo in (rest.rpartition("@")[0], rest.partition("@")[0]):
                user, colon, password = userinfo.partition(":")
                web = scheme.lower().endswith(("http", "https"))
                if web and "/" in userinfo:
                    continue  # the @ belongs to the path
                if colon:
                    found.add(password)
                elif web:
                    found.add(user)
    return found


def _as_text(value: str) -> str:
    """Bytes that were no UTF-8 as ``\\xNN``, as everywhere else."""
    return decode(value.encode("utf-8", "surrogateescape"))


def _printable(variables: dict[str, str]) -> dict[str, str]:
    return {name: _as_text(value) for name, value in variables.items()}


class _Lines:
    """Line numbers of positions that are asked for in any order."""

    def __init__(self, text: str) -> None:
        self._starts = [0] + [match.end() for match in re.finditer("\n", text)]

    def __call__(self, position: int) -> int:
        return bisect_right(self._starts, position)
