# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ships: all of the collection's content, and nothing else of the repository."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CONTENT = ("docs", "meta", "playbooks", "plugins", "roles")
AT_THE_TOP = {"CHANGELOG.rst", "LICENSE", "README.md"}
# Release notes as data, from the first release on.
RELEASES = {"changelogs/changelog.yaml"}
MADE_BY_THE_BUILD = {"FILES.json", "MANIFEST.json"}


def test_the_content_ships_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        ["ansible-galaxy", "collection", "build", "--output-path", str(tmp_path), str(ROOT)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (tarball,) = tmp_path.iterdir()
    with tarfile.open(tarball) as archive:
        shipped = {member.name for member in archive if member.isfile()}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *CONTENT, *AT_THE_TOP, *RELEASES],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    content = {name for name in listed if (ROOT / name).exists()}
    assert content >= AT_THE_TOP
    assert shipped == content | MADE_BY_THE_BUILD
