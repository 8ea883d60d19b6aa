# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of ``check_baseline_drift.py --no-write`` (contract 3.3)."""

from __future__ import annotations

from typing import Any, Optional

from . import times
from .errors import BAD_EVIDENCE, EMPTY, TRUNCATED, UNPARSABLE, ParseError
from .json_object import json_object
from .text import decode

_TITLE = "HealthArchive baseline drift report"
_PASS = "PASS: No drift detected."
_SECTIONS = {"FAILURES (must fix)": "failures", "WARNINGS (recommended)": "warnings"}
_MODES = ("local", "live")


def drift_report(stdout: bytes, rc: int) -> dict[str, Any]:
    """``{"drifted": bool, "mode": "local"|"live", "failures": [ITEM], "warnings": [ITEM], "timestamp": iso}``.

    ITEM is ``{"key", "message"}``, split at the first ``": "`` because keys contain colons. ``drifted`` is true when
    there is a failure; warnings alone are no drift (in local mode there always are some).

    A report of exit code 0 has no failures and one of exit code 1 has some; exit code 1 is also what the script ends
    with when it crashed, so a report that does not agree with it says nothing. Run it without ``--json``.

    Raises ParseError: ``empty``, ``truncated``, ``unparsable``, ``bad_evidence`` (report and exit code contradict).
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "the drift check printed nothing")
    lines = decode(stdout).split("\n")
    if lines[0] != _TITLE:
        raise ParseError(UNPARSABLE, "the drift check printed no report: " + lines[0])
    if lines.pop() != "":
        raise ParseError(TRUNCATED, "the end of the drift report is missing")
    if len(lines) < 6 or lines[4] != "":
        raise ParseError(TRUNCATED if len(lines) < 6 else UNPARSABLE, "the drift report's header is not complete")
    try:
        timestamp = times.from_zoned(_header(lines[1], "timestamp_utc"))
    except ValueError as error:
        raise ParseError(UNPARSABLE, "the drift report's time is none: " + lines[1]) from error
    _header(lines[2], "policy")
    mode = _header(lines[3], "mode")
    if mode not in _MODES:
        raise ParseError(UNPARSABLE, "the drift report has the mode " + mode)

    passed, sections = _findings(lines[5:])
    failures = sections.get("failures", [])
    if rc not in (0, 1) or bool(failures) != (rc == 1):
        raise ParseError(BAD_EVIDENCE, "the drift report has %d failures but exit code %s" % (len(failures), rc))
    if not passed and not sections:
        raise ParseError(UNPARSABLE, "the drift report neither passes nor names a finding")
    return {
        "drifted": bool(failures),
        "mode": mode,
        "failures": failures,
        "warnings": sections.get("warnings", []),
        "timestamp": timestamp,
    }


def drift_report_with_json(stdout: bytes, rc: int) -> dict[str, Any]:
    """The same of a run with ``--json``, whose JSON stands below the report and must name the same failures.

    Raises ParseError as well where the JSON is missing, is none, or says something else (``bad_evidence``).
    """
    start = stdout.find(b"\n{")
    if start < 0:
        raise ParseError(TRUNCATED if stdout.strip() else EMPTY, "the drift check printed no JSON below its report")
    report = drift_report(stdout[: start + 1], rc)
    failures = json_object(stdout[start + 1 :], "the drift check's JSON").get("failures")
    keys = [_key(each) for each in failures] if isinstance(failures, list) else [None]
    if None in keys:
        raise ParseError(UNPARSABLE, "the drift check's JSON has no list of failures")
    if sorted(str(key) for key in keys) != sorted(each["key"] for each in report["failures"]):
        raise ParseError(BAD_EVIDENCE, "the drift check's report and its JSON name different failures")
    return report


def _key(failure: Any) -> Optional[str]:
    """Of a pair of key and message, or of an object with them; the contract does not say which."""
    if isinstance(failure, list) and failure and isinstance(failure[0], str):
        return failure[0]
    key = failure.get("key") if isinstance(failure, dict) else None
    return key if isinstance(key, str) else None


def _header(line: str, name: str) -> str:
    if not line.startswith(name + "="):
        raise ParseError(UNPARSABLE, "the drift report does not say %s: %s" % (name, line))
    return line[len(name) + 1 :]


def _findings(lines: list[str]) -> tuple[bool, dict[str, list[dict[str, str]]]]:
    passed = False
    sections: dict[str, list[dict[str, str]]] = {}
    current = None
    for line in lines:
        if line == "":
            current = None
        elif line == _PASS and not passed:
            passed = True
        elif line in _SECTIONS and _SECTIONS[line] not in sections:
            current = sections[_SECTIONS[line]] = []
        else:
            key, separator, message = line[2:].partition(": ")
            if current is None or not line.startswith("- ") or not separator or not key.strip():
                raise ParseError(UNPARSABLE, "the drift report has the line: " + line)
            current.append({"key": key, "message": message})
    if passed and sections:
        raise ParseError(BAD_EVIDENCE, "the drift report passes and names findings")
    for name, items in sections.items():
        if not items:
            raise ParseError(UNPARSABLE, "the drift report names no finding under " + name)
    return passed, sections
