# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's environment file, read as each of its three readers reads it (contract 1.3).

systemd gives the file to the API and the worker (``EnvironmentFile=``), operators and timers source it into bash
(``set -a; source FILE; set +a``), and the drift checker has a reader of its own. They disagree, so that "the value of X" has
no answer without saying to whom. Nothing here runs the file: what only a shell could know is unknown.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Optional
from urllib.parse import unquote

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
# Shorter values are not treated as secrets: hiding every "a" hides everything else, and three characters protect nothing.
SHORTEST_SECRET = 4
_SWITCH_WORDS = frozenset(("true", "false", "none", "null", "enabled", "disabled", "auto", "default"))

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPORT = re.compile(r"export[ \t]+([A-Za-z_][A-Za-z0-9_]*)")
_RAW_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=")
_ASSIGNMENT_ANYWHERE = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*)(?:=|\+=|\[)")
_ASSIGNMENT_PREFIX = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=|\+=|\[)")
_PLAIN_EXPANSION = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9$?!#@*_-]|\{[A-Za-z_][A-Za-z0-9_]*\})")
_ANSI_C_QUOTED = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_PARAMETER = re.compile(r"(?i)(?:password|passwd|token|secret|api_?key)=([^&\s'\"]+)")
_BLANK = " \t\n\r"
_ENDS_A_COMMAND = "\n;&|<>()"
_ENDS_A_WORD = " \t" + _ENDS_A_COMMAND

# Words of bash after which variables, or what is read next, may be anything.
_CHANGES_THE_SHELL = frozenset(
    ". source eval exec exit logout return unset read readarray mapfile printf declare typeset local readonly let getopts"
    " cd pushd popd dirs alias unalias shopt enable set shift trap builtin command export wait suspend break continue umask"
    " hash history fc bind complete compopt compgen"
    " if then else elif fi case esac for select while until do done in function time coproc { } ! [[ ]]".split()
)
_READ_ONLY = frozenset("BASHOPTS BASH_VERSINFO EUID POSIXLY_CORRECT PPID SHELLOPTS UID".split())
_SET_BY_THE_SHELL = frozenset(
    "_ BASHPID BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_ALIASES BASH_COMMAND BASH_COMPAT BASH_LINENO BASH_SOURCE"
    " BASH_SUBSHELL COMP_WORDBREAKS DIRSTACK EPOCHREALTIME EPOCHSECONDS FUNCNAME GROUPS HISTCMD LINENO OPTIND OPTARG PIPESTATUS"
    " RANDOM SECONDS SRANDOM".split()
)


@dataclass(frozen=True)
class EnvironmentFile:
    """What each reader gets. Only ``findings`` and ``database_backend`` may be shown: values may be secret.

    ``services``: variables that systemd passes to a unit. Empty with ``services_error`` set ("nul_byte", "invalid_utf8")
    when systemd refuses the whole file, so that the unit does not start.
    ``shell``: variables that sourcing it into bash certainly sets; ``shell_unknown``: those of which only a shell could say
    whether and how they are set (``$`` expansion, command words on the line, everything after a syntax error, ...).
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

        "missing" and "sqlite" both end in a local file (contract 1.3), "empty" in an error. For ``shell`` also "unknown".
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

        The values of variables whose name contains one of ``SECRET_WORDS``; of every value the password in a URL's userinfo
        (as written and percent-decoded) and password-like parameters. All readers' values count, and the text behind the
        ``=`` as it stands. Of a value of several lines each line counts too.

        Values shorter than ``SHORTEST_SECRET`` and switch words such as ``true`` are left out.
        """
        secrets: set[str] = set()
        readings = list(self.raw_values)
        for variables in (self.services, self.shell, self.drift_checker):
            readings.extend(variables.items())
        for name, value in readings:
            if any(word in name.upper() for word in SECRET_WORDS):
                secrets.update(_forms(value))
            for found in _embedded(value):
                secrets.update(_forms(found))
        return frozenset(
            secret for secret in secrets if len(secret) >= SHORTEST_SECRET and secret.lower() not in _SWITCH_WORDS
        )


def parse(content: bytes) -> EnvironmentFile:
    """Read the bytes of an environment file. Never fails: what no reader understands is a finding.

    Codes of findings: ``export_line`` (systemd drops it), ``unquoted_special`` (an assignment that bash reads differently
    from systemd or does not survive: a space, ``$``, ``&``, ``#``, ... that is not in single quotes), ``duplicate``
    (assigned again, the last one counts), ``invalid_line`` (no assignment for systemd, or one that it refuses).
    ``disagreeing`` names the readers ("shell", "drift_checker") that end up, or may end up, with another value of the
    variable than the services do.
    """
    text = content.decode("utf-8", "surrogateescape")
    readings, no_assignments = _read_as_systemd(text)
    shell, shell_unknown = _read_as_bash(text)
    checker = _read_as_drift_checker(text)
    services, error, findings = _judge(text, readings, no_assignments)
    if error is not None:
        services = {}
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
        raw_values=tuple(_raw_values(text)),
    )


