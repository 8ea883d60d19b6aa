# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where packages come from: apt's and pip's settings, read and carried over. Property tests: any text in, no crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lib import sources

DEB822 = """\
Types: deb
# URIs: http://commented.example.org/debian
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib

Types: deb
URIs: http://security.example.org/debian-security
Suites: bookworm-security
Components: main
"""
SOURCE_ONLY = """\
Types: deb-src
URIs: http://source.example.org/debian
Suites: bookworm
Components: main

"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list.d/debian.sources", DEB822),
        ("sources.list.d/debian.sources", DEB822.replace("Suites: bookworm book", "Suites:\n bookworm\n book")),
        (
            "sources.list.d/debian.sources",
            "Enabled: no\n" + DEB822.partition("\n\n")[0].replace("mirror", "off") + "\n\n" + DEB822,
        ),
        ("sources.list.d/debian.sources", SOURCE_ONLY + DEB822),
        (
            "sources.list",
            "# deb http://off.example.org/debian bookworm main\ndeb http://mirror.example.org/debian bookworm main\n",
        ),
        (
            "sources.list",
            "deb [signed-by=/usr/share/k.gpg arch=amd64] http://mirror.example.org/debian bookworm main # ours\n",
        ),
        (
            "sources.list.d/x.list",
            "deb cdrom:[Debian 12]/ bookworm main\ndeb http://security.example.org/ bookworm-security main\n"
            "deb http://mirror.example.org/debian stable main\n",
        ),
    ],
)
def test_the_mirror_of_the_release_is_found(tmp_path: Path, name: str, text: str) -> None:
    assert (
        sources.debian_mirror(sources.apt_sources(written(tmp_path, name, text))) == "http://mirror.example.org/debian"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deb http://archive.example.org/ubuntu noble main\n",
        "deb http://mirror.example.org/debian bookworm contrib\n",
        "deb-src http://mirror.example.org/debian bookworm main\n",
        "deb file:/srv/mirror bookworm main\n",
        "deb\n",
        "deb [x\n",
    ],
)
def test_without_a_usable_one_the_choice_is_debootstrap_s(tmp_path: Path, text: str) -> None:
    assert sources.debian_mirror(sources.apt_sources(written(tmp_path, "sources.list", text))) is None


def test_files_that_apt_ignores_are_ignored(tmp_path: Path) -> None:
    written(tmp_path, "sources.list.d/old.sources.disabled", DEB822)
    assert sources.apt_sources(tmp_path) == []


@given(st.text())
def test_any_text_is_read_without_a_crash(text: str) -> None:
    for read in (sources._one_line_sources, sources._deb822_sources):  # pylint: disable=protected-access
        for source in read(text):
            assert source.uri
            assert source.suite


def test_pip_settings_are_carried_over_and_local_paths_bound(tmp_path: Path) -> None:
    index, links, bundle = tmp_path / "pypi/simple", tmp_path / "wheels", tmp_path / "ca.crt"
    index.mkdir(parents=True)
    links.mkdir()
    bundle.touch()
    first = written(
        tmp_path,
        "etc.conf",
        f"[global]\ncert = /gone.crt\ntimeout = 5\nextra-index-url =\n  file://{index}\n"
        "  https://index.example.org/simple\n",
    )
    del first
    written(tmp_path, "home.conf", f"[global]\ntimeout = 7\n[install]\nfind-links = {links} /nonexistent\n")
    configuration = sources.pip_configuration([tmp_path / "etc.conf", tmp_path / "none.conf", tmp_path / "home.conf"])
    settings = sources.pip_settings(
        {"PIP_INDEX_URL": "https://main.example.org/simple", "PIP_CERT": str(bundle), "HOME": "/root"},
        configuration,
        Path("/nonexistent"),
    )
    assert settings.environment == {
        "PIP_INDEX_URL": "https://main.example.org/simple",
        "PIP_EXTRA_INDEX_URL": "file:///run/pip/0/simple https://index.example.org/simple",
        "PIP_FIND_LINKS": "/run/pip/1",
        "PIP_TIMEOUT": "7",
        "PIP_CERT": "/run/pip/ca-certificates.crt",
    }
    # a local index is bound with the folder around it: its pages link to files beside it
    assert settings.binds == [
        (str(index.parent), "/run/pip/0"),
        (str(links), "/run/pip/1"),
        (str(bundle), "/run/pip/ca-certificates.crt"),
    ]


def test_a_machine_without_any_settings_needs_none() -> None:
    assert sources.pip_settings({}, {}, Path("/nonexistent")) == sources.PipSettings({}, [])


@given(st.binary())
def test_any_configuration_file_is_read_without_a_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("pip") / "pip.conf"
    path.write_bytes(data)
    assert isinstance(sources.pip_configuration([path]), dict)
