# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill the controller at every position of every recovery, and write down each."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional

from driving.guest import Failed, Guest

from . import recoveries
from .trial import Position, Trial, Whole, Wrong

STATE = Path(os.environ.get("HEALTHARCHIVE_KILLS_STATE", "/var/tmp/healtharchive-kills"))
# Seconds into the act: most of what an act does lies in its first ones.
INTO_THE_ACT = (0.0, 0.3, 1.0, 2.5)
# The same with the module on the host: what it began has no end on record then.
WITH_THE_MODULE = (0.0, 0.6, 1.5)
# A guest is taken anew after so many kills: a crawl that keeps its worker busy does so for an hour.
_OF_ONE_GUEST = 25


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print("%s %s" % (time.strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def positions(recovery: recoveries.Recovery, whole: Whole) -> List[Position]:
    """All of a recovery that has so many tasks."""
    return [
        *(Position(task) for task in range(1, whole.tasks + 1)),
        *(Position(None, seconds) for seconds in INTO_THE_ACT),
        *(Position(None, seconds, host=True) for seconds in WITH_THE_MODULE),
        *(Position(None, host=True, step=step) for step in recovery.steps),
    ]


def some(every: List[Position], count: Optional[int]) -> List[Position]:
    """At most so many of them, evenly chosen."""
    if not count or count >= len(every):
        return every
    return [every[round(number * (len(every) - 1) / max(count - 1, 1))] for number in range(count)]


def main() -> int:
    """0 when no kill broke a law."""
    parser = argparse.ArgumentParser(
        prog="kills", description="The controller is killed at every task of every recovery."
    )
    parser.add_argument("--only", metavar="RECOVERY", action="append", choices=list(recoveries.RECOVERIES))
    parser.add_argument("--guest", default=os.environ.get("HEALTHARCHIVE_TEST_GUEST", "kills"), help="its name")
    parser.add_argument("--count", type=int, help="at most so many positions of each recovery, evenly chosen")
    parser.add_argument(
        "--hurry",
        action="store_true",
        help="wait for the end of one clearance of each recovery; of all else see that its end is armed, and for when",
    )
    parser.add_argument("--at", metavar="REGEX", default="", help="only positions of which that matches a part")
    parser.add_argument("--minutes", type=float, help="begin no other kill after so many")
    parser.add_argument("--state", type=Path, default=STATE, help="where the report goes (default: %s)" % STATE)
    options = parser.parse_args()
    options.state.mkdir(parents=True, exist_ok=True)
    report = Report(options.state / "report.json")
    guest = Guest(options.guest)
    started = time.monotonic()
    end = started + options.minutes * 60 if options.minutes else float("inf")
    try:
        for name in options.only or list(recoveries.RECOVERIES):
            Series(name, guest, options, report, end).run()
    finally:
        guest.remove()
    print(report.text(time.monotonic() - started))
    return 0 if report.passed else 1


class Report:
    """What became of each kill; on the disk after each."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: List[Dict[str, Any]] = []

    def add(self, row: Dict[str, Any]) -> None:
        self.rows.append(row)
        self._file.write_text(json.dumps(self.rows, indent=1) + "\n")
        say("%(recovery)s, %(position)s: %(verdict)s (%(seconds)d s)" % row)

    @property
    def passed(self) -> bool:
        return bool(self.rows) and not any(row.get("wrong") for row in self.rows)

    def text(self, seconds: float) -> str:
        lines = ["", "%-22s %6s %8s %22s %10s" % ("recovery", "kills", "wrong", "longest until settled", "cut off")]
        killed = [row for row in self.rows if row.get("killed") or row.get("wrong")]
        for name in dict.fromkeys(row["recovery"] for row in self.rows):
            rows = [row for row in killed if row["recovery"] == name]
            wrong = [row for row in rows if row.get("wrong")]
            longest = max([row.get("settled_after_seconds", 0.0) for row in rows], default=0.0)
            cut = sum(1 for row in rows if row.get("begun") and not row.get("end_on_record"))
            lines.append("%-22s %6d %8d %20.1f s %10d" % (name, len(rows), len(wrong), longest, cut))
            lines += ["    %s: %s" % (row["position"], row["verdict"].splitlines()[0]) for row in wrong]
        good = sum(1 for row in killed if not row.get("wrong"))
        lines.append("%d of %d kills as they should be, in %.0f s; report: %s" % (good, len(killed), seconds, self._file))
        return "\n".join(lines)


class Series:
    """The kills of one recovery, one after another on one guest."""

    def __init__(self, name: str, guest: Guest, options: argparse.Namespace, report: Report, end: float) -> None:
        self._name = name
        self._guest = guest
        self._options = options
        self._report = report
        self._end = end
        self._trial: Optional[Trial] = None
        self._kills = 0
        self._waited = False

    def run(self) -> None:
        whole = self._done("whole", lambda trial: {"verdict": "without a kill", "whole": trial.whole()})
        if "whole" not in whole:
            return
        found: Whole = whole["whole"]
        every = positions(recoveries.RECOVERIES[self._name], found)
        named = [position for position in every if re.search(self._options.at, position.words)]
        patient = not self._options.hurry
        for position in some(named, self._options.count):
            if time.monotonic() > self._end:
                return
            # Of one who was killed before the act the clearance lasts a minute.
            wait = patient or (not self._waited and position.task is not None)
            row = self._done(position.words, lambda trial, at=position, wait=wait: trial.kill(at, found.act, wait, patient))
            self._waited = self._waited or str(row.get("clearance")).startswith("ended")

    def _done(self, words: str, act: Any) -> Dict[str, Any]:
        if self._trial is None or self._kills >= _OF_ONE_GUEST:
            self._trial, self._kills = Trial(recoveries.RECOVERIES[self._name], self._guest, self._options.state), 0
        started = time.monotonic()
        try:
            row = act(self._trial)
        except (Wrong, Failed, AssertionError) as error:
            row = {"verdict": str(error), "wrong": True}
        except Exception:
            row = {"verdict": traceback.format_exc(), "wrong": True}
        self._kills += 1
        if row.get("wrong"):
            # What it left is no beginning for the next.
            self._trial = None
        row = {"recovery": self._name, "position": words, **row, "seconds": round(time.monotonic() - started, 1)}
        self._report.add(row)
        return row
