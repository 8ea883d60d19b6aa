# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vps-deploy.sh up to where it needs a real host (contract 3.1)."""

from __future__ import annotations

import fcntl
import subprocess

import pytest
from conftest import CHECKOUT


@pytest.fixture
def repository(tmp_path):
    """A committed checkout with something that passes for a virtual environment."""
    checkout = tmp_path / "checkout"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    python = checkout / ".venv" / "bin" / "python3"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (checkout / ".gitignore").write_text(".venv/\n")
    (tmp_path / "backend.env").write_text("")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@healtharchive.invalid"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", checkout, *words], check=True)
    return checkout


@pytest.fixture
def deploy(tmp_path, repository):
    """Runs the script."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        fixed = ["--repo-dir", repository, "--env-file", tmp_path / "backend.env", "--lock-file", tmp_path / "lock"]
        command = [CHECKOUT / "scripts" / "vps-deploy.sh", *fixed, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_dry_run_claims_completion_even_of_a_ref_that_does_not_exist(deploy):
    finished = deploy("--ref", "0" * 40)
    assert finished.returncode == 0, finished.stderr
    assert "Mode:        DRY-RUN\n" in finished.stdout
    assert f"+ git fetch --prune origin\n+ git checkout --detach {'0' * 40}\n" in finished.stdout
    assert "WARN: Detected running crawl jobs; skipping worker restart" in finished.stdout
    assert finished.stdout.endswith("\nDeploy complete.\n")


def test_wrong_arguments(deploy):
    unknown = deploy("--x")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("ERROR: Unknown argument: --x\n")
    missing = deploy("--ref")
    assert missing.returncode == 1
    assert "$2: unbound variable" in missing.stderr


def test_dirty_tree_is_refused_in_a_dry_run_too(deploy, repository):
    (repository / "untracked").write_text("")
    finished = deploy()
    assert finished.returncode == 2
    assert finished.stderr == (
        "ERROR: Working tree is dirty. Commit/stash changes or pass --allow-dirty.\n?? untracked\n"
    )


def test_held_lock(deploy, tmp_path):
    lock = tmp_path / "lock"
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        finished = deploy()
        assert finished.returncode == 2
        assert finished.stderr == f"ERROR: Deploy lock is held; another deploy may be running: {lock}\n"
    assert deploy().returncode == 0


def test_missing_environment_file(deploy):
    finished = deploy("--env-file", "/nowhere/backend.env")
    assert (finished.returncode, finished.stderr) == (1, "ERROR: Env file not found: /nowhere/backend.env\n")
