# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the rounds that were not held yet, on one guest or two, and say how they went."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from itertools import islice
from pathlib import Path
from typing import Any, Dict, List, Optional

from driving.guest import Failed, Guest
from pairing.plan import ROOT

from . import kinds, plan, table
from .course import STUCK, Course

STATE = Path(os.environ.get("HEALTHARCHIVE_SOAK_STATE", "/var/tmp/healtharchive-soak"))


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print("%s %s" % (time.strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def main() -> int:
    """``soak run`` holds rounds and prints their table; ``soak keep`` puts what was held into the repository, and writes the
    guide, as ``soak table`` does. 0 when no law was broken and no round got stuck."""
    parser = argparse.ArgumentParser(prog="soak", description="Random faults, carried through respond.")
    parser.add_argument("what", nargs="?", choices=["run", "keep", "table"], default="run")
    parser.add_argument("--rounds", type=int, default=200, help="the last round (default: 200)")
    parser.add_argument("--first", type=int, default=1, help="the first round (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="what the rounds are drawn with (default: 1)")
    parser.add_argument("--guests", type=int, choices=[1, 2], default=1, help="guests at once (default: 1)")
    parser.add_argument("--prefix", default=os.environ.get("HEALTHARCHIVE_TEST_GUEST", "soak"), help="of their names")
    parser.add_argument(
        "--minutes", type=float, help="begin no round after so many minutes; the next run goes on there"
    )
    parser.add_argument(
        "--state", type=Path, default=STATE, help="where the rounds are written down (default: %s)" % STATE
    )
    options = parser.parse_args()
    if options.what == "table":
        table.FILE.write_text(table.text(table.kept()))
        return 0
    if options.what == "keep":
        table.keep(options.seed, _held(options.state, options.seed))
        return 0
    commit = _commit()
    place = options.state / ("%d-%s" % (options.seed, commit))
    place.mkdir(parents=True, exist_ok=True)
    rows = Soak(options, commit, place).run()
    print(table.report(rows))
    print("rounds, notes and what was printed: %s" % place)
    return 1 if any(table.is_wrong(row) for row in rows) else 0


class Soak:
    """The rounds of one seed at one commit. Each is written down when it has ended, and not held again."""

    def __init__(self, options: argparse.Namespace, commit: str, place: Path) -> None:
        self._options = options
        self._commit = commit
        self._place = place
        self._file = place / "rounds.jsonl"
        self._lock = threading.Lock()
        self._kinds = kinds.known()
        self._end = time.monotonic() + options.minutes * 60 if options.minutes else None
        self._failures: List[BaseException] = []
        wanted = islice(plan.rounds(options.seed), options.first - 1, options.rounds)
        held = {row["round"] for row in _rows(self._file)}
        self._waiting = [drawn for drawn in wanted if drawn.number not in held]

    def run(self) -> List[Dict[str, Any]]:
        """All rows, those of earlier runs too."""
        threads = [
            threading.Thread(target=self._work, args=("%s-%d" % (self._options.prefix, number),))
            for number in range(1, self._options.guests + 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        return _rows(self._file)

    def _work(self, name: str) -> None:
        guest = Guest(name)
        try:
            drawn = self._next()
            while drawn is not None:
                self._hold(drawn, guest)
                drawn = self._next()
        except BaseException as error:
            self._failures.append(error)
        finally:
            guest.remove()

    def _next(self) -> Optional[plan.Round]:
        with self._lock:
            over = self._end is not None and time.monotonic() > self._end
            return self._waiting.pop(0) if self._waiting and not over and not self._failures else None

    def _hold(self, drawn: plan.Round, guest: Guest) -> None:
        # Without a guest no round can be held: that ends the soak, and the next run goes on here.
        guest.renew()
        say("round %d: %s" % (drawn.number, _named(drawn)))
        course = Course(drawn, guest, self._place / ("round-%03d" % drawn.number), self._kinds)
        try:
            row = course.run()
        except (Failed, OSError, KeyError, ValueError):
            # A fault of the soak: told as that, and the next round has a guest as new.
            row = {"round": drawn.number, "faults": list(drawn.faults), "times": drawn.times, "outcome": STUCK}
            row.update(why=traceback.format_exc(), steps=course.steps, seconds=0, broken_laws=course.wrong)
        row = {"seed": self._options.seed, "commit": self._commit, **row}
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        say("round %d: %s in %d s" % (drawn.number, table.verdict(row), row["seconds"]))


def _named(drawn: plan.Round) -> str:
    return " + ".join(drawn.faults) + (", up to %d times" % drawn.times if drawn.times > 1 else "")


def _rows(file: Path) -> List[Dict[str, Any]]:
    if not file.exists():
        return []
    return sorted(map(json.loads, file.read_text(encoding="utf-8").splitlines()), key=lambda row: int(row["round"]))


def _held(state: Path, seed: int) -> List[Dict[str, Any]]:
    """Of a seed at all commits, in the order in which they were held."""
    files = sorted(state.glob("%d-*/rounds.jsonl" % seed), key=lambda file: file.stat().st_mtime)
    return [row for file in files for row in _rows(file)]


def _commit() -> str:
    """Of this checkout; ``+`` where it was changed since."""
    said = [
        subprocess.run(["git", "-C", str(ROOT), *words], check=True, capture_output=True, text=True).stdout.strip()
        for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    return said[0] + ("+" if said[1] else "")
