# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may know of what: parsers do no I/O, one file runs commands, and nothing that ships knows of the sandbox host."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_UTILS = ROOT / "plugins" / "module_utils"
SHIPPED = [
    path for folder in ("plugins", "roles", "playbooks") for path in (ROOT / folder).rglob("*") if path.is_file()
]
SOURCES = [path for path in SHIPPED if path.suffix in (".py", ".yml", ".j2", ".md")]
INPUT_AND_OUTPUT = {
    "os",
    "io",
    "subprocess",
    "socket",
    "http",
    "urllib",
    "pathlib",
    "shutil",
    "tempfile",
    "fcntl",
    "ctypes",
}
PURE = [
    *(MODULE_UTILS / "parse").glob("*.py"),
    *(MODULE_UTILS / "note").glob("*.py"),
    MODULE_UTILS / "stuck" / "decision.py",
    MODULE_UTILS / "stuck" / "effect.py",
    MODULE_UTILS / "campaign" / "decide.py",
    *(MODULE_UTILS / "baseline" / name for name in ("decide.py", "policy.py")),
    MODULE_UTILS / "markdown.py",
    MODULE_UTILS / "shapes.py",
    MODULE_UTILS / "envfile.py",
    MODULE_UTILS / "events.py",
    MODULE_UTILS / "incident.py",
    MODULE_UTILS / "recorded.py",
    MODULE_UTILS / "redact.py",
    MODULE_UTILS / "secret_forms.py",
    MODULE_UTILS / "written.py",
    MODULE_UTILS / "service.py",
    MODULE_UTILS / "verdict.py",
    MODULE_UTILS / "budget.py",
    MODULE_UTILS / "plan.py",
    MODULE_UTILS / "by_hand.py",
    MODULE_UTILS / "job_cause.py",
    MODULE_UTILS / "job_rules.py",
    MODULE_UTILS / "refusal.py",
    *(MODULE_UTILS / "deploy" / name for name in ("command.py", "decide.py", "facts.py", "judge.py", "rows.py")),
    *(MODULE_UTILS / "clearance" / name for name in ("decide.py", "facts.py", "wish.py")),
    *(MODULE_UTILS / "tiers" / name for name in ("decide.py", "facts.py")),
    *(MODULE_UTILS / room / name for room in ("replays", "outputs") for name in ("decide.py", "facts.py")),
    *(MODULE_UTILS / "services" / (name + ".py") for name in ("seen", "facts", "answers", "decide")),
    *(MODULE_UTILS / "transient_unit" / name for name in ("shown.py", "on_record.py")),
]
# What each room of the house may use of the others, beside `parse`; arrows go one way. A recovery that needs what another one
# has gets it from a room that is neither's.
ROOMS = {
    "parse": (),
    "note": (),
    "baseline": (),
    "probes": (),
    "transient_unit": (),
    "stuck": ("probes",),
    "clearance": ("probes",),
    "campaign": ("probes", "stuck"),
    "services": ("probes", "stuck"),
    "tiers": ("probes", "stuck"),
    "outputs": ("probes", "stuck", "tiers"),
    "replays": ("probes", "services", "stuck", "tiers"),
    "deploy": ("clearance", "probes", "transient_unit"),
    "indexing": ("probes", "stuck", "tiers", "transient_unit"),
}


def imports(path: Path) -> set:
    """The top-level names that a file imports, relative ones as `.name`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or "").split(".")[0])
    return found


def test_there_is_something_to_look_at():
    assert len(SOURCES) > 30
    assert len(PURE) > 10


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_what_parses_and_decides_does_no_input_or_output(path):
    reached = imports(path) & (INPUT_AND_OUTPUT - {"urllib"})
    assert reached == set()
    assert not re.search(r"\bopen\(|urllib\.request", path.read_text())


def used_rooms(room: str) -> set:
    found = set()
    for path in (MODULE_UTILS / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 2:
                found.update([node.module.split(".")[0]] if node.module else [alias.name for alias in node.names])
    return (found & set(ROOMS)) - {room, "parse"}


def test_every_room_is_in_the_table():
    assert {path.parent.name for path in MODULE_UTILS.glob("*/__init__.py")} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_no_other_room_than_it_may(room):
    assert used_rooms(room) == set(ROOMS[room])


def test_arrows_between_rooms_go_one_way():
    known: set = set()
    # Each may use only what is above it in the table.
    for room, others in ROOMS.items():
        assert set(others) <= known, room
        known.add(room)


def test_only_host_starts_processes():
    users = {
        path.relative_to(ROOT).as_posix() for path in SOURCES if path.suffix == ".py" and "subprocess" in imports(path)
    }
    assert users == {"plugins/module_utils/host.py"}


def test_on_the_host_only_the_standard_library_is_used():
    """On the host nothing may be installed; `ansible.module_utils` travels with the module."""
    known = {"ansible", "ansible_collections"}
    for path in MODULE_UTILS.rglob("*.py"):
        for name in imports(path) - known:
            assert name.startswith(".") or name in STANDARD_LIBRARY, "%s imports %s" % (path, name)


# sys.stdlib_module_names is newer than the oldest Python that is supported.
STANDARD_LIBRARY = {
    *(
        "__future__",
        "base64",
        "bisect",
        "bz2",
        "contextlib",
        "collections",
        "ctypes",
        "dataclasses",
        "datetime",
        "enum",
        "errno",
        "fcntl",
        "functools",
        "importlib",
        "select",
        "traceback",
    ),
    *("glob", "grp", "hashlib", "http", "ipaddress", "itertools", "json", "math", "os", "pwd", "re", "secrets"),
    *("selectors", "shlex", "shutil", "signal", "socket", "stat", "string", "subprocess", "sys", "tempfile"),
    *("threading", "time", "types", "typing", "unicodedata", "urllib"),
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_ships_knows_of_the_sandbox_host(path):
    # Jinja2 calls its restricted environment a sandbox too.
    text = re.sub(r"jinja2\.sandbox|\w*SandboxedEnvironment", "", path.read_text())
    assert not re.search(r"sandbox", text, re.IGNORECASE)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_ships_hides_a_failure(path):
    text = path.read_text()
    assert not re.search(r"ignore_errors:\s*true|failed_when:\s*false|no_log:\s*true", text)
