# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where locks lie, by the account of each who uses them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import lock_directories
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck.lock_directories import Reader

SAME = [Reader("CLI", "/locks"), Reader("shell", "/locks"), Reader("worker", "/locks")]
DECISIONS = [
    (SAME, None),
    (SAME[:1], None),
    ([*SAME, Reader("process 7", "/tmp/locks")], "lock_directories_differ"),
    ([*SAME, Reader("process 7", None)], "lock_directories_unknown"),
    ([*SAME, Reader("process 7", None), Reader("process 8", "/x")], "lock_directories_unknown"),
    # The same path, elsewhere: a unit with a private /tmp.
    ([*SAME, Reader("process 7", "/locks", same=False)], "lock_directories_differ"),
]


@pytest.mark.parametrize(("readers", "code"), DECISIONS, ids=range(len(DECISIONS)))
def test_one_answer_or_none(readers: List[Reader], code: Optional[str]) -> None:
    if code is None:
        assert lock_directories.decide(readers) == "/locks"
        return
    with pytest.raises(Refusal) as caught:
        lock_directories.decide(readers)
    assert caught.value.code == code
    assert "process 7" in str(caught.value)
    assert "HEALTHARCHIVE_JOB_LOCK_DIR" in caught.value.next_step


def test_many_readers_are_counted() -> None:
    with pytest.raises(Refusal) as caught:
        lock_directories.decide([Reader("first", "/a"), *(Reader("process %d" % number, "/b") for number in range(9))])
    assert caught.value.evidence["lock_directories"]["/b"][-1] == "4 more"


DEFAULT = "/tmp/healtharchive-job-locks"


@pytest.mark.parametrize(
    ("environment", "files", "expected"),
    [
        ("", None, DEFAULT),
        ("A=1 HEALTHARCHIVE_JOB_LOCK_DIR=/a B=2", None, "/a"),
        ('"HEALTHARCHIVE_JOB_LOCK_DIR=/a" B=2', None, "/a"),
        ("XHEALTHARCHIVE_JOB_LOCK_DIR=/a", None, DEFAULT),
        ("HEALTHARCHIVE_JOB_LOCK_DIR=/a", "HEALTHARCHIVE_JOB_LOCK_DIR=/b\n", "/b"),
        ("", "export HEALTHARCHIVE_JOB_LOCK_DIR=/b\n", DEFAULT),
        ("", "HEALTHARCHIVE_JOB_LOCK_DIR=\n", DEFAULT),
        ("", "HEALTHARCHIVE_JOB_LOCK_DIR=relative\n", None),
    ],
)
def test_of_a_unit(tmp_path: Path, environment: str, files: Optional[str], expected: Optional[str]) -> None:
    shown = {"Environment": environment, "EnvironmentFiles": ""}
    if files is not None:
        (tmp_path / "env").write_text(files)
        shown["EnvironmentFiles"] = "%s/missing (ignore_errors=yes)\n%s/env (ignore_errors=no)" % (tmp_path, tmp_path)
    assert lock_directories._of_unit(shown, DEFAULT) == expected


def test_what_systemd_says_in_another_form_is_not_known() -> None:
    assert lock_directories._of_unit({"EnvironmentFiles": "env"}, DEFAULT) is None


def readers_of_processes(checkout: Path) -> Dict[str, Optional[str]]:
    settings = SimpleNamespace(cli=str(checkout) + "/.venv/bin/healtharchive")
    context: Any = SimpleNamespace(settings=settings, redactor=Redactor(frozenset()))
    return {each.who: each.directory for each in lock_directories._processes(context, DEFAULT)}


def test_processes_by_what_they_were_started_with(tmp_path: Path) -> None:
    program = tmp_path / ".venv" / "bin" / "healtharchive"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    sleep = [str(program), "-I", "-S", "-c", "import sys; print(flush=True); sys.stdin.read()"]
    other = program.with_name("pip")
    other.symlink_to(sys.executable)
    assert readers_of_processes(tmp_path) == {}
    started = [
        subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for argv, environment in (
            (sleep, {"HEALTHARCHIVE_JOB_LOCK_DIR": "/elsewhere"}),
            (sleep, {"HEALTHARCHIVE_JOB_LOCK_DIR": ""}),
            # Of the same environment, and locks no job.
            ([str(other), *sleep[1:]], {"HEALTHARCHIVE_JOB_LOCK_DIR": "/pip"}),
        )
    ]
    try:
        for process in started:
            assert process.stdout.readline()
        found = readers_of_processes(tmp_path)
        assert sorted(map(str, found.values())) == ["/elsewhere", DEFAULT]
        assert all(str(program) in who for who in found)
        assert {int(who.split()[1]) for who in found} == {process.pid for process in started[:2]}
    finally:
        for process in started:
            process.kill()
            process.communicate()
    assert readers_of_processes(tmp_path) == {}


def test_a_link_is_the_directory_that_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    variables = {"HEALTHARCHIVE_JOB_LOCK_DIR": str(tmp_path / "link")}
    assert lock_directories._path(variables, DEFAULT) == str(tmp_path / "real")


@pytest.mark.parametrize(
    ("word", "is_it"),
    [
        ("/opt/healtharchive/.venv/bin/healtharchive", True),
        (".venv/bin/healtharchive", True),
        ("./.venv/bin/healtharchive", True),
        ("bin/healtharchive", True),
        ("healtharchive", False),
        ("/opt/elsewhere/.venv/bin/healtharchive", False),
        ("/opt/healtharchive/.venv/bin/pip", False),
        ("/opt/healtharchive/.venv/bin/python3", False),
        ("/", False),
        ("", False),
    ],
)
def test_only_the_services_own_program_locks_jobs(word: str, is_it: bool) -> None:
    assert lock_directories._is(word.encode(), b"/opt/healtharchive/.venv/bin/healtharchive") is is_it


@pytest.mark.parametrize("reaped", [True, False])
def test_a_program_that_ends_while_it_is_looked_at_is_in_no_file_system_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reaped: bool
) -> None:
    program = tmp_path / ".venv" / "bin" / "healtharchive"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    argv = [str(program), "-I", "-S", "-c", "import sys; print(flush=True); sys.stdin.read()"]
    environment = {"HEALTHARCHIVE_JOB_LOCK_DIR": str(tmp_path)}
    process = subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline()
    assert list(readers_of_processes(tmp_path).values()) == [str(tmp_path)]
    read = lock_directories._read

    def ends_after(path: str) -> bytes:
        content = read(path)
        if path == "/proc/%d/environ" % process.pid:
            process.kill()
            # It has ended; until somebody waits for it, it is listed.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            if reaped:
                process.wait()
        return content

    monkeypatch.setattr(lock_directories, "_read", ends_after)
    try:
        assert readers_of_processes(tmp_path) == {}
    finally:
        process.communicate()
