# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment file, as its three readers read it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import envfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def recorded(name: str) -> list[tuple[bytes, Optional[dict[str, str]]]]:
    cases = json.loads((TRANSCRIPTS / name).read_text(encoding="utf-8"))
    return [(case["file"].encode("utf-8", "surrogateescape"), case["variables"]) for case in cases]


@pytest.mark.parametrize(("content", "variables"), recorded("environment-files-as-systemd-252-reads-them.json"))
def test_services_get_what_systemd_reads(content: bytes, variables: Optional[dict[str, str]]) -> None:
    found = envfile.parse(content)
    if variables is None:
        assert found.services_error in ("nul_byte", "invalid_utf8")
        assert found.services == {}
    else:
        assert found.services_error is None
        assert found.services == variables


@pytest.mark.parametrize(("content", "variables"), recorded("environment-files-as-bash-5.2-sources-them.json"))
def test_a_shell_gets_what_bash_sets_or_it_is_unknown(content: bytes, variables: dict[str, str]) -> None:
    found = envfile.parse(content)
    for name, value in found.shell.items():
        assert variables.get(name) == value
    for name in variables:
        assert name in found.shell or name in found.shell_unknown


def test_most_of_the_recorded_files_are_known_to_a_shell() -> None:
    # The test above holds for a reader that knows nothing, too.
    cases = recorded("environment-files-as-bash-5.2-sources-them.json")
    known = [content for content, variables in cases if variables and envfile.parse(content).shell == variables]
    assert len(known) >= 30


def sourced(content: bytes, directory: Path) -> dict[str, str]:
    """What bash itself makes of it. No command can be found, and nothing can be written next to the file."""
    (directory / "file").write_bytes(content)
    (directory / "empty").mkdir(exist_ok=True)
    printed = subprocess.run(
        [
            "/bin/bash",
            "--norc",
            "--noprofile",
            "-c",
            "set -a; source ../file; set +a; exec /usr/bin/env -0",
        ],
        cwd=directory / "empty",
        env={"PATH": "/nonexistent", "HOME": "/home/nobody", "w": "expanded", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=20,
    ).stdout
    variables = (assignment.partition(b"=") for assignment in printed.split(b"\0"))
    return {name.decode(): value.decode("utf-8", "backslashreplace") for name, _equals, value in variables if name}


PIECES = r"""x|y| |'x y'|"p q"|\|$|$w|#|;|~|:|é|{|}|"a\b"|"$"|'$w'|=|*|!|-|%|@|/|,|$'a'|"'"| &""".split("|")
values = st.lists(st.sampled_from([*PIECES, "\t", "\r", "\x7f", "\\\n"]), max_size=4).map("".join)
lines = st.tuples(
    st.sampled_from(("A=", "B=", "C=", "export A=", "#", "A=1 B=", "")),
    values,
    st.sampled_from(("\n", ";", " x\n", "\n\n")),
).map("".join)


@settings(max_examples=40)
@example(content="A=five six\nB='p$$w'\n")
@example(content="A=$\\\nA=\n")  # a line that is continued within an expansion,
@example(content="A\\\n=5\nB=1\n")  # within a name,
@example(content="ex\\\nport A=5\n")  # within a command,
@example(content="A=1 &\\\n& B=2\n")  # within an operator
@given(content=st.lists(lines, min_size=1, max_size=3).map("".join))
def test_the_shell_of_this_machine_agrees(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    directory = tmp_path_factory.getbasetemp() / "sourced"
    directory.mkdir(exist_ok=True)
    found = envfile.parse(content.encode())
    really = sourced(content.encode(), directory)
    for name, value in found.shell.items():
        assert really.get(name) == value
    for name in {"A", "B", "C"} & set(really):
        assert name in found.shell or name in found.shell_unknown
    assert os.listdir(directory / "empty") == []


def test_the_table_of_the_contract() -> None:
    content = b"""A=x
export B=x
C="x y"
D='x'
E=five six
F=p&q
G=p$w
H="p$$w"
"""
    found = envfile.parse(content)
    assert found.services == {"A": "x", "C": "x y", "D": "x", "E": "five six", "F": "p&q", "G": "p$w", "H": "p$$w"}
    assert found.shell == {"A": "x", "B": "x", "C": "x y", "D": "x"}
    assert found.shell_unknown == {"E", "F", "G", "H"}
    assert found.drift_checker == {**found.services, "B": "x"}
    assert [
        (finding["line"], finding["code"], finding["variable"], finding["disagreeing"]) for finding in found.findings
    ] == [
        (2, "export_line", "B", ["shell", "drift_checker"]),
        (5, "unquoted_special", "E", ["shell"]),
        (6, "unquoted_special", "F", ["shell"]),
        (7, "unquoted_special", "G", ["shell"]),
        (8, "unquoted_special", "H", ["shell"]),
    ]


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (b"A=x\nB='y'\n# comment\n\n", []),
        (b"A=1\nA=2\n", [(2, "duplicate", "A")]),
        (b"nonsense\nA=1\n", [(1, "invalid_line", None)]),
        (b"A=1\n1B=2\n", [(2, "invalid_line", None)]),
        (b"A=1\nB=\xff\n", [(2, "invalid_line", "B")]),
        (b"A=1\nB=a\0b\n", [(2, "invalid_line", None)]),
        (b"A='one\ntwo'\nexport B=1\n", [(3, "export_line", "B")]),
        (b"A=x\r\n", [(1, "unquoted_special", "A")]),
        (b"\rA=x\n", [(1, "unquoted_special", "A")]),
        (b"# goes on \\\nA=x\n", [(2, "invalid_line", "A")]),
        # What ends the shell's reading does not hide what else there is.
        (
            b"A=p(x\nexport B=1\nC=2\nD=a b\n",
            [(1, "unquoted_special", "A"), (2, "export_line", "B"), (4, "unquoted_special", "D")],
        ),
    ],
)
def test_findings_name_their_line(content: bytes, findings: list[tuple[int, str, Optional[str]]]) -> None:
    found = envfile.parse(content).findings
    assert [(finding["line"], finding["code"], finding["variable"]) for finding in found] == findings


