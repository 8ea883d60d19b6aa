# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on the host: real processes, and what is left of them afterwards."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import uuid

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run commands as somebody else")


def processes_with(marker: str) -> list:
    """Every process whose command line holds the marker: the second path to what `host` claims."""
    listing = subprocess.run(["ps", "-ww", "-eo", "pid,stat,args"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [line for line in listing.splitlines() if marker in line and " Z" not in line and "ps -ww" not in line]


def python(code: str, *arguments: str) -> list:
    return [sys.executable, "-c", code, *arguments]


def test_gives_what_the_command_printed_and_how_it_ended():
    result = host.run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), 20)
    assert (result.rc, result.stdout, result.stderr, result.failure) == (3, b"out\n", b"err\n", None)


def test_a_command_that_is_not_there_says_so():
    assert host.run(["/nonexistent/command"], 5).failure == "not_found"


@pytest.mark.parametrize(
    ("argv", "options"), [(["/usr/bin/true", "x" * 300_000], {}), (["/usr/bin/true"], {"cwd": "/nonexistent"})]
)
def test_a_program_that_is_there_is_never_called_missing(argv, options):
    assert host.run(argv, 5, **options).failure == "not_started"


def test_a_file_that_may_not_be_run_says_so(tmp_path):
    (tmp_path / "file").write_text("#!/bin/sh\n")
    assert host.run([str(tmp_path / "file")], 5).failure == "permission_denied"


def test_ends_a_command_at_its_deadline_and_keeps_what_it_said():
    started = time.monotonic()
    result = host.run(python("import time; print('so far', flush=True); time.sleep(600)"), 1)
    assert result.failure == "timed_out"
    assert result.rc == host.NO_EXIT_CODE
    assert result.stdout == b"so far\n"
    assert time.monotonic() - started < 10


def test_ends_the_children_of_a_command_that_hangs():
    marker = uuid.uuid4().hex
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]])"
    assert host.run(python(code, marker), 2).failure == "timed_out"
    assert processes_with(marker) == []


def test_a_child_that_keeps_the_pipe_open_does_not_keep_us():
    marker = uuid.uuid4().hex
    child = "[sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]]"
    code = "import subprocess, sys; subprocess.Popen(%s); print('done')" % child
    result = host.run(python(code, marker), 20)
    assert (result.rc, result.stdout, result.failure) == (0, b"done\n", None)
    # The kernel ends a process that was killed when it is that process's turn.
    end = time.monotonic() + 5
    while processes_with(marker) and time.monotonic() < end:
        time.sleep(0.01)
    assert processes_with(marker) == []


# The second is never the same process for longer than a moment: whoever looks once may look beside it.
FLED = ("time.sleep(600)", "exec('while True:\\n    os.fork() and os._exit(0)\\n    time.sleep(0.005)')")


