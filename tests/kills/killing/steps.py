# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of an act as the host shows them, without the collection; and whoever acts, stopped at one of them.

A loop on the guest looks every few milliseconds at the kernel's tables, systemd's files below ``/run`` and the command lines that
run. When it sees the step it sends SIGSTOP to whoever has the turn to act and to every command that was lent it, so that nothing
goes on until it is killed.
"""

from __future__ import annotations

from typing import NamedTuple, Tuple

from driving import guest as guests


class Step(NamedTuple):
    """``seen``: conditions of the program below that hold one after another; with the last of them the step is there."""

    name: str
    seen: Tuple[str, ...]


# Longer than it takes from the start of the playbook to its act's last step, also on a busy machine.
_SECONDS = 300
_PROGRAM = r"""
import glob, os, signal, sys, time

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""

def armed(switch):
    return os.path.exists("/run/systemd/transient/healtharchive-remediation-%s.timer" % switch)

def noted(name):
    return os.path.exists("{runtime}/" + name)

def mounted(*paths):
    points = [line.split(" ")[4] for line in read("/proc/self/mountinfo").splitlines()]
    return sum(path in points for path in paths)

def runs(*words):
    # the processes with these words one after another in their command line
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        argv = tuple(read(path).split("\0"))
        if any(argv[at : at + len(words)] == words for at in range(len(argv))):
            found.append(path.split("/")[2])
    return found

def frozen(*words):
    return any("\nState:\tT" in read("/proc/%s/status" % process) for process in runs(*words))

def acting():
    found = set()
    for path in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(path) == "{runtime}/acting.lock":
                found.add(int(path.split("/")[2]))
        except OSError:
            pass
    return found

def begun():
    return read("{log}").count('"kind":"action_begun"')

def wait(condition, pause):
    code = compile(condition, "step", "eval")
    while not eval(code):
        if time.monotonic() > end:
            sys.exit("waited in vain for: " + condition)
        time.sleep(pause)

end = time.monotonic() + {seconds}
earlier = begun()
wait("begun() > earlier", 0.02)
for condition in {conditions}:
    wait(condition, 0.004)
stopped = set()
while acting() - stopped:
    for process in acting() - stopped:
        try:
            os.kill(process, signal.SIGSTOP)
        except ProcessLookupError:
            pass
        stopped.add(process)
if not stopped:
    sys.exit("nobody acts")
print(*sorted(stopped))
"""


def stop(guest: guests.Guest, step: Step) -> str:
    """Wait for the step of an act that has not begun yet, and stop who acts. Why it was not seen; empty when it was."""
    program = _PROGRAM.replace("{runtime}", guests.RUNTIME).replace("{seconds}", str(_SECONDS))
    program = program.replace("{conditions}", repr(step.seen)).replace("{log}", guests.LOG)
    try:
        guest.root("python3 - <<'END OF PROGRAM'\n%s\nEND OF PROGRAM\n" % program, seconds=_SECONDS + 15)
    except guests.Failed as failure:
        return str(failure).strip().rpartition("\n")[2]
    return ""
