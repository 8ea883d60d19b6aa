# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of the stages: a failure anywhere is a failure of the whole, and nothing is cut short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STAGES = Path(__file__).resolve().parents[3] / "tools" / "stages.py"
MAKE = """#!/bin/sh
for target; do :; done
echo "output of $target"
[ "$target" != stage-slow ] || until [ -e "$0.b" ]; do sleep 0.05; done
[ "$target" != stage-b ] || touch "$0.b"
[ "$target" != stage-bad ]
"""


@pytest.fixture
def stages(tmp_path: Path):
    """Run the stages with a `make` of which only `bad` fails."""
    make = tmp_path / "make"
    make.write_text(MAKE)
    make.chmod(0o755)

    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(STAGES), *words],
            env={"PATH": "/usr/bin:/bin", "MAKE": str(make)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("words", [("1", "a", "b"), ("2", "a", "b")])
def test_all_pass(stages, words) -> None:
    done = stages(*words)
    assert done.returncode == 0
    assert "output of stage-a\n" in done.stdout
    assert "output of stage-b\n" in done.stdout
    assert done.stdout.splitlines()[-1].split()[:2] == ["all", "ok"]


@pytest.mark.parametrize("words", [("1", "bad", "b"), ("2", "bad", "b", "a"), ("2", "a", "bad", "b"), ("3", "bad", "b")])
def test_one_fails_and_the_rest_runs(stages, words) -> None:
    done = stages(*words)
    assert done.returncode == 1
    assert "output of stage-b\n" in done.stdout
    summary = dict(line.split()[:2] for line in done.stdout.splitlines()[-len(words) :])
    assert summary["bad"] == "FAILED"
    assert summary["b"] == "ok"
    assert summary["all"] == "FAILED"


def test_a_lane_that_is_free_takes_the_next(stages) -> None:
    done = stages("2", "slow", "a", "b")
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines() if line.endswith(": started")] == ["slow:", "a:", "b:"]
    ends = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("===") and ": ok" in line]
    assert ends == ["a:", "b:", "slow:"]
