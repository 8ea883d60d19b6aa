# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/stages.py NAME ... [-- NAME ...]

Make each target `stage-NAME`, whether or not an earlier one failed; then print one line for each with its seconds.
`--` begins another lane: lanes run side by side, the stages of a lane one after another. With several lanes the output
of a stage appears in one piece when it ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Dict, List, NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]


class Result(NamedTuple):
    """How a stage ended."""

    passed: bool
    seconds: float

    def describe(self) -> str:
        return f"{'ok' if self.passed else 'FAILED':<7} {self.seconds:5.0f} s"


class Run:
    """The lanes of one run."""

    def __init__(self, lanes: List[List[str]]) -> None:
        self.lanes = lanes
        self.results: Dict[str, Result] = {}
        self.printing = threading.Lock()

    def lane(self, names: List[str]) -> None:
        for name in names:
            self.results[name] = self.stage(name)

    def stage(self, name: str) -> Result:
        self.say(f"\n=== {name}: started\n")
        started = time.monotonic()
        done = subprocess.run(
            [os.environ.get("MAKE", "make"), "--no-print-directory", "-C", str(CHECKOUT), f"stage-{name}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if len(self.lanes) > 1 else None,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        result = Result(done.returncode == 0, time.monotonic() - started)
        self.say((f"\n=== {name}\n{done.stdout}" if done.stdout else "") + f"=== {name}: {result.describe()}\n")
        return result

    def say(self, text: str) -> None:
        with self.printing:
            sys.stdout.write(text)
            sys.stdout.flush()


def main(words: List[str]) -> int:
    """Run the lanes; 0 if every stage passed."""
    lanes: List[List[str]] = [[]]
    for word in words:
        if word == "--":
            lanes.append([])
        else:
            lanes[-1].append(word)
    run = Run(lanes)
    started = time.monotonic()
    threads = [threading.Thread(target=run.lane, args=(names,)) for names in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [name for lane in lanes for name in lane]
    everything = Result(
        all(name in run.results and run.results[name].passed for name in names), time.monotonic() - started
    )
    print()
    for name in names:
        print(f"{name:<12} {run.results[name].describe() if name in run.results else 'FAILED'}")
    print(f"{'all':<12} {everything.describe()}")
    return 0 if everything.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
