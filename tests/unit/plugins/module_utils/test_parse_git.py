# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of git, asked as the parsers say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import git
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

SHA = "c542663c3c438ffb747dbf19c6389575c7da7fbb"
OTHER = "0123456789abcdef0123456789abcdef01234567"


def run(repository: Path, *arguments: str) -> bytes:
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    run(tmp_path, "init", "--quiet")
    (tmp_path / "old name").write_text("content\n" * 20)
    (tmp_path / "other").write_text("content\n")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


STATUS = ("--no-optional-locks", "status", "--porcelain=v1", "-z", "--branch", "--untracked-files=normal")
LOG = ("-c", "i18n.logOutputEncoding=UTF-8", "log", "-z", "--no-show-signature", "--format=%H%x00%s")


def test_a_clean_tree_is_said(repository: Path) -> None:
    assert git.porcelain_z(run(repository, *STATUS)) == {"branch": "main", "files": []}


def test_names_of_any_kind_in_a_dirty_tree(repository: Path) -> None:
    run(repository, "mv", "old name", "new\nname")
    (repository / "other").write_text("changed\n")
    (repository / 'untracked \u00fc "quoted"').write_text("")
    assert git.porcelain_z(run(repository, *STATUS))["files"] == [
        {"state": "R ", "path": "new\nname", "original": "old name"},
        {"state": " M", "path": "other", "original": None},
        {"state": "??", "path": 'untracked \u00fc "quoted"', "original": None},
    ]


def test_a_detached_head_is_on_no_branch(repository: Path) -> None:
    run(repository, "checkout", "--quiet", "--detach")
    assert git.porcelain_z(run(repository, *STATUS)) == {"branch": None, "files": []}


def test_the_branch_is_named_without_its_upstream(repository: Path) -> None:
    run(repository, "branch", "--quiet", "upstream")
    run(repository, "branch", "--quiet", "--set-upstream-to=upstream")
    run(repository, "commit", "--quiet", "--allow-empty", "--message", "Second")
    assert b"...upstream [ahead 1]" in run(repository, *STATUS)
    assert git.porcelain_z(run(repository, *STATUS))["branch"] == "main"


def test_a_branch_without_a_commit(tmp_path: Path) -> None:
    run(tmp_path, "init", "--quiet")
    assert git.porcelain_z(run(tmp_path, *STATUS))["branch"] == "main"


