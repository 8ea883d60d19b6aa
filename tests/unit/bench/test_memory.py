# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a process and of what it started is seen."""

from __future__ import annotations

import subprocess
import sys

from benchmark import memory

MEBIBYTE = 1024**2
# A process that starts one which holds 64 MiB, says its number, and waits.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.read(1)
print(child.pid, flush=True)
sys.stdin.read()
child.communicate()
"""
CHILD = "import sys; held = b'x' * (64 * 1024 ** 2); sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"


def test_what_a_child_holds_is_counted():
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        assert memory.below(parent.pid) == [child]
        assert memory.proportional_bytes(child) > 64 * MEBIBYTE
        # The control: a process without it.
        assert 0 < memory.proportional_bytes(parent.pid) < 64 * MEBIBYTE
        parent.stdin.close()
        parent.wait(30)
    assert memory.below(parent.pid) == []
    assert memory.proportional_bytes(child) == 0
