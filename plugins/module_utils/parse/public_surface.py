# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of ``verify_public_surface.py`` (contract 3.4)."""

from __future__ import annotations

import re
from typing import Any, Optional

from .errors import EMPTY, UNPARSABLE, ParseError
from .text import decode, one_line

DETAIL_LIMIT = 300

_ALL_PASSED = "All checks passed."
_FAILURES = re.compile(r"FAILURES: ([0-9]{1,9})")
_STATUS = re.compile(r"(?:^| )status=([0-9]{1,3})(?= |$)")
_FIRST_FIELD = re.compile(r" [A-Za-z_]+=")


def verification(stdout: bytes, rc: Optional[int], finished: bool) -> dict[str, Any]:
    """``{"passed": bool|None, "finished": bool, "ok": int, "failures": [FAILURE], "problem": str|None}``.

    ``rc``: exit code, None when the script was ended by us; ``finished``: it ended by itself. In the result
    ``finished`` also needs the summary line, which a script that crashed half-way does not print (surprise 35).

    ``passed`` is True only for exit code 0, ``All checks passed.`` at the end, at least one OK line, no FAIL line and
    no line that is neither. It is False for exit code 1 with a summary that counts the FAIL lines, and for a report
    without its end that has a FAIL line. Everything else is None, and ``problem`` says why.

    FAILURE is ``{"check": str, "status": int|None, "detail": str}``: status is the HTTP status, None when there was
    no HTTP answer. Redact the output before it is parsed: details are cut here.

    Raises ParseError: ``empty`` (it finished and printed nothing), ``unparsable`` (it finished and printed no line of a
    report, or a usage error).
    """
    lines = [line.rstrip("\r") for line in decode(stdout).split("\n")]
    torn = lines.pop()
    ok = 0
    failures = []
    strange = 0
    claims = []  # numbers of failures that summary lines claim
    last = ""
    for line in lines:
        if not line.strip():
            continue
        last = line
        counted = _FAILURES.fullmatch(line)
        if line.startswith("OK   "):
            ok += 1
        elif line.startswith("FAIL "):
            failures.append(_failure(line[5:]))
        elif line == _ALL_PASSED:
            claims.append(0)
        elif counted is not None:
            claims.append(int(counted.group(1)))
        else:
            strange += 1
    if finished and not stdout.strip():
        raise ParseError(EMPTY, "the public surface check printed nothing")
    if finished and not ok and not failures and not claims:
        raise ParseError(UNPARSABLE, "the public surface check printed no report: " + (last or torn))

    ends_with_summary = last == _ALL_PASSED or _FAILURES.fullmatch(last) is not None
    complete = finished and len(claims) == 1 and ends_with_summary and not torn
    passed: Optional[bool] = None
    problem: Optional[str] = None
    if not complete:
        passed = False if failures else None
        problem = "the report does not end with its summary: the check was ended or crashed"
    elif last == _ALL_PASSED and rc == 0 and ok and not failures and not strange:
        passed = True
    elif last != _ALL_PASSED and rc == 1 and failures and claims[0] == len(failures):
        passed = False
    else:
        problem = "the summary %r does not agree with exit code %s, %d OK, %d FAIL and %d other lines" % (
            last,
            rc,
            ok,
            len(failures),
            strange,
        )
    return {"passed": passed, "finished": complete, "ok": ok, "failures": failures, "problem": problem}


def _failure(text: str) -> dict[str, Any]:
    text = text.strip()
    field = _FIRST_FIELD.search(text)
    check = text[: field.start()] if field else text
    detail = text[field.start() :] if field else ""
    found = _STATUS.search(detail)
    status = int(found.group(1)) if found else None
    if found:
        detail = detail[: found.start()] + detail[found.end() :]
    return {
        "check": one_line(check.strip(), DETAIL_LIMIT),
        "status": status or None,
        "detail": one_line(detail.strip(), DETAIL_LIMIT),
    }
