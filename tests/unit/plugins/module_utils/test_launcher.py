# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that one interpreter runs: each is what it is when it is run by itself."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, launcher

SELF_PORTRAIT = """
import json, os, sys
print(json.dumps([sys.argv, sys.path[0], __name__, os.getcwd(), dict(os.environ), sys.flags.dont_write_bytecode,
    os.getuid(), os.getsid(0) == os.getppid() or os.getsid(0) == os.getpid(), sys.stdin.read(), sys.executable,
    sys.modules["__main__"].__dict__ is globals(), globals().get("__file__")]))
"""


class Environment:
    """A folder like that of a virtual environment: an interpreter, and programs beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python3"
        self.python.parent.mkdir()
        self.python.symlink_to(sys.executable)
        (folder / "packages").mkdir()

    def program(self, name: str, code: str, interpreter: str = "") -> List[str]:
        path = self.folder / "bin" / name
        path.write_text("#!%s\n%s\n" % (interpreter or self.python, code))
        path.chmod(0o755)
        return [str(path), "first", "--second=2"]

    @property
    def run(self) -> Any:
        variables = {"PYTHONPATH": str(self.folder / "packages"), "GIVEN": "1"}
        return functools.partial(host.run, environment=variables, cwd=str(self.folder))

    def run_all(self, *programs: List[str], seconds: float = 20, packages: Any = ()) -> List[host.Result]:
        return launcher.run_all(self.run, str(self.python), packages, programs, seconds)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


@pytest.fixture
def only_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these programs print must come through it, and not from another try without it."""
    results = launcher._results

    def insist(*arguments: Any) -> Any:
        found = results(*arguments)
        assert found
        return found

    monkeypatch.setattr(launcher, "_results", insist)


