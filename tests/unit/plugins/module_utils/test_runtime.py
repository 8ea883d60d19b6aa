# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The turn to act: one has it at a time, and it is free when everything that acted under it has ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import detached, host, runtime
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    return tmp_path / "run"


def is_free() -> bool:
    try:
        with runtime.acting({}):
            return True
    except Refusal:
        return False


def wait_until(true) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_roots_alone_and_says_who(directory):
    with runtime.acting({"operator": "some\nbody" * 100, "run": None}):
        assert (directory.stat().st_mode & 0o777, directory.stat().st_uid) == (0o700, 0)
        assert ((directory / "acting.lock").stat().st_mode & 0o777) == 0o600
        with pytest.raises(Refusal) as refused, runtime.acting({}):
            pass
        assert refused.value.code == "busy"
        told = json.loads((directory / "acting.lock").read_text())
        assert list(told) == ["operator"]
        assert (len(told["operator"]), "\n" in told["operator"]) == (200, False)
    assert is_free()


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b'{"operator": "' + b"x" * 9000])
def test_who_cannot_be_told_is_busy_all_the_same(directory, content):
    with runtime.acting({"operator": "somebody"}):
        (directory / "acting.lock").write_bytes(content)
        with pytest.raises(Refusal, match="who, is not known"), runtime.acting({}):
            pass


@pytest.mark.parametrize("harm", ["mode", "owner", "link"])
def test_a_directory_that_is_not_roots_alone_is_refused(directory, tmp_path, harm):
    if harm == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        directory.symlink_to(tmp_path / "elsewhere")
    else:
        directory.mkdir(mode=0o700)
        assert is_free()
        directory.chmod(0o750) if harm == "mode" else os.chown(directory, 12345, 0)
    with pytest.raises(Refusal) as refused, runtime.acting({}):
        pass
    assert refused.value.code == "runtime_unsafe"


def test_a_command_that_outlives_its_killed_parent_keeps_the_turn(directory, tmp_path):
    """Otherwise the next run would look at what the command of the one before is still changing."""
    go = tmp_path / "go"
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException), runtime.acting({"run": "killed"}):
            wait = "touch %s.begun; while [ ! -e %s ]; do sleep 0.01; done" % (go, go)
            host.run(["/bin/sh", "-c", wait], 30)
        os._exit(0)
    wait_until(Path("%s.begun" % go).exists)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not is_free()
    go.touch()
    wait_until(is_free)


def test_a_command_of_the_service_cannot_write_to_the_lock(directory):
    with runtime.acting({"operator": "somebody"}):
        script = "import os\nfor fd in range(3, 64):\n  try: os.write(fd, b'x'); print(fd)\n  except OSError: pass"
        assert host.run(host.python(script), 10).stdout == b""
        assert json.loads((directory / "acting.lock").read_text()) == {"operator": "somebody"}


def test_outside_of_it_nothing_is_lent(directory):
    with runtime.acting({}):
        pass
    script = "import os; print(os.listdir('/proc/self/fd'))"
    assert b"'3', '4'" not in host.run(host.python(script), 10).stdout


# What goes on in a process of its own.


def test_the_answer_comes_back():
    assert detached.run(lambda: {"text": "ä" * 300000}, 10) == {"text": "ä" * 300000}


@pytest.mark.parametrize("how", ["raise", "exit", "kill", "list", "late"])
def test_no_answer_is_none(how):
    def work():
        if how == "raise":
            raise ValueError
        if how == "exit":
            os._exit(0)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "late":
            time.sleep(60)
        return ["no", "dict"]

    began = time.monotonic()
    assert detached.run(work, 1) is None
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_it_goes_on_when_its_caller_and_the_callers_group_are_killed(tmp_path, number):
    """Law 6: as sudo does it when the link is cut."""
    caller = os.fork()
    if caller == 0:
        os.setsid()
        if number != signal.SIGKILL:
            # nohup, for one, hands down that it is ignored.
            signal.signal(number, signal.SIG_DFL)

        def work():
            (tmp_path / "begun").touch()
            wait_until((tmp_path / "killed").exists)
            print("nobody reads this")
            (tmp_path / "ended").touch()
            return {}

        with contextlib.suppress(BaseException):
            detached.run(work, 20)
        os._exit(0)
    wait_until((tmp_path / "begun").exists)
    os.killpg(caller, number)
    assert os.WTERMSIG(os.waitpid(caller, 0)[1]) == number
    (tmp_path / "killed").touch()
    wait_until((tmp_path / "ended").exists)
