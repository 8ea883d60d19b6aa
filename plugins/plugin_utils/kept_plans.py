# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as they were printed, kept on the controller: when the world has moved, a person is shown what differs. Private to this
collection.

Nothing is decided by them. The host knows the id that was approved, and a plan of now; where the approved one is not kept, as on
a controller whose disk is thrown away, what differs is not shown.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any, Dict, List, Optional

from ..module_utils.parse.errors import ParseError
from ..module_utils.parse.json_object import json_object
from ..module_utils.plan import ID_LENGTH
from . import whole_file
from .incident import notes

_FOLDER = "plans"
_ID = re.compile(r"[0-9a-f]{%d}" % ID_LENGTH)
_CAP_BYTES = 8 * 1024 * 1024
_MOST = 100
_FIELDS = ("incident", "head", "plan")


def keep(output_directory: str, host: str, result: Mapping[str, Any]) -> None:
    """Keep what a module planned; the oldest of more than 100 are forgotten. Raises OSError, :class:`..settings.BadInput`."""
    directory = _directory(output_directory, host)
    plan_id = str(result.get("plan_id"))
    if _ID.fullmatch(plan_id) is None:
        return
    whole_file.make_directory(directory)
    content = json.dumps({name: result.get(name) for name in _FIELDS}, indent=1).encode("ascii")
    with whole_file.locked(directory):
        whole_file.write(os.path.join(directory, plan_id + ".json"), content)
        names = [name for name in os.listdir(directory) if name.endswith(".json")]
        for name in sorted(names, key=lambda each: os.lstat(os.path.join(directory, each)).st_mtime)[:-_MOST]:
            whole_file.remove(os.path.join(directory, name))


def find(output_directory: str, host: str, plan_id: Any) -> Optional[Dict[str, Any]]:
    """What was kept of a plan, or None."""
    if not isinstance(plan_id, str) or _ID.fullmatch(plan_id) is None:
        return None
    with contextlib.suppress(OSError, ParseError):
        content = whole_file.read(os.path.join(_directory(output_directory, host), plan_id + ".json"), _CAP_BYTES)
        found = {} if content is None else json_object(content, "the plan")
        return found if isinstance(found.get("plan"), dict) else None
    return None


def differences(approved: Mapping[str, Any], now: Mapping[str, Any]) -> List[str]:
    """What makes the plan of now another one, a line each; both have ``incident``, ``head`` and ``plan``."""
    lines = [
        "%s: it was %s, it is %s" % (what, approved.get(name), now.get(name))
        for name, what in (("incident", "the incident"), ("head", "the commit"))
        if approved.get(name) != now.get(name)
    ]
    before, after = _mapping(approved.get("plan")), _mapping(now.get("plan"))
    was, has = listed(before.get("subjects")), listed(after.get("subjects"))
    lines += ["%s: it was in the plan and is not any more" % each for each in was if each not in has]
    lines += ["%s: it was not in the plan" % each for each in has if each not in was]
    old, new = _mapping(before.get("before")), _mapping(after.get("before"))
    for subject in [each for each in was if each in has]:
        lines += ["%s: %s" % (subject, each) for each in _changed(old.get(subject), new.get(subject))]
    left, leaves = _mapping(before.get("left_out")), _mapping(after.get("left_out"))
    lines += ["%s: it was left out (%s)" % (each, left[each]) for each in left if each not in leaves]
    lines += ["%s: it is left out now (%s)" % (each, leaves[each]) for each in leaves if leaves[each] != left.get(each)]
    if not lines:
        # What follows from the above, and is told where nothing above differs.
        others = ("commands", "after", "objective", "expected_impact", "rollback", "symptom")
        lines = [
            "%s: it was %s, it is %s" % (name, before.get(name), after.get(name))
            for name in others
            if before.get(name) != after.get(name)
        ]
    return lines


def _changed(old: Any, new: Any) -> List[str]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return [] if old == new else ["it was %s, it is %s" % (_word(old), _word(new))]
    return [
        "its %s was %s, it is %s" % (name, _word(old.get(name)), _word(new.get(name)))
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]


def listed(value: Any) -> List[str]:
    """A list of texts, whatever it is."""
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _directory(output_directory: str, host: str) -> str:
    return os.path.join(notes.directory_of(output_directory, host), _FOLDER)
