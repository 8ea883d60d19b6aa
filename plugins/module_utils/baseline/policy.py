# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline policy (contract 3.3) as far as a finding is put back by it: pure. Private to this collection."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ..parse.errors import UNPARSABLE, ParseError
from ..parse.json_object import json_object

# Below the checkout; the check's own default, and the only one that is taken for the policy.
PATH = "docs/operations/production-baseline-policy.toml"

_MODE = re.compile(r"0?[0-7]{3,4}")


class Entry(NamedTuple):
    """What is demanded of a path; None: nothing."""

    owner: Optional[str]
    group: Optional[str]
    mode: Optional[int]
    setgid: bool


class Policy(NamedTuple):
    """``digest``: git's name of the file that it was read from. ``environment``: the value that each variable must have, of a
    list its parts with commas between them."""

    digest: str
    operator_user: str
    ops_group: str
    env_file: str
    caddyfile: str
    paths: Mapping[str, Entry]
    environment: Mapping[str, str]


def parse(stdout: bytes) -> Policy:
    """The table as JSON, with the digest: ``{"digest": str, "policy": {...}}``. ParseError."""
    answer = json_object(stdout, "the policy")
    data = answer.get("policy")
    if not isinstance(data, dict) or not isinstance(answer.get("digest"), str):
        raise ParseError(UNPARSABLE, "the policy is no table")
    files = _table(data, "files")
    return Policy(
        answer["digest"],
        _text(data, "operator_user"),
        _text(data, "ops_group"),
        _text(files, "backend_env_file"),
        _text(files, "caddyfile"),
        _paths(_table(data, "filesystem").get("paths", [])),
        _environment(data),
    )


def _paths(listed: Any) -> Dict[str, Entry]:
    found: Dict[str, Entry] = {}
    if not isinstance(listed, list):
        raise ParseError(UNPARSABLE, "the policy's filesystem.paths is no list")
    for each in listed:
        path = _text(each, "path") if isinstance(each, dict) else ""
        if not path.startswith("/") or path in found:
            raise ParseError(UNPARSABLE, "the policy names a path that is none, or twice: %s" % path)
        found[path] = Entry(
            _text(each, "owner") if "owner" in each else None,
            _text(each, "group") if "group" in each else None,
            _mode(each["mode"]) if "mode" in each else None,
            each.get("setgid") is True,
        )
    return found


def _mode(value: Any) -> int:
    if not isinstance(value, str) or _MODE.fullmatch(value) is None:
        raise ParseError(UNPARSABLE, "the policy has the mode %s" % value)
    return int(value, 8)


def _environment(data: Mapping[str, Any]) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for name, value in _table(data, "backend_env_required").items():
        if isinstance(value, str):
            found[name] = value
    for name, value in _table(data, "backend_env_csv_set_equals").items():
        parts: List[Any] = value if isinstance(value, list) else []
        if parts and all(isinstance(part, str) for part in parts):
            found[name] = ",".join(parts)
    return found


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise ParseError(UNPARSABLE, "the policy's %s is no table" % name)
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ParseError(UNPARSABLE, "the policy's %s is no text" % name)
    return value
