# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recovery is here: how the host is broken for it, and how it is seen, without the collection, that it was completed."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Tuple

from driving.guest import Guest

from ..steps import Step

WORKER = "systemctl is-active --quiet healtharchive-worker"
# Of the crawl that keeps the worker busy beside what is recovered (`occupy_worker` of the sandbox).
BUSY = "^/srv/healtharchive/jobs/hc/busy/"


class Recovery(NamedTuple):
    """``broken`` breaks a guest as new, ``again`` one on which it was completed. ``said``: what the playbook is told beside the
    incident. ``completed`` are scripts that all end well when it was completed; ``moves``: the statuses that a row may have
    afterwards, by the one that it had. ``minutes``: how long the clearance lasts, which is as short as the act lets it be;
    ``act_seconds``: how long the act may go on; ``resumes_after_seconds``: after how long the worker starts by itself.
    ``switches``: what does that and more of the kind; ``given_back``: scripts that all end well when it is done. ``steps``: of
    the act, at each of which it is killed as well.

    Every file of the archive must stay as it is (``archive.py``), but for those whose paths these expressions match: ``growing``,
    which a crawl that runs makes longer, and ``rewritten``, which somebody else may write anew when the recovery has let him, or
    which the plan names. A WARC file that was there is never rewritten."""

    playbook: str
    module: str
    broken: Callable[[Guest], None]
    again: Callable[[Guest], None]
    said: Callable[[Guest], Dict[str, Any]]
    completed: Tuple[str, ...]
    moves: Mapping[str, Tuple[str, ...]]
    minutes: int
    act_seconds: int
    resumes_after_seconds: int = 0
    switches: Tuple[str, ...] = ()
    given_back: Tuple[str, ...] = ()
    steps: Tuple[Step, ...] = ()
    growing: str = ""
    rewritten: str = ""


def faults(*names: str, then: str = "") -> Callable[[Guest], None]:
    """Breaks the guest by these faults of the sandbox, and runs a script."""

    def run(guest: Guest) -> None:
        for name in names:
            guest.fault(name, "break_it")
        if then:
            guest.root(then)

    return run


def script(text: str, *names: str, then: str = "") -> Callable[[Guest], None]:
    """Runs a script, breaks the guest by these faults of the sandbox, and runs another script."""

    def run(guest: Guest) -> None:
        guest.root(text)
        faults(*names, then=then)(guest)

    return run


def says(**said: Any) -> Callable[[Guest], Dict[str, Any]]:
    """The same each time."""
    return lambda _guest: dict(said)


def job_named(name: str) -> Callable[[Guest], Dict[str, Any]]:
    """The number of the job with this name."""
    return lambda guest: {"job_id": next(number for number, job in guest.jobs().items() if job["name"] == name)}
