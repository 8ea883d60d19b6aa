# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``vps-deploy.sh`` prints, standard output and error in one (contract 3.1)."""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from . import public_surface
from .errors import ParseError
from .text import decode, one_line, strip_ansi

# The names of the steps in their order, each with what its command line holds. What a command prints may look like one of
# these lines too: a step that lies before the one that is known to run is output.
_STEPS: Tuple[Tuple[str, "re.Pattern[str]"], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("fetch", r"git fetch "),
        ("checkout", r"git (?:checkout --detach|pull) "),
        ("dependencies", r"\S*/pip install "),
        ("migrations", r"\S*/alembic upgrade "),
        ("units", r"sudo (?:cp|install|rsync) .*/systemd"),
        ("reload", r"sudo systemctl daemon-reload$"),
        ("restart API", r"sudo systemctl restart healtharchive-api"),
        ("restart worker", r"sudo systemctl restart healtharchive-worker"),
        ("unit states", r"sudo systemctl (?:status|is-active) healtharchive-"),
        ("restart replay", r"sudo systemctl restart healtharchive-replay"),
        ("health", r"wait_for_health "),
        ("baseline", r"\S*python3? \S*check_baseline_drift\.py"),
        ("public surface", r"\S*python3? \S*verify_public_surface\.py"),
        ("alerting", r"sudo .*(?:alert|webhook)"),
    )
)
STEPS = tuple(name for name, _pattern in _STEPS)
# Before its first step nothing was changed; the first one changes no more than what git remembers of the remote.
_HARMLESS = (None, "fetch")

_SHA = re.compile(r"[0-9a-f]{40}")
_MODE = "Mode:        "
_BEFORE = "Current git SHA: "
_TARGET = "Target git SHA:  "
_COMPLETE = "Deploy complete."
_DIRTY = "ERROR: Working tree is dirty."
_LOCKED = "ERROR: Deploy lock is held"
_WORKER_SKIPPED = "Skipping worker restart."
_DRIFT_FAILURES = "FAILURES (must fix)"
# The only line that is not the script's own: what became of the worker after a deploy that left it alone.
OURS = "healtharchive.remediation: "
_COMPLAINT = re.compile(
    r"(?:ERROR|fatal|error|FAILED): |Active: (?!active)|[A-Za-z_][A-Za-z0-9_.]*(?:Error|Exception|Failure|DoesNotExist)(?:: |$)"
)
_LINE_LIMIT = 300
_TAIL = 20


class Step(NamedTuple):
    """A line ``+ COMMAND``; ``name`` is None for one that is not known."""

    name: Optional[str]
    command: str


class Report(NamedTuple):
    """``applies``: it said that it acts, None when it said neither. ``sha_before``, ``sha_target``: as it said.
    ``last``: the name of the last step that began. ``complete``: it says that it is. ``refused``: ``deploy_running`` or
    ``tree_dirty`` when it ended before it did anything. ``complaint``: one line on what went wrong in the last step.
    ``worker_skipped``: it said that it leaves the worker alone. ``ours``: what became of the worker afterwards.
    ``public``: as ``public_surface.verification``, None when it did not come to that. ``drift``: what the drift check found,
    a line each."""

    applies: Optional[bool]
    sha_before: Optional[str]
    sha_target: Optional[str]
    steps: Tuple[Step, ...]
    last: Optional[str]
    complete: bool
    refused: Optional[str]
    complaint: Optional[str]
    worker_skipped: bool
    ours: Optional[str]
    public: Optional[Dict[str, Any]]
    drift: Tuple[str, ...]
    tail: Tuple[str, ...]

    @property
    def changed_nothing(self) -> bool:
        """Whether it cannot have changed anything of the service yet."""
        return self.last in _HARMLESS