@pytest.mark.parametrize("life", FLED, ids=["sleeps", "walks"])
def test_a_daemon_that_fled_its_session_is_ended_too(life, tmp_path):
    """In a process of its own, because adopting orphans holds for the whole process."""
    flee = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    with open(sys.argv[1] + '.group', 'w') as file:\n"
        "        file.write(str(os.getpid()))\n"
        "    if os.fork() == 0:\n"
        "        [os.close(fd) for fd in (0, 1, 2)]\n"
        "        os.open(sys.argv[1], os.O_WRONLY)\n"
        "        %s\n"
        "    os._exit(0)\n" % life
    )
    outer = (
        "import sys\n"
        "from ansible_collections.healtharchive.remediation.plugins.module_utils import host\n"
        "host.adopt_orphans()\n"
        "host.run([sys.executable, '-c', sys.argv[1], sys.argv[2]], 5)\n"
        "print('waits', flush=True)\n"
        "input()\n"
        "host.end_descendants()\n"
    )
    # A pipe that the daemon, whatever its number, holds open as long as it lives.
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    process = subprocess.Popen(python(outer, flee, pipe), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with open(pipe, "rb") as reader:
            assert process.stdout.readline() == b"waits\n"
            # The positive control: it lives while nothing has ended it.
            assert select.select([reader], [], [], 0.5)[0] == []
            process.communicate(b"\n")
            assert select.select([reader], [], [], 20)[0] == [reader]
            assert reader.read() == b""
    finally:
        # A test that fails leaves nothing behind that takes the machine's time for ever.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int((tmp_path / "pipe.group").read_text()), signal.SIGKILL)


def test_a_thread_that_is_late_starts_nothing_more(tmp_path):
    """What it waited for is ended under its feet, and it would go on with the next command."""
    outer = (
        "import sys, threading\n"
        "from ansible_collections.healtharchive.remediation.plugins.module_utils import host\n"
        "host.adopt_orphans()\n"
        "second = [sys.executable, '-c', 'import sys; open(sys.argv[1], chr(119))', sys.argv[1]]\n"
        "found = []\n"
        "def probe():\n"
        "    host.run([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)'], 60, take=begun.append)\n"
        "    found.append(host.run(second, 5).failure)\n"
        "class Begun(threading.Event):\n"
        "    append = lambda self, piece: self.set()\n"
        "begun = Begun()\n"
        "late = threading.Thread(target=probe)\n"
        "late.start()\n"
        "begun.wait(20)\n"
        "if sys.argv[2] == 'ended':\n"
        "    host.end_descendants()\n"
        "else:\n"
        "    [host._kill_with_its_group(pid) for pid in host._children()]\n"
        "late.join(20)\n"
        "print(found)\n"
    )
    for how, failure in (("killed", "[None]"), ("ended", "['not_started']")):  # the positive control first
        marker = tmp_path / how
        done = subprocess.run(python(outer, str(marker), how), stdout=subprocess.PIPE, timeout=60, check=False)
        assert done.stdout.decode().strip() == failure
        assert marker.exists() is (how == "killed")


def test_what_a_command_says_last_is_not_lost(monkeypatch):
    """Written between the look at the pipes and the look at the command's end, while a child keeps the pipes open."""
    code = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print('first', flush=True); time.sleep(0.5); print('last', flush=True)"
    )
    poll = subprocess.Popen.poll

    def late_poll(process):
        time.sleep(0.4)
        return poll(process)

    monkeypatch.setattr(subprocess.Popen, "poll", late_poll)
    assert host.run(python(code), 20).stdout == b"first\nlast\n"


def test_ends_a_command_that_prints_without_end():
    result = host.run(python("import sys\nwhile True: sys.stdout.write('x' * 65536)"), 30, cap=100_000)
    assert result.failure == "output_truncated"
    assert len(result.stdout) == 100_000
    assert result.seconds < 10


def test_output_can_be_taken_as_it_comes_and_is_not_held():
    pieces = []
    result = host.run(python("print('x' * 300_000); import sys; sys.exit(3)"), 20, take=pieces.append)
    assert (result.rc, result.stdout, result.failure) == (3, b"", None)
    assert b"".join(pieces) == b"x" * 300_000 + b"\n"
    assert len(pieces) > 1


def test_what_is_taken_ends_at_the_cap():
    pieces = []
    endless = python("import sys\nwhile True: sys.stdout.write('x' * 65536)")
    assert host.run(endless, 30, cap=100_000, take=pieces.append).failure == "output_truncated"
    assert sum(map(len, pieces)) == 100_000


def test_a_taker_that_fails_ends_the_command():
    marker = uuid.uuid4().hex

    def refuse(piece):
        assert processes_with(marker) != []  # the positive control
        raise ValueError(piece)

    with pytest.raises(ValueError, match="begun"):
        host.run(python("import time; print('begun', flush=True); time.sleep(600)", marker), 30, take=refuse)
    assert processes_with(marker) == []


def test_nothing_of_the_callers_environment_reaches_the_command(monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_CALLER", "x")
    result = host.run(["/usr/bin/env"], 5, environment={"GIVEN": "1", "PATH": "/evil", "PGTZ": "America/Toronto"})
    lines = result.stdout.decode().splitlines()
    assert "GIVEN=1" in lines
    assert "PATH=" + host.SYSTEM_PATH in lines
    assert "PGTZ=UTC" in lines
    assert not [line for line in lines if line.startswith("A_SECRET")]


@as_root
def test_runs_as_the_account_with_its_groups_only():
    nobody = host.account("nobody")
    result = host.run(["/usr/bin/id"], 5, nobody)
    assert b"uid=%d" % nobody.uid in result.stdout
    assert b"groups=%d(" % nobody.gid in result.stdout
    assert b"(root)" not in result.stdout
    assert b"(root)" in host.run(["/usr/bin/id"], 5).stdout


def test_an_unknown_account_is_an_error():
    with pytest.raises(KeyError):
        host.account("no-such-account")