def _judge(
    text: str, readings: list[_Reading], no_assignments: list[int]
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
        if not (_is_valid_for_systemd(reading.key) and _is_valid_for_systemd(reading.value)):
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
        known, unknown = _read_as_bash(text[reading.start : reading.end])
        if unknown or known != {reading.key: reading.value}:
            find(reading.start, "unquoted_special", reading.key)
    return services, error, findings


# --- systemd -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    key: str
    value: str
    start: int
    end: int


def _read_as_systemd(text: str) -> tuple[list[_Reading], list[int]]:
    """Assignments in the manner of systemd.exec(5) (systemd 252), and where lines begin that are none.

    One character at a time, as systemd does it: quotes may open only where a value begins or after another quoted part, a
    carriage return ends a line, and a comment that ends in a backslash goes on in the next line (until systemd 254).
    """
    readings: list[_Reading] = []
    no_assignments: list[int] = []
    state = "before_key"
    key: list[str] = []
    value: list[str] = []
    start = 0
    kept = 0  # length of the value without the unquoted white space at its end

    def push(end: int) -> None:
        content = value if state != "value" else value[:kept]
        readings.append(_Reading("".join(key).rstrip(_BLANK), "".join(content), start, end))

    for position, character in enumerate(text):
        if state == "before_key":
            if character in "#;":
                state = "comment"
            elif character not in _BLANK:
                state, key, value, start, kept = "key", [character], [], position, 0
        elif state == "key":
            if character in "\r\n":
                no_assignments.append(start)
                state = "before_key"
            elif character == "=":
                state = "before_value"
            else:
                key.append(character)
        elif state in ("before_value", "value"):
            if character in "\r\n":
                push(position)
                state = "before_key"
            elif state == "before_value" and character == "'":
                state = "single_quoted"
            elif state == "before_value" and character == '"':
                state = "double_quoted"
            elif character == "\\":
                state = "escaped"
            elif character not in _BLANK:
                value.append(character)
                state, kept = "value", len(value)
            elif state == "value":
                value.append(character)
        elif state == "escaped":
            if character not in "\r\n":
                value.append(character)
            state, kept = "value", len(value)
        elif state == "single_quoted":
            if character == "'":
                state = "before_value"
            else:
                value.append(character)
        elif state == "double_quoted":
            if character == '"':
                state = "before_value"
            elif character == "\\":
                state = "double_quoted_escaped"
            else:
                value.append(character)
        elif state == "double_quoted_escaped":
            if character in '"\\`$':
                value.append(character)
            elif character != "\n":
                value.extend(("\\", character))
            state = "double_quoted"
        elif state == "comment":
            if character == "\\":
                state = "comment_escaped"
            elif character in "\r\n":
                state = "before_key"
        else:
            state = "comment"
    if state == "key":
        no_assignments.append(start)
    elif state not in ("before_key", "comment", "comment_escaped"):
        push(len(text))
    return readings, no_assignments


def _is_valid_for_systemd(text: str) -> bool:
    """Valid UTF-8 without the code points that are set aside as no characters."""
    for character in text:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE:
            return False
    return True


# --- bash --------------------------------------------------------------------------------------------------------------


class _Undecidable(Exception):
    """From here on only a shell can say what the variables are, the earlier ones included."""


@dataclass
class _Word:
    text: str = ""
    assigns: Optional[str] = None  # the variable, when the word has the form of an assignment
    value: str = ""
    certain: bool = True
    braces: bool = False


def _read_as_bash(text: str) -> tuple[dict[str, str], set[str]]:
    """Variables that ``set -a; source FILE`` certainly sets, and those of which only a shell could tell."""
    reader = _Bash(text)
    try:
        reader.read()
    except _Undecidable:
        return {}, {match.group(1) for match in _ASSIGNMENT_ANYWHERE.finditer(text)}
    return reader.known, reader.unknown


class _Bash:
    """The part of the shell's grammar that assigns constants; everything else is unknown or undecidable."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.known: dict[str, str] = {}
        self.unknown: set[str] = set()

    def read(self) -> None:
        if "\0" in self.text:
            raise _Undecidable  # taken for a program, or read without the NUL
        follows_operator = False
        while True:
            self._skip_blank()
            character = self._next()
            if character == "":
                if follows_operator:
                    raise _Undecidable
                return
            if character == "\n":
                self.position += 1
                continue
            words = self._words()
            if not words and self._next() not in ("<", ">"):
                raise _Undecidable  # an operator without a command before it
            operator = self._operator()
            self._run(words, certain=not follows_operator and operator in ("", "\n", ";"))
            follows_operator = operator not in ("", "\n", ";", "&")

    def _run(self, words: list[_Word], certain: bool) -> None:
        """The effect of a simple command. Not certain: it runs in a subshell, under a condition or with a redirection."""
        count = 0
        while count < len(words) and words[count].assigns is not None:
            count += 1
        assignments, command = words[:count], words[count:]
        if not command:
            for word in assignments:
                self._assign(word, certain)
            return
        name = command[0].text
        if not command[0].certain or (name in _CHANGES_THE_SHELL and name not in ("export", "set")):
            raise _Undecidable
        # The command sees these, the shell does not keep them.
        for word in assignments:
            self._assign(word, False)
        if name == "export":
            for word in command[1:]:
                if word.assigns is not None:
                    self._assign(word, certain and not word.braces)
                elif _NAME.fullmatch(word.text) is None or not word.certain:
                    raise _Undecidable
        elif name == "set" and [word.text for word in command[1:]] != ["-a"]:
            raise _Undecidable

    def _assign(self, word: _Word, certain: bool) -> None:
        name = word.assigns or ""
        if name in _READ_ONLY:
            raise _Undecidable
        if certain and word.certain and name not in _SET_BY_THE_SHELL:
            self.known[name] = word.value
            self.unknown.discard(name)
        else:
            self.known.pop(name, None)
            self.unknown.add(name)

    def _next(self, offset: int = 0) -> str:
        return self.text[self.position + offset : self.position + offset + 1]

    def _skip_blank(self) -> None:
        while True:
            character = self._next()
            if character and character in " \t":
                self.position += 1
            elif character == "\\" and self._next(1) == "\n":
                self.position += 2
            elif character == "#":
                end = self.text.find("\n", self.position)
                self.position = len(self.text) if end == -1 else end
            else:
                return

    def _operator(self) -> str:
        """What ends a command. Text in parentheses, here-documents and misplaced operators are undecidable."""
        character = self._next()
        if character in ("", "\n"):
            return character
        if character in "()":
            raise _Undecidable
        two = character + self._next(1)
        if two in (";;", ";&", "<<", "|&"):
            raise _Undecidable
        operator = two if two in ("&&", "||", ">>", "<>", ">&", "<&", ">|", "&>") else character
        self.position += len(operator)
        return operator

    def _words(self) -> list[_Word]:
        words = []
        while True:
            self._skip_blank()
            character = self._next()
            if character == "" or character in _ENDS_A_COMMAND:
                return words
            words.append(self._word())

    def _word(self) -> _Word:
        word = _Word()
        match = _ASSIGNMENT_PREFIX.match(self.text, self.position)
        value_start = -1
        if match is not None:
            if match.group(2) == "[":
                raise _Undecidable
            word.assigns = match.group(1)
            word.certain = match.group(2) == "="
            self.position = value_start = match.end()
        parts: list[str] = []
        while True:
            character = self._next()
            if character == "" or character in _ENDS_A_WORD:
                break
            if character == "\\":
                following = self._next(1)
                if following == "":
                    raise _Undecidable
                if following != "\n":
                    parts.append(following)
                self.position += 2
            elif character == "'":
                parts.append(self._single_quoted())
            elif character == '"':
                self.position += 1
                self._double_quoted(word, parts)
            elif character == "$" or character == "`":
                self._expansion(word, parts, quoted=False)
            else:
                if character == "~" and (self.position == value_start or not parts or (parts and parts[-1] == ":")):
                    word.certain = False
                if character == "{":
                    word.braces = True
                parts.append(character)
                self.position += 1
        word.value = word.text = "".join(parts)
        return word

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.position + 1)
        if end == -1:
            raise _Undecidable
        content = self.text[self.position + 1 : end]
        self.position = end + 1
        return content

    def _double_quoted(self, word: _Word, parts: list[str]) -> None:
        while True:
            character = self._next()
            if character == "":
                raise _Undecidable
            if character == '"':
                self.position += 1
                return
            if character == "\\":
                following = self._next(1)
                if following == "":
                    raise _Undecidable
                if following in '$`"\\':
                    parts.append(following)
                elif following != "\n":
                    parts.append("\\" + following)
                self.position += 2
            elif character == "$" or character == "`":
                self._expansion(word, parts, quoted=True)
            else:
                parts.append(character)
                self.position += 1

    def _expansion(self, word: _Word, parts: list[str], quoted: bool) -> None:
        """An expansion makes the value uncertain; one that can run or assign something makes everything undecidable."""
        match = _PLAIN_EXPANSION.match(self.text, self.position)
        if match is not None:
            word.certain = False
            self.position = match.end()
            return
        following = self._next(1)
        if self._next() == "`" or (following and following in "({["):
            raise _Undecidable
        if not quoted and following == "'":
            word.certain = False
            ansi = _ANSI_C_QUOTED.match(self.text, self.position)
            if ansi is None:
                raise _Undecidable
            self.position = ansi.end()
            return
        if not quoted and following == '"':
            word.certain = False
            self.position += 2
            self._double_quoted(word, parts)
            return
        parts.append("$")
        self.position += 1


# --- the drift checker -------------------------------------------------------------------------------------------------


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


# --- secrets -----------------------------------------------------------------------------------------------------------


def _raw_values(text: str) -> list[tuple[str, str]]:
    """The text behind each ``NAME=`` as it stands, for a value that no reader could read is still no text to show."""
    found = []
    for line in text.split("\n"):
        match = _RAW_ASSIGNMENT.match(line)
        if match is not None:
            found.append((match.group(1), _as_text(line[match.end() :].strip())))
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
    """Passwords inside a value: URL userinfo, ``password=`` and the like."""
    found = {match.group(1) for match in _PARAMETER.finditer(value)}
    for run in value.split():
        for part in {run, *run.split(",")}:
            scheme, separator, rest = part.partition("://")
            if not separator or "@" not in rest:
                continue
            # A password with a raw @ in it: programs differ on which @ ends it.
            for userinfo in (rest.rpartition("@")[0], rest.partition("@")[0]):
                user, colon, password = userinfo.partition(":")
                if colon:
                    found.add(password)
                elif scheme.lower().endswith(("http", "https")):
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
