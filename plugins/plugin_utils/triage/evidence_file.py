# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence of an earlier triage, from a file of the controller. Private to this collection."""

from __future__ import annotations

import json
import math
import os
import stat
from typing import Any, List, NoReturn

from ...module_utils.parse.text import one_line
from .evidence import Evidence

# Evidence of a large host is some hundred kilobytes.
LIMIT_BYTES = 8 * 1024 * 1024
# Real evidence nests seven deep. What nests deeper than Ansible can carry would end in a traceback of its own.
DEPTH = 50


class BadFile(ValueError):
    """The file holds no evidence that can be classified; the message is one line."""


def read(path: str) -> Any:
    """The evidence document in a file; :class:`BadFile`, with one line, if there is none.

    Never waits: what is no plain file is refused before it is read.
    """
    path = os.path.abspath(os.path.expanduser(path))
    try:
        return _document(_content(path))
    except OSError as error:
        raise BadFile("the evidence file %s cannot be read: %s" % (_shown(path), error.strerror)) from error
    except ValueError as error:
        raise BadFile("the evidence file %s cannot be used: %s" % (_shown(path), error)) from error


def _shown(path: str) -> str:
    return one_line(path, 300)


def _content(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a file")
        content = file.read(LIMIT_BYTES + 1)
    if len(content) > LIMIT_BYTES:
        raise ValueError("it is larger than %d bytes" % LIMIT_BYTES)
    return content


def _document(content: bytes) -> Any:
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_not_finite, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError("it is not JSON (line %d, column %d)" % (error.lineno, error.colno)) from error
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    _check_depth(document)
    Evidence(document)
    return document


def _finite(word: str) -> float:
    number = float(word)
    return number if math.isfinite(number) else _not_finite(word)


def _not_finite(word: str) -> NoReturn:
    raise ValueError("it holds %s, which is no number" % one_line(word, 40))


def _check_depth(document: Any) -> None:
    level: List[Any] = [document]
    for _depth in range(DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, (dict, list))
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise ValueError("it nests too deeply")