@pytest.mark.parametrize(
    ("content", "services", "shell"),
    [
        (b"", "missing", "missing"),
        (b"OTHER=x\n", "missing", "missing"),
        (b"HEALTHARCHIVE_DATABASE_URL=\n", "empty", "empty"),
        (b"HEALTHARCHIVE_DATABASE_URL=' '\n", "empty", "empty"),
        (b"HEALTHARCHIVE_DATABASE_URL=postgresql+psycopg://u:p@h/d\n", "postgresql", "postgresql"),
        (b"HEALTHARCHIVE_DATABASE_URL=postgresql://h/d\n", "postgresql", "postgresql"),
        (b"HEALTHARCHIVE_DATABASE_URL=sqlite:////x.db\n", "sqlite", "sqlite"),
        (b"HEALTHARCHIVE_DATABASE_URL=mysql://h/d\n", "other", "other"),
        (b"HEALTHARCHIVE_DATABASE_URL=nonsense\n", "other", "other"),
        (b"export HEALTHARCHIVE_DATABASE_URL=postgresql://h/d\n", "missing", "postgresql"),
        (b"HEALTHARCHIVE_DATABASE_URL=postgresql://u:a&b@h/d\n", "postgresql", "unknown"),
        (b"#HEALTHARCHIVE_DATABASE_URL=postgresql://h/d\n", "missing", "missing"),
    ],
)
def test_the_database_of_each_reader(content: bytes, services: str, shell: str) -> None:
    found = envfile.parse(content)
    assert found.database_backend() == services
    assert found.database_backend("shell") == shell


