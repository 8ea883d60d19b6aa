# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The severity that a triage suggests for an incident that is opened, with the rubric's sentence. Private to this collection.

The files are those that M(triage_host) wrote: on the controller, for this host.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping
from typing import Any, Dict, List, NamedTuple, Optional

from ...module_utils.parse import times
from ...module_utils.parse.text import one_line
from ..triage import event, evidence_file, report

# A triage that is older says little about what is wrong now.
_OLDEST_SECONDS = 6 * 3600
_AHEAD_SECONDS = 300
_RESULT_CAP_BYTES = 8 * 1024 * 1024


class Suggestion(NamedTuple):
    """``event`` is the triage as an event of the incident; ``source`` is the file, for people."""

    severity: Optional[str]
    severity_reason: Optional[str]
    event: Dict[str, Any]
    source: str


class BadTriage(ValueError):
    """The file that was named is no result of a triage; one line."""


def named(path: str) -> Suggestion:
    """From ``result.json`` or the directory that it is in, as the operator named it. :class:`BadTriage`."""
    path = os.path.abspath(os.path.expanduser(path))
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    try:
        return _read(directory)
    except (OSError, ValueError) as error:
        raise BadTriage("%s is no result of a triage: %s" % (one_line(path, 200), one_line(str(error), 200))) from error


def newest(output_directory: str, host: str, now: float) -> Optional[Suggestion]:
    """Of the newest triage of this host that is young enough; None if there is none. What cannot be read counts as none."""
    base = os.path.join(os.path.abspath(os.path.expanduser(output_directory)), report.directory_name(host))
    found: List[Suggestion] = []
    for result in glob.glob(os.path.join(glob.escape(base), "*", "result.json")):
        try:
            suggestion = _read(os.path.dirname(result))
            age = now - times.to_epoch(suggestion.event["at"])
        except (OSError, TypeError, ValueError):
            continue
        if -_AHEAD_SECONDS <= age <= _OLDEST_SECONDS:
            found.append(suggestion)
    return max(found, key=lambda each: (each.event["at"], each.source), default=None)


def _read(directory: str) -> Suggestion:
    evidence = evidence_file.read(os.path.join(directory, "evidence.json"))
    path = os.path.join(directory, "result.json")
    with open(path, "rb") as file:
        content = file.read(_RESULT_CAP_BYTES + 1)
    if len(content) > _RESULT_CAP_BYTES:
        raise ValueError("it is larger than %d bytes" % _RESULT_CAP_BYTES)
    result = json.loads(content)
    if not isinstance(result, Mapping) or not isinstance(result.get("classes"), list):
        raise ValueError("result.json is not what triage writes")
    first = result["classes"][0] if result["classes"] else {}
    if not isinstance(first, Mapping) or (result["classes"] and not {"severity", "summary"} <= set(first)):
        raise ValueError("result.json is not what triage writes")
    said = event.triage_run(evidence, result)
    return Suggestion(first.get("severity"), first.get("severity_reason"), said, path)
