# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as it was committed, of a real repository: also what hides itself."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import probe, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import standing
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

WHO = {"GIT_%s_%s" % (who, what): "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """One whose commit ignores its virtual environment, and what is below ``generated``."""
    monkeypatch.setattr(standing, "_processes", lambda *_anything: (None, None))
    where = tmp_path / "checkout"
    (where / "src" / "service").mkdir(parents=True)
    (where / "src" / "service" / "__init__.py").touch()
    (where / ".gitignore").write_text(".venv/\ngenerated/\n")
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "First"]):
        subprocess.run(["git", *words], cwd=where, check=True, env={**os.environ, **WHO})
    return where


def differing(checkout):
    values = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
    where = settings.Settings(**{**values, "checkout": str(checkout)})
    context = probe.Context(where, None, None, Redactor(), True, time.monotonic() + 60, 600, "local")
    return list(standing.look(context).differing)


def put(checkout, path, content=""):
    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
    (checkout / path).write_text(content)


def test_as_it_was_committed(checkout):
    for path in (".venv/.gitignore", "generated/.gitignore", "generated/deep/.gitignore", ".cache/.gitignore"):
        put(checkout, path, "*\n")
    for path in (".venv/lib/a.py", "generated/a.py", "generated/deep/a.py", ".cache/a.json"):
        put(checkout, path)
    assert differing(checkout) == []


@pytest.mark.parametrize("place", ["src/", "src/service/more/", "own/", "a [b]*/", "\u00e4/"])
def test_a_file_that_hides_python_and_itself(checkout, place):
    put(checkout, place + ".gitignore", "*\n")
    assert differing(checkout) == []
    put(checkout, place + "sitecustomize.py")
    shown = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, check=True)
    assert shown.stdout == b""
    assert differing(checkout) == ["?? %s.gitignore" % place]


def test_one_that_is_shown_is_shown_once(checkout):
    put(checkout, "src/.gitignore", "sitecustomize.py\n")
    put(checkout, "src/sitecustomize.py")
    assert differing(checkout) == ["?? src/.gitignore"]


def test_a_rule_of_the_owners_own_is_none_of_the_commits(checkout):
    put(checkout, ".git/info/exclude", "own/\n")
    put(checkout, "own/.gitignore", "*\n")
    put(checkout, "own/a.py")
    assert differing(checkout) == ["?? own/.gitignore"]
