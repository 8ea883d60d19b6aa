# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the pairs that were not broken yet, on some guests at once; then write the recordings and the table."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

from . import live, plan, table

STATE = Path(os.environ.get("HEALTHARCHIVE_PAIRS_STATE", "/var/tmp/healtharchive-pairs"))


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print("%s %s" % (time.strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def main() -> int:
    """``pairs run`` breaks, ``pairs table`` judges what was recorded; without a word both."""
    parser = argparse.ArgumentParser(
        prog="pairs", description="Every pair of the sandbox's faults, and what triage says."
    )
    parser.add_argument("what", nargs="?", choices=["run", "table", "all"], default="all")
    parser.add_argument("--guests", type=int, default=2, help="guests at once (default: 2)")
    parser.add_argument("--prefix", default=os.environ.get("HEALTHARCHIVE_TEST_GUEST", "pairs"), help="of their names")
    parser.add_argument("--minutes", type=float, help="begin no pair after so many minutes")
    parser.add_argument("--only", metavar="TEXT", help="pairs whose names, joined by +, hold this text")
    parser.add_argument("--again", action="store_true", help="also pairs that could not be made before")
    parser.add_argument("--state", type=Path, default=STATE, help="where unfinished work lies (default: %s)" % STATE)
    options = parser.parse_args()
    options.state.mkdir(parents=True, exist_ok=True)
    if options.what != "table":
        run(options)
    if options.what != "run":
        table.write(options.state)
    return 0


def run(options: argparse.Namespace) -> None:
    """Break what is missing; what was broken is written down at once, so that a run can be ended and begun again."""
    end = time.monotonic() + options.minutes * 60 if options.minutes else None

    def over() -> bool:
        return end is not None and time.monotonic() > end

    classes = plan.expected_classes()
    wanted = [pair for pair in plan.pairs(classes) if options.only is None or options.only in "+".join(pair)]
    with_storage = [pair for pair in wanted if "storage" in (classes[pair[0]], classes[pair[1]])]
    others = [pair for pair in wanted if pair not in with_storage]
    for part in (with_storage, others):
        rows = sorted(plan.rows(part), key=lambda row: -len(row[1]))
        _side_by_side(options, [Row(options.state, row, over, options.again) for row in rows], over)
    if options.only is None:
        _side_by_side(options, [Alone(options.state, name) for name in ("", *plan.faults())], over)


Task = Callable[[live.Host], None]


def _side_by_side(options: argparse.Namespace, tasks: Sequence[Task], over: Callable[[], bool]) -> None:
    """Do the tasks on as many guests as were asked for; the first failure ends all of them."""
    lock = threading.Lock()
    waiting = list(tasks)
    failures: List[BaseException] = []

    def next_task() -> Optional[Task]:
        with lock:
            return waiting.pop(0) if waiting and not over() and not failures else None

    def work(number: int) -> None:
        host = live.Host("%s-%d" % (options.prefix, number))
        try:
            task = next_task()
            while task is not None:
                task(host)
                task = next_task()
        except BaseException as error:
            failures.append(error)
        finally:
            host.remove()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, options.guests + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Alone(NamedTuple):
    """Record one fault by itself, or, without a name, a host with none."""

    state: Path
    name: str

    def __call__(self, host: live.Host) -> None:
        names = (self.name,) if self.name else ()
        if not _known(self.state, names, False):
            host.renew()
            for name in names:
                host.break_it(name)
            live.record(self.state, names, host.evidence(), [])
            say("%s: made" % (self.name or "nothing broken"))


class Row(NamedTuple):
    """Record the pairs of one fault: it is broken once, and the others after it as long as it stays as it is."""

    state: Path
    row: Tuple[str, List[str]]
    over: Callable[[], bool]
    again: bool

    def __call__(self, host: live.Host) -> None:
        first, seconds = self.row
        host.broken = ["unknown"]
        for second in seconds:
            if not self.over() and not _known(self.state, (first, second), self.again):
                started = time.monotonic()
                try:
                    word = "made" if self._pair(host, first, second) else "not made"
                except (live.NotBroken, live.NotSeen) as error:
                    host.broken = ["unknown"]
                    word = "to be tried again: %s" % error
                say("%s + %s: %s (%.0f s)" % (first, second, word, time.monotonic() - started))

    def _pair(self, host: live.Host, first: str, second: str) -> bool:
        if host.broken != [first]:
            self._begin(host, first)
        try:
            host.break_it(second)
        except live.NotBroken as error:
            return self._other_order(host, first, second, ["%s first: %s" % (first, error)])
        live.record(self.state, (first, second), host.evidence(), [])
        try:
            host.mend(second)
        except live.NotBroken:
            host.broken = ["unknown"]
        return True

    def _other_order(self, host: live.Host, first: str, second: str, why: List[str]) -> bool:
        evidence = None
        self._begin(host, second)
        try:
            host.break_it(first)
            evidence = host.evidence()
        except live.NotBroken as error:
            why = [*why, "%s first: %s" % (second, error)]
        live.record(self.state, (second, first), evidence, why)
        host.broken = ["unknown"]
        return evidence is not None

    def _begin(self, host: live.Host, name: str) -> None:
        """A new host with this one fault, which is recorded by itself, too."""
        host.renew()
        host.break_it(name)
        if not _known(self.state, (name,), False):
            live.record(self.state, (name,), host.evidence(), [])


def _known(state: Path, names: Tuple[str, ...], again: bool) -> bool:
    path = live.file_of(state, names)
    return path.exists() and not (again and '"evidence": null' in path.read_text())
