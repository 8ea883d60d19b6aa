# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/stages.py LANES NAME ...

Make each target `stage-NAME`, whether or not an earlier one failed; then print one line for each with its seconds.
LANES of them run side by side: whichever lane is free takes the next name, so the long ones come first. With several
lanes the output of a stage appears in one piece when it ends.
"""

from __future__ import annotations

import os
import queue
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
    """One run of stages, ``lanes`` of them side by side."""

    def __init__(self, lanes: int, names: List[str]) -> None:
        self.lanes = lanes
        self.names = names
        self.results: Dict[str, Result] = {}
        self.printing = threading.Lock()
        self.waiting: "queue.SimpleQueue[str]" = queue.SimpleQueue()
        for name in names:
            self.waiting.put(name)

    def all(self) -> Result:
        started = time.monotonic()
        threads = [threading.Thread(target=self.lane) for _number in range(self.lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        passed = all(name in self.results and self.results[name].passed for name in self.names)
        return Result(passed, time.monotonic() - started)

    def lane(self) -> None:
        while True:
            try:
                name = self.waiting.get_nowait()
            except queue.Empty:
                return
            self.results[name] = self.stage(name)

    def stage(self, name: str) -> Result:
        self.say(f"\n=== {name}: started\n")
        started = time.monotonic()
        done = subprocess.run(
            [os.environ.get("MAKE", "make"), "--no-print-directory", "-C", str(CHECKOUT), f"stage-{name}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self.lanes > 1 else None,
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
    """Run the stages; 0 if every one passed."""
    run = Run(int(words[0]), words[1:])
    everything = run.all()
    print()
    for name in run.names:
        print(f"{name:<12} {run.results[name].describe() if name in run.results else 'FAILED'}")
    print(f"{'all':<12} {everything.describe()}")
    return 0 if everything.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