@pytest.mark.parametrize(
    ("content", "secrets"),
    [
        (b"HEALTHARCHIVE_ADMIN_TOKEN=abcd1234\n", {"abcd1234"}),
        (b"export MY_PASSWORD='with space'\n", {"with space"}),
        (b"X_SECRET=a b c d\n", {"a b c d"}),
        (b"HEALTHARCHIVE_HC_PING_DB=https://ping.test/uuid\n", {"https://ping.test/uuid"}),
        (b"SENTRY_DSN=https://key@sentry.test/1\n", {"https://key@sentry.test/1"}),
        (b"DB=postgresql+psycopg://user:p%40ss%2Fword@127.0.0.1:5432/d\n", {"p%40ss%2Fword", "p@ss/word"}),
        (b"DB=postgresql://user:p@ss/word@127.0.0.1/d\n", {"p@ss/word"}),
        (b"DB=redis://:sesame@127.0.0.1\n", {"sesame"}),
        (b"GIT=https://ghtoken@git.test/x\n", {"ghtoken"}),
        (b"DB=postgresql://h/d?user=u&password=sesame\n", {"sesame"}),
        (b"HOSTS=http://u:first@a.test,http://u:second@b.test\n", {"first", "second"}),
        (b"A_KEY='line one\nline two'\n", {"line one\nline two", "line one", "line two"}),
        (b"A_TOKEN=unparsable(\n", {"unparsable("}),
        (b"A_TOKEN=p&qrst\n", {"p&qrst"}),
    ],
)
def test_secrets_are_found(content: bytes, secrets: set[str]) -> None:
    assert secrets <= envfile.parse(content).secret_values()


@pytest.mark.parametrize(
    "content",
    [
        b"HEALTHARCHIVE_ARCHIVE_ROOT=/srv/healtharchive/jobs\n",
        b"HEALTHARCHIVE_ENV=production\n",
        b"A_TOKEN=\nB_TOKEN=abc\nC_KEY_ENABLED=true\nD_SECRET=None\n",
        b"SITE=https://archive.example.org/path?x=user@host\n",
        b"STORAGE=ssh://storagebox@storagebox.test\n",
        b"# A_TOKEN=commented\n",
    ],
)
def test_what_is_no_secret_stays_visible(content: bytes) -> None:
    assert envfile.parse(content).secret_values() == frozenset()


def test_secrets_of_bytes_that_are_no_text_have_both_forms() -> None:
    assert {"caf\\xe9", "caf\udce9"} <= envfile.parse(b"A_TOKEN=caf\xe9\n").secret_values()


def test_no_value_shows_in_the_representation() -> None:
    content = b"A_TOKEN=sesame-open\nexport B_TOKEN=sesame-open\nC=$x sesame-open\n"
    assert "sesame-open" in envfile.parse(content).secret_values()
    assert "sesame" not in repr(envfile.parse(content))
    assert "sesame" not in repr(envfile.parse(content).findings)


@given(st.binary(max_size=300) | st.text(alphabet="AB=xy \t\n\r'\"\\#;$&|<>(){}`~export", max_size=60).map(str.encode))
def test_any_bytes_are_read(content: bytes) -> None:
    found = envfile.parse(content)
    assert not set(found.shell) & found.shell_unknown
    assert {finding["code"] for finding in found.findings} <= {
        "export_line",
        "unquoted_special",
        "invalid_line",
        "duplicate",
    }
    found.database_backend()
    for variables in (found.services, found.shell, found.drift_checker):
        for value in variables.values():
            value.encode("utf-8")
    if found.services_error is None and not found.findings and not found.shell_unknown:
        assert found.services == found.shell


names = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in ("UID", "EUID", "PPID"))
safe_values = st.text(
    st.characters(codec="utf-8", exclude_characters="'\0", exclude_categories=("Cs", "Cn", "Co")), max_size=20
)


@given(st.dictionaries(names, safe_values, max_size=5))
def test_values_in_single_quotes_mean_the_same_to_services_and_shells(variables: dict[str, str]) -> None:
    content = "".join("%s='%s'\n" % item for item in variables.items())
    found = envfile.parse(content.encode("utf-8"))
    assert found.services == variables
    assert {name: found.shell[name] for name in variables if name not in found.shell_unknown} == {
        name: value for name, value in variables.items() if name not in found.shell_unknown
    }
    assert found.shell_unknown <= {
        "RANDOM",
        "SECONDS",
        "LINENO",
        "GROUPS",
        "BASHPID",
        "HISTCMD",
        "SRANDOM",
        "OPTIND",
        "OPTARG",
    }
