# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hides secrets in anything that leaves the host."""

from __future__ import annotations

import json
import re
from typing import Any, Iterable, Pattern, Sequence, Tuple
from urllib.parse import quote

from .parse.text import one_line

MASK = "********"
# Shorter secrets are ignored: see EnvironmentFile.secret_values.
SHORTEST_SECRET = 4

# Up to a space, NUL, a quote or a separator. An escaped quote ends it too: the text may be JSON that is parsed later.
_VALUE = r"(?:[^\s\0'\"\\&,;]|\\\\|\\(?!['\"\\]))+"
# A password in a URL, user kept: what stands between the first colon and the last @ of the authority.
_URL_PASSWORD = re.compile(r"(://[^\s\0:/?#@'\"<>]{0,256}:)[^\s\0/'\"<>]{1,1024}@")
# A token in place of a user; only for http, for ssh://git@host names a user.
_URL_TOKEN = re.compile(r"(?i)(\bhttps?://)[^\s\0:/?#@'\"<>]{1,1024}@")
_HEADER = re.compile(
    r"(?i)(\b(?:proxy-)?authorization['\"]?[ \t]{0,3}[:=][ \t]{0,3}['\"]?(?:(?:basic|bearer|digest|token)[ \t]{1,3})?)"
    + _VALUE
)
_TOKEN_HEADER = re.compile(r"(?i)(\bx-(?:[a-z]{1,20}-){0,3}(?:token|key)['\"]?[ \t]{0,3}[:=][ \t]{0,3}['\"]?)" + _VALUE)
_BEARER = re.compile(r"(?i)(\bbearer[ \t]{1,3})[A-Za-z0-9._~+/=*-]{4,}")
_ASSIGNMENT = re.compile(
    r"(?i)((?:token|password|passwd|passphrase|secret|api[_-]?key|credentials?)"
    r"(?:[ \t]{0,3}=[ \t]{0,3}['\"]?|['\"][ \t]{0,3}:[ \t]{0,3}['\"]))" + _VALUE
)
# Pattern, replacement, and texts of which a text, and then a line, must contain one for the pattern to be tried, which is
# many times faster. No pattern spans lines.
_ASSIGNED = ("token", "password", "passwd", "passphrase", "secret", "api_key", "api-key", "apikey", "credential")
_Pattern = Tuple[Pattern[str], str, Tuple[str, ...]]
_PATTERNS: Sequence[_Pattern] = (
    (_URL_PASSWORD, r"\1" + MASK + "@", ("://",)),
    (_URL_TOKEN, r"\1" + MASK + "@", ("://",)),
    (_HEADER, r"\1" + MASK, ("authorization",)),
    (_TOKEN_HEADER, r"\1" + MASK, ("x-",)),
    (_BEARER, r"\1" + MASK, ("bearer",)),
    (_ASSIGNMENT, r"\1" + MASK, _ASSIGNED),
)


class Redactor:
    """Replaces every known secret, and what looks like one, by ``MASK``.

    ``secret_values``: the secrets as they are; written forms (percent-encoded, JSON-escaped) are hidden too.
    Overlapping secrets are hidden together, so that no rest of one shows. Anything shorter than ``SHORTEST_SECRET``
    is ignored.

    Redact first, cut afterwards: half a secret is not recognised. ``line`` does both in that order.
    """

    def __init__(self, secret_values: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secret_values:
            forms.update((secret, quote(secret, safe="", errors="backslashreplace"), json.dumps(secret)[1:-1]))
            forms.add(json.dumps(secret, ensure_ascii=False)[1:-1])
        # Longest first decides nothing about the result, which merges overlaps; it finds the merged stretch sooner.
        self._secrets = tuple(sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True))

    def text(self, value: str, truncated: bool = False) -> str:
        """The text without secrets.

        ``truncated``: it was cut before it came here, so the part of a secret at either end is hidden too.
        """
        value = self._without_known(value, truncated)
        likely = _possible(_PATTERNS, value)
        if not likely:
            return value
        return "\n".join(_without_likely(line, likely) for line in value.split("\n"))

    def line(self, value: str, limit: int = 200) -> str:
        """One printable line of at most ``limit`` characters without secrets."""
        return one_line(self.text(value), limit)

    def value(self, value: Any) -> Any:
        """A JSON-like value with every text in it redacted, keys of objects too.

        Numbers, booleans and None stay what they are. Keys that become equal get a number, so that nothing is lost.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            result: dict[Any, Any] = {}
            for key, item in value.items():
                shown = self.text(key) if isinstance(key, str) else key
                unique, number = shown, 1
                while unique in result:
                    number += 1
                    unique = "%s (%d)" % (shown, number)
                result[unique] = self.value(item)
            return result
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value

    def _without_known(self, value: str, truncated: bool) -> str:
        hidden: list[tuple[int, int]] = []
        for secret in self._secrets:
            start = value.find(secret)
            while start != -1:
                hidden.append((start, start + len(secret)))
                start = value.find(secret, start + 1)
            if truncated:
                hidden.extend(_cut_secret(value, secret))
        if not hidden:
            return value
        pieces: list[str] = []
        position = 0
        start, end = -1, -1
        for begin, finish in sorted(hidden) + [(len(value) + 1, len(value) + 1)]:
            if begin <= end:
                end = max(end, finish)
                continue
            if start >= 0:
                pieces.extend((value[position:start], MASK))
                position = end
            start, end = begin, finish
        pieces.append(value[position:])
        return "".join(pieces)


def _possible(patterns: Sequence[_Pattern], text: str) -> list[_Pattern]:
    lower = text.lower()
    return [pattern for pattern in patterns if any(needle in lower for needle in pattern[2])]


def _without_likely(line: str, patterns: Sequence[_Pattern]) -> str:
    if "@" not in line and "=" not in line and ":" not in line and " " not in line:
        return line
    for pattern, replacement, _needles in _possible(patterns, line):
        line = pattern.sub(replacement, line)
    return line


def likely(line: str) -> list[tuple[int, int]]:
    """Where one line holds what looks like a secret: the beginning and the end of each. They may overlap."""
    found = []
    lower = line.lower()
    for pattern, replacement, needles in _PATTERNS:
        if not any(needle in lower for needle in needles):
            continue
        kept = len(replacement) - len(r"\1" + MASK)
        found += [(match.end(1), match.end() - kept) for match in pattern.finditer(line)]
    return [(start, end) for start, end in found if line[start:end] != MASK]


def _cut_secret(value: str, secret: str) -> list[tuple[int, int]]:
    """Where the text begins with the end of the secret, or ends with its beginning."""
    found = []
    for length in range(min(len(secret) - 1, len(value)), SHORTEST_SECRET - 1, -1):
        if value.startswith(secret[-length:]):
            found.append((0, length))
            break
    for length in range(min(len(secret) - 1, len(value)), SHORTEST_SECRET - 1, -1):
        if value.endswith(secret[:length]):
            found.append((len(value) - length, len(value)))
            break
    return found