def running(marker: str) -> List[str]:
    listing = subprocess.run(["ps", "-ww", "-eo", "stat,args"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [line for line in listing.splitlines() if marker in line and not line.startswith("Z")]


def left_running(marker: str) -> List[str]:
    """What still runs a moment after all of it was killed: the kernel ends a process when it is that process's turn."""
    end = time.monotonic() + 5
    while running(marker) and time.monotonic() < end:
        time.sleep(0.01)
    return running(marker)


def outcome(result: host.Result) -> Any:
    return result.rc, result.stdout, result.stderr.splitlines()[-1:], result.failure, list(result.argv)


@pytest.mark.parametrize(
    ("code", "rc", "stdout", "last_words"),
    [
        ("print('all is well')", 0, b"all is well\n", b""),
        ("import sys; print('half'); sys.exit(3)", 3, b"half\n", b""),
        ("import sys; sys.exit('the reason')", 1, b"", b"the reason"),
        ("print('half'); {}['x']", 1, b"half\n", b"KeyError: 'x'"),
        ("import nowhere", 1, b"", b"ModuleNotFoundError: No module named 'nowhere'"),
        ("this is no Python", 1, b"", b"SyntaxError: invalid syntax"),
        ("import os; os.write(1, b'\\xff\\0'); os.kill(os.getpid(), 9)", -9, b"\xff\0", b""),
        ("import os; os.system('echo from a child; echo and its error >&2')", 0, b"from a child\n", b"and its error"),
        ("import os; os._exit(7)", 7, b"", b""),
        ("import atexit; atexit.register(print, 'at the end'); print('x' * 300_000)", 0,
         b"x" * 300_000 + b"\nat the end\n", b""),
        ("import threading; threading.Timer(0.3, print, ['late']).start(); print('soon')", 0, b"soon\nlate\n", b""),
        ("import sys; sys.exit(-1)", 255, b"", b""),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("only_the_launcher")
def test_ends_as_it_does_by_itself(environment, code, rc, stdout, last_words) -> None:
    program = environment.program("program", code)
    (result,) = environment.run_all(program)
    assert (result.rc, result.stdout, result.failure) == (rc, stdout, None)
    assert result.stderr.strip().endswith(last_words)
    assert outcome(result) == outcome(environment.run(program, 20))


@pytest.mark.usefixtures("only_the_launcher")
def test_sees_what_it_sees_by_itself(environment) -> None:
    program = environment.program("portrait", SELF_PORTRAIT)
    (environment.folder / "selfportrait.py").write_text(SELF_PORTRAIT)  # in the working directory, for -m
    module = [str(environment.python), "-m", "selfportrait", "current"]
    together = environment.run_all(program, module)
    assert [result.rc for result in together] == [0, 0]
    for result, argv in zip(together, (program, module)):
        assert json.loads(result.stdout) == json.loads(environment.run(argv, 20).stdout)


@pytest.mark.usefixtures("only_the_launcher")
def test_what_they_share_is_imported_once(environment) -> None:
    record = environment.folder / "imports"
    (environment.folder / "packages" / "shared.py").write_text("open(%r, 'a').write('once\\n')" % str(record))
    names = ("one", "two", "three")
    programs = [environment.program(name, "import shared; print(%r)" % name) for name in names]
    results = environment.run_all(*programs, packages=["shared"])
    assert [result.stdout for result in results] == [b"one\n", b"two\n", b"three\n"]
    assert record.read_text() == "once\n"
    assert environment.run_all(*programs)[0].rc == 0
    assert record.read_text() == "once\n" * 4  # the positive control


@pytest.mark.usefixtures("only_the_launcher")
def test_a_package_that_cannot_be_imported_is_told_by_who_needs_it(environment) -> None:
    (environment.folder / "packages" / "broken.py").write_text("raise ImportError('half installed')")
    needs, needs_not = environment.program("one", "import broken"), environment.program("two", "print(2)")
    first, second = environment.run_all(needs, needs_not, packages=["broken", "absent"])
    assert (first.rc, first.stderr.splitlines()[-1]) == (1, b"ImportError: half installed")
    assert (second.rc, second.stdout) == (0, b"2\n")


@pytest.mark.usefixtures("only_the_launcher")
def test_what_is_no_program_of_the_interpreter_is_executed(environment) -> None:
    shell = environment.program("shell", 'echo "$1 $GIVEN"; exit 4', interpreter="/bin/sh")
    (result,) = environment.run_all(shell)
    assert (result.rc, result.stdout) == (4, b"first 1\n")


@pytest.mark.usefixtures("only_the_launcher")
def test_what_cannot_be_started_says_so(environment) -> None:
    absent = [str(environment.folder / "bin" / "absent")]
    plain = environment.program("plain", "exit", interpreter="/bin/sh")
    Path(plain[0]).chmod(0o644)
    nothing = environment.program("nothing", "", interpreter="/nonexistent")
    fine = environment.program("fine", "print(1)")
    results = environment.run_all(absent, plain, nothing, fine)
    assert [result.failure for result in results] == ["not_found", "permission_denied", "not_found", None]
    assert [result.rc for result in results] == [host.NO_EXIT_CODE] * 3 + [0]
    assert b"No such file" in results[0].stderr


@pytest.mark.usefixtures("only_the_launcher")
def test_one_that_hangs_takes_the_time_of_those_after_it(environment) -> None:
    marker = uuid.uuid4().hex
    code = "import subprocess; print('so far', flush=True); subprocess.run(['sh', '-c', 'sleep 600; : %s'])" % marker
    fine = environment.program("fine", "import sys; print('fine'); sys.exit(2)")
    started = time.monotonic()
    well, hung, late = environment.run_all(fine, environment.program("hang", code), fine, seconds=3)
    assert time.monotonic() - started < 10
    assert (well.rc, well.failure, well.stdout) == (2, None, b"fine\n")
    assert (hung.rc, hung.failure, hung.stdout) == (host.NO_EXIT_CODE, "timed_out", b"so far\n")
    assert (late.rc, late.failure, late.stdout) == (host.NO_EXIT_CODE, "timed_out", b"")
    assert left_running(marker) == []


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.usefixtures("only_the_launcher")
def test_one_that_prints_without_end_costs_itself_only(environment, stream, monkeypatch) -> None:
    monkeypatch.setattr(host, "OUTPUT_CAP_BYTES", 100_000)
    endless = environment.program("endless", "import sys\nwhile True: sys.%s.write('x' * 65536)" % stream)
    fine = environment.program("fine", "print('y' * 99_999)")
    first, second = environment.run_all(endless, fine)
    assert (first.failure, getattr(first, stream)) == ("output_truncated", b"x" * 100_000)
    assert (second.failure, len(second.stdout)) == (None, 100_000)
    assert first.seconds < 10


@pytest.mark.usefixtures("only_the_launcher")
def test_a_child_that_keeps_the_pipe_open_does_not_keep_us(environment) -> None:
    marker = uuid.uuid4().hex
    program = environment.program(
        "parent", "import subprocess; subprocess.Popen(['sh', '-c', 'sleep 600; : %s']); print('done')" % marker
    )
    (result,) = environment.run_all(program)
    assert (result.rc, result.stdout, result.failure) == (0, b"done\n", None)
    assert left_running(marker) == []


@pytest.mark.parametrize(
    "interpreter", ["exit 1", "echo '[]'", "echo '[[0, null, 1.0, 5, 0]]'; echo abc", "echo '[1]'"]
)
def test_without_the_interpreter_they_are_run_by_themselves(environment, interpreter) -> None:
    other = environment.program("other", interpreter, interpreter="/bin/sh")[0]
    program = environment.program("program", "print('by itself')")
    (result,) = launcher.run_all(environment.run, other, [], [program], 20)
    assert (result.rc, result.stdout) == (0, b"by itself\n")


def test_an_interpreter_that_is_missing_is_what_they_miss(environment) -> None:
    python = str(environment.folder / "absent" / "python3")
    (result,) = launcher.run_all(environment.run, python, [], [[python, "-m", "alembic", "current"]], 20)
    assert (result.failure, result.argv[-1]) == ("not_found", "current")


def test_an_interpreter_that_hangs_is_waited_for_once(environment, monkeypatch) -> None:
    monkeypatch.setattr(launcher, "_GRACE_SECONDS", 0.5)
    (environment.folder / "packages" / "slow.py").write_text("import time; time.sleep(600)")
    programs = [environment.program(name, "print(1)") for name in ("one", "two")]
    started = time.monotonic()
    results = environment.run_all(*programs, packages=["slow"], seconds=1)
    assert [(result.failure, result.argv) for result in results] == [("timed_out", argv) for argv in programs]
    assert time.monotonic() - started < 6
