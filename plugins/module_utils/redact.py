# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hides secrets in anything that leaves the host."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any, Dict, Iterable, List, Sequence, Set, Tuple
from urllib.parse import quote, quote_plus

from . import secret_forms
from .parse.text import one_line
from .secret_forms import MASK, Stretch

# Shorter secrets are ignored: see EnvironmentFile.secret_values.
SHORTEST_SECRET = 4
_MOST_KEYS = 1000
_MOST_TIMES = 4


class Redactor:
    """Replaces every known secret, and what looks like one (``secret_forms.py``), by ``MASK``.

    ``secret_values``: the secrets as they are; written forms (percent-encoded, escaped, quoted) are hidden too.
    Overlapping secrets are hidden together, so that no rest of one shows. Anything shorter than ``SHORTEST_SECRET``
    is ignored.

    Redact first, cut afterwards: half a secret is not recognised. ``line`` does both in that order.
    """

    def __init__(self, secret_values: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secret_values:
            forms |= _written(secret)
        # Longest first decides nothing about the result, which merges overlaps; it finds the merged stretch sooner.
        self._secrets = tuple(sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True))
        self._keys: Dict[str, Tuple[str, bool]] = {}

    def text(self, value: str, truncated: bool = False) -> str:
        """The text without secrets.

        ``truncated``: it was cut before it came here, so the part of a secret at either end is hidden too.
        """
        value = _masked(value, self._known(value, truncated))
        # Again, because a word can end elsewhere when what stood behind it is hidden.
        for _time in range(_MOST_TIMES):
            found = _likely(value)
            if not found:
                break
            value = _masked(value, found)
        return value

    def line(self, value: str, limit: int = 200) -> str:
        """One printable line of at most ``limit`` characters without secrets."""
        return one_line(self.text(value), limit)

    def words(self, command: Sequence[str]) -> List[str]:
        """The words of a command without secrets, those too that only the word before tells."""
        secret = secret_forms.secret_words(command)
        return [MASK if number in secret else self.text(word) for number, word in enumerate(command)]

    def value(self, value: Any) -> Any:
        """A JSON-like value with every text in it redacted, keys of objects too, and the texts that a key calls secret.

        Numbers, booleans and None stay what they are. Keys that become equal get a number, so that nothing is lost.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            result: dict[Any, Any] = {}
            for key, item in value.items():
                shown, is_secret = self._key(key) if isinstance(key, str) else (key, False)
                unique, number = shown, 1
                while unique in result:
                    number += 1
                    unique = "%s (%d)" % (shown, number)
                result[unique] = MASK if is_secret and isinstance(item, str) and item else self.value(item)
            return result
        if isinstance(value, (list, tuple)):
            if all(isinstance(item, str) for item in value):
                return self.words(value)
            return [self.value(item) for item in value]
        return value

    def _key(self, key: str) -> Tuple[str, bool]:
        """The key without secrets, and whether what it names is one. Keys are few, and the same again and again."""
        if key not in self._keys:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            self._keys[key] = self.text(key), secret_forms.names_a_secret(key)
        return self._keys[key]

    def _known(self, value: str, truncated: bool) -> List[Stretch]:
        found: List[Stretch] = []
        for secret in self._secrets:
            start = value.find(secret)
            while start != -1:
                found.append((start, start + len(secret)))
                start = value.find(secret, start + 1)
            if truncated:
                found += _cut_secret(value, secret)
        return found


def _written(secret: str) -> Set[str]:
    """The secret as programs write it: bare, in a URL, in JSON, in a text of JSON, in quotes."""
    forms = {secret, repr(secret)[1:-1], secret.replace("'", "'\\''"), secret.replace("'", "'\"'\"'")}
    for safe in ("", "/"):
        for encoded in (
            quote(secret, safe, errors="backslashreplace"),
            quote_plus(secret, safe, errors="backslashreplace"),
        ):
            forms |= {encoded, _HEX_DIGITS.sub(lambda match: match.group().lower(), encoded)}
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        forms |= {escaped, escaped.replace("/", "\\/"), json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]}
    return forms


_HEX_DIGITS = re.compile("%[0-9A-F]{2}")


def _likely(text: str) -> List[Stretch]:
    found: List[Stretch] = []
    key = False
    for start, end in secret_forms.lines(text):
        line = text[start:end]
        found += [(start + begin, start + finish) for begin, finish in secret_forms.find(line)]
        key = key or "PRIVATE KEY" in line
    if key:
        whole = text.split("\n")
        starts = list(itertools.accumulate([0, *(len(line) + 1 for line in whole)]))
        found += [(starts[number], starts[number] + len(whole[number])) for number in secret_forms.key_lines(whole)]
    return found


def _masked(text: str, stretches: List[Stretch]) -> str:
    """The text with ``MASK`` in place of each stretch, and of those that touch together."""
    if not stretches:
        return text
    pieces: List[str] = []
    position = 0
    start, end = -1, -1
    for begin, finish in sorted(stretches) + [(len(text) + 1, len(text) + 1)]:
        if begin <= end:
            end = max(end, finish)
            continue
        if start >= 0:
            pieces.extend((text[position:start], MASK))
            position = end
        start, end = begin, finish
    pieces.append(text[position:])
    return "".join(pieces)


def _cut_secret(value: str, secret: str) -> List[Stretch]:
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