def test_commits_and_their_subjects(repository: Path) -> None:
    run(repository, "commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message", "")
    run(repository, "commit", "--quiet", "--allow-empty", "--message", "S\u00fcbject\tof\n two lines\n\nBody")
    found = git.log_z(run(repository, *LOG, "HEAD", "--"))
    assert [commit["subject"] for commit in found] == ["S\u00fcbject\tof  two lines", "", "First"]
    assert found[0]["sha"] == git.commit(run(repository, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}"))
    assert git.count(run(repository, "rev-list", "--count", "HEAD", "--")) == 3
    assert git.log_z(run(repository, *LOG, "HEAD..HEAD", "--")) == []
    assert git.count(run(repository, "rev-list", "--count", "HEAD..HEAD", "--")) == 0


def test_the_commit_of_a_remote_branch(repository: Path) -> None:
    run(repository, "branch", "--quiet", "release/main")
    run(repository, "commit", "--quiet", "--allow-empty", "--message", "Second")
    answer = run(repository, "ls-remote", "--exit-code", ".", "refs/heads/main")
    head = git.commit(run(repository, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}"))
    assert git.ls_remote(answer, "refs/heads/main") == head


def test_only_the_ref_that_was_asked_for_counts() -> None:
    answer = ("%s\trefs/heads/main\n%s\trefs/remotes/x/refs/heads/main\n" % (SHA, OTHER)).encode()
    assert git.ls_remote(answer, "refs/heads/main") == SHA


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (SHA[:12].encode() + b"\n", "unparsable"),
        (SHA.encode() + b"0\n", "unparsable"),
        (SHA.upper().encode() + b"\n", "unparsable"),
        ((SHA + "\n" + OTHER + "\n").encode(), "unparsable"),
        (b"HEAD\n", "unparsable"),
        (b" " + SHA.encode() + b"\n", "unparsable"),
        (SHA.encode() + b"\n\n", "unparsable"),
    ],
)
def test_only_one_full_commit_is_one(stdout: bytes, code: str) -> None:
    assert git.commit(SHA.encode() + b"\n") == SHA
    with pytest.raises(ParseError) as caught:
        git.commit(stdout)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        (b"", "empty"),
        ((SHA + "\trefs/heads/main").encode(), "truncated"),
        ((SHA + "\trefs/heads/maintenance\n").encode(), "unparsable"),
        ((SHA + " refs/heads/main\n").encode(), "unparsable"),
        (("warning: x\n" + SHA + "\trefs/heads/main\n").encode(), "unparsable"),
        ((SHA + "\trefs/heads/main\n").encode() * 2, "unparsable"),
    ],
)
def test_other_answers_of_a_remote_are_refused(stdout: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        git.ls_remote(stdout, "refs/heads/main")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        (b"", "empty"),
        (b"## main", "truncated"),
        (b"?? x\0", "unparsable"),
        (b"## main\0nonsense\0", "unparsable"),
        (b"## main\0R  new\0", "unparsable"),
        (b"## \0", "unparsable"),
        (b"## two words\0", "unparsable"),
    ],
)
def test_other_states_are_refused(stdout: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        git.porcelain_z(stdout)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        (SHA.encode() + b"\0subject", "truncated"),
        (SHA.encode() + b"\0", "unparsable"),
        (b"abc\0subject\0", "unparsable"),
    ],
)
def test_half_a_log_is_refused(stdout: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        git.log_z(stdout)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("stdout", "code"), [(b"", "empty"), (b"3", "unparsable"), (b"-1\n", "unparsable"), (b"3\n4\n", "unparsable")]
)
def test_only_a_count_is_one(stdout: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        git.count(stdout)
    assert caught.value.code == code


fields = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(st.lists(st.tuples(st.from_regex(r"[0-9a-f]{40}", fullmatch=True), fields), max_size=5))
def test_what_git_logs_is_read_back(commits: list[tuple[str, str]]) -> None:
    found = git.log_z("".join("%s\0%s\0" % commit for commit in commits).encode("utf-8"))
    assert [(commit["sha"], commit["subject"]) for commit in found] == commits


def move(before: str, after: str, at: int, message: str = "checkout: moving from main to x") -> str:
    return "%s %s Admin Istrator <a@example.org> %d +0200\t%s\n" % (before, after, at, message)


A, B = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (move("0" * 40, A, 100, "clone: from /srv/git"), (100, True, A)),
        (move("0" * 40, A, 100) + move(A, B, 200), (200, True, B)),
        # A checkout of the commit that is there moves nothing.
        (move("0" * 40, A, 100) + move(A, B, 200) + move(B, B, 300), (200, False, B)),
        (move(A, B, 200, "") + move(B, B, 300, "a > b\tc") + move(B, B, 400), (200, False, B)),
        # The beginning may be cut off.
        (move(A, B, 100)[30:] + move(B, A, 200), (200, True, A)),
    ],
)
def test_when_head_last_became_another_commit(log: str, found: tuple[int, bool, str]) -> None:
    assert git.last_move(log.encode()) == found


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ("", "empty"),
        ("\n", "empty"),
        (move(A, B, 100)[:-1], "truncated"),
        (move(A, A, 100), "empty"),
        (move(A, B, 100)[30:] + move(B, B, 200), "unparsable"),
        (move(A, B, 100) + "\n", "unparsable"),
        (move(A[:39], B, 100), "unparsable"),
    ],
)
def test_a_log_of_head_that_does_not_say_when_is_refused(log: str, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        git.last_move(log.encode())
    assert caught.value.code == code


def test_what_is_ignored_and_what_says_so() -> None:
    printed = b".gitignore:2:.venv/\t.venv\na b/.gitignore:1:*:1:x\ta b\n"
    assert git.check_ignore_v(printed) == {".venv": ".gitignore", "a b": "a b/.gitignore"}
    assert git.check_ignore_v(b"") == {}
    for wrong in (b".gitignore:2:.venv/\t.venv", b".gitignore\n", b"\n"):
        with pytest.raises(ParseError):
            git.check_ignore_v(wrong)


def test_tracked_files_with_what_git_was_told_of_them() -> None:
    assert git.ls_files_z(b"a b.py\0c\n\0") == ["a b.py", "c\n"]
    assert git.ls_files_z(b"") == []
    assert git.ls_files_v(b"H a b.py\0h c\0S d\n\0") == [("H", "a b.py"), ("h", "c"), ("S", "d\n")]


@pytest.mark.parametrize(
    ("stdout", "code"),
    [(b"", "empty"), (b"H a", "truncated"), (b"H\0", "unparsable"), (b"H  \0a\0", "unparsable"), (b"a\0", "unparsable")],
)
def test_tracked_files_that_make_no_sense_are_refused(stdout: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        git.ls_files_v(stdout)
    assert caught.value.code == code