def report(output: bytes, ended: bool) -> Report:
    """What the output says so far; ``ended``: nothing more will come. Any bytes give an answer, and what they do not say is
    None, false or empty."""
    lines = [line.rstrip("\r") for line in strip_ansi(decode(output)).split("\n")]
    if not ended:
        # The last line may still grow.
        lines = lines[:-1]
    header, sections = _sections(lines)
    steps = tuple(step for step, _lines in sections)
    named = [(step.name, said) for step, said in sections if step.name is not None]
    last = named[-1][0] if named else None
    own = [line for line in lines if line.startswith(OURS)]
    said_last = [line for line in lines if line.strip() and not line.startswith(OURS)][-1:]
    modes = [line[len(_MODE) :] for line in header if line.startswith(_MODE)]
    return Report(
        applies={"APPLY": True, "DRY-RUN": False}.get(modes[0]) if len(modes) == 1 else None,
        sha_before=_sha(header, _BEFORE),
        sha_target=_sha([line for name, said in named if name == "checkout" for line in said], _TARGET),
        steps=steps,
        last=last,
        complete=said_last == [_COMPLETE],
        refused=_refused(header) if not steps else None,
        complaint=_complaint(_since_last(header, sections)),
        worker_skipped=any(line == _WORKER_SKIPPED for name, said in named for line in said),
        ours=one_line(own[-1][len(OURS) :], _LINE_LIMIT) if own else None,
        public=_public([line for name, said in named if name == "public surface" for line in said], ended),
        drift=_drift([line for name, said in named if name == "baseline" for line in said]),
        tail=tuple(one_line(line, _LINE_LIMIT) for line in lines if line.strip())[-_TAIL:],
    )


def _sections(lines: List[str]) -> Tuple[List[str], List[Tuple[Step, List[str]]]]:
    """What stands before the first step, and each step with what follows it."""
    header: List[str] = []
    sections: List[Tuple[Step, List[str]]] = []
    reached = 0
    for line in lines:
        if line.startswith("+ "):
            place = next((n for n, (_name, pattern) in enumerate(_STEPS) if pattern.match(line, 2)), None)
            if place is None or place >= reached:
                reached = reached if place is None else place
                name = None if place is None else _STEPS[place][0]
                sections.append((Step(name, one_line(line[2:], _LINE_LIMIT)), []))
                continue
        (sections[-1][1] if sections else header).append(line)
    return header, sections


def _since_last(header: List[str], sections: List[Tuple[Step, List[str]]]) -> List[str]:
    """What was printed since the last step that is known began."""
    found: List[str] = []
    for step, said in reversed(sections):
        found = said + found
        if step.name is not None:
            return found
    return header + found


def _sha(lines: List[str], label: str) -> Optional[str]:
    found = [line[len(label) :] for line in lines if line.startswith(label)]
    return found[0] if len(found) == 1 and _SHA.fullmatch(found[0]) else None


def _refused(header: List[str]) -> Optional[str]:
    for start, code in ((_LOCKED, "deploy_running"), (_DIRTY, "tree_dirty")):
        if any(line.startswith(start) for line in header):
            return code
    return None


def _complaint(lines: List[str]) -> Optional[str]:
    """The last line that names an error, else the last line."""
    said = [line.strip() for line in lines if line.strip() and not line.startswith(OURS)]
    named = [line for line in said if _COMPLAINT.match(line)]
    chosen = (named or said)[-1:]
    return one_line(chosen[0], _LINE_LIMIT) if chosen else None


def _public(lines: List[str], ended: bool) -> Optional[Dict[str, Any]]:
    said = [line for line in lines if not line.startswith(OURS) and line != _COMPLETE]
    while said and not said[-1].strip():
        said.pop()
    if not said:
        return None
    # Its exit code is not known here: what its own summary says must do, and does not pass without it.
    code = 0 if said[-1] == "All checks passed." else 1
    try:
        return public_surface.verification("".join(line + "\n" for line in said).encode(), code, ended)
    except ParseError:
        return None


def _drift(lines: List[str]) -> Tuple[str, ...]:
    found: List[str] = []
    within = False
    for line in lines:
        if line == _DRIFT_FAILURES:
            within = True
        elif within and line.startswith("- "):
            found.append(one_line(line[2:], _LINE_LIMIT))
        elif within and not line.startswith("Wrote: "):
            within = False
    return tuple(found)
