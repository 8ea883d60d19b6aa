# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process runs what is checked out: one thing at a time is wrong, and that is seen."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import running
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance.running import Running

NAMES = ("service",)


@pytest.fixture
def place(tmp_path):
    """A checkout with a virtual environment; beside it another one, with one of its own, and what holds nothing."""
    for name in ("checkout", "other"):
        (tmp_path / name / "src" / "service").mkdir(parents=True)
        (tmp_path / name / ".venv" / "bin").mkdir(parents=True)
        (tmp_path / name / ".git").mkdir()
        (tmp_path / name / "pyproject.toml").touch()
    (tmp_path / "home").mkdir()
    return tmp_path


def process(place, **changed) -> Running:
    library = "%s/checkout/.venv/lib/python3.11/site-packages/a/_b.so" % place
    words = ("%s/checkout/.venv/bin/python3" % place, "%s/checkout/.venv/bin/service" % place, "work")
    good = {"words": words, "directory": str(place / "checkout"), "variables": {}, "mapped": (library,)}
    return Running(**{**good, **changed})


def is_here(place, **changed) -> bool:
    return running.is_here(str(place / "checkout"), process(place, **changed), NAMES)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        # A service may run in any directory that has no copy of it.
        {"directory": "/"},
        {"directory": "{0}/home"},
        {"words": (".venv/bin/python3", ".venv/bin/uvicorn", "service:app")},
        {"words": ("/bin/bash", "start.sh"), "mapped": ()},
        {"words": ("gunicorn: master [service]",)},
        {"variables": {"PYTHONPATH": "{0}/checkout/src:"}},
        # An agent that looks at how fast it is.
        {"variables": {"PYTHONPATH": "{0}/home"}},
        {"words": ("{0}/checkout/.venv/bin/python3", "{0}/checkout/.venv/bin/uvicorn", "--app-dir", "src")},
    ],
)
def test_it_runs_from_the_checkout(place, changed):
    assert is_here(place, **filled(changed, place))


@pytest.mark.parametrize(
    "changed",
    [
        {"directory": "{0}/other"},
        {"directory": "{0}/other/src"},
        {"directory": "/", "words": ("/usr/bin/service",)},
        # Moved away from under it, removed.
        {"directory": "{0}/checkout (deleted)"},
        # Another virtual environment, in the same directory.
        {"words": ("{0}/other/.venv/bin/python3", "{0}/checkout/.venv/bin/service")},
        {"words": ("/usr/bin/python3.11", "-m", "service")},
        {"mapped": ("{0}/other/.venv/lib/python3.11/site-packages/a/_b.so",)},
        {"mapped": ("{0}/checkout/.venv.old/lib/python3.11/site-packages/a/_b.so",)},
        # What Python takes before it.
        {"variables": {"PYTHONPATH": "{0}/other/src"}},
        {"variables": {"PYTHONPATH": "{0}/home:../other/src"}},
        {"variables": {"PYTHONHOME": "{0}/other"}},
        {"words": ("{0}/checkout/.venv/bin/python3", "{0}/checkout/.venv/bin/uvicorn", "--app-dir", "{0}/other/src")},
        {"words": ("{0}/checkout/.venv/bin/python3", "{0}/checkout/.venv/bin/uvicorn", "--app-dir={0}/other/src")},
    ],
)
def test_it_runs_from_elsewhere(place, changed):
    assert not is_here(place, **filled(changed, place))


def filled(changed, place):
    def put(value):
        if isinstance(value, dict):
            return {name: put(each) for name, each in value.items()}
        return value.replace("{0}", str(place)) if isinstance(value, str) else tuple(map(put, value))

    return {name: put(value) for name, value in changed.items()}


def test_a_module_that_is_one_file_is_a_copy_too(place):
    (place / "home" / "service.py").touch()
    assert not is_here(place, variables={"PYTHONPATH": str(place / "home")})


@pytest.mark.parametrize(
    ("variables", "misled"),
    [
        ({}, False),
        ({"PYTHONPATH": ""}, False),
        ({"PYTHONPATH": "src"}, False),
        ({"PYTHONPATH": "{0}/home:{0}/checkout/src"}, False),
        ({"PYTHONPATH": "{0}/other/src"}, True),
        ({"PYTHONPATH": "../other/src"}, True),
        ({"PYTHONHOME": "{0}/home"}, True),
    ],
)
def test_an_environment_file_that_leads_elsewhere(place, variables, misled):
    assert running.is_misled(str(place / "checkout"), filled(variables, place), NAMES) is misled


def test_a_virtual_environment_may_be_a_link(place):
    (place / "checkout" / ".venv").rename(place / "environment-1")
    (place / "checkout" / ".venv").symlink_to(place / "environment-1")
    mapped = ("%s/environment-1/lib/python3.11/site-packages/a/_b.so" % place,)
    assert is_here(place, mapped=mapped)
    # What it leads to now is another one.
    (place / "checkout" / ".venv").unlink()
    (place / "other" / ".venv").rename(place / "environment-2")
    (place / "checkout" / ".venv").symlink_to(place / "environment-2")
    assert not is_here(place, mapped=mapped)


def test_what_was_replaced_under_it(place):
    assert not running.is_replaced(process(place))
    assert running.is_replaced(process(place, mapped=("/x/site-packages/a/_b.so (deleted)",)))


@pytest.mark.parametrize(
    ("tracked", "names"),
    [
        (["src/service/__init__.py", "src/service/api/__init__.py", "tests/__init__.py"], ("service",)),
        (["service/__init__.py", "README.md"], ("service",)),
        (["README.md"], ()),
    ],
)
def test_the_packages_of_a_commit(tracked, names):
    assert running.packages(tracked) == names


def test_a_process_as_the_kernel_shows_it(tmp_path):
    argv = [sys.executable, "-c", "print('runs', flush=True); input()"]
    variables = {"PYTHONPATH": "/nowhere", "SECRET": "s3cret", "PATH": os.environ["PATH"]}
    process = subprocess.Popen(argv, cwd=tmp_path, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"runs\n"
        found = running.read(process.pid)
        assert found == Running(tuple(argv), str(tmp_path), {"PYTHONPATH": "/nowhere"}, ())
    finally:
        process.communicate(b"\n")
    with pytest.raises(OSError, match="No such"):
        running.read(process.pid)
