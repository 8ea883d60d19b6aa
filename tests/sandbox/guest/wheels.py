#!/usr/bin/env python3
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layer "wheels": everything that `pip install -e '.[dev]'` of the service needs, as wheels for the guest's own Python.

Runs in the guest's file system with the machine's network; afterwards no deploy in a guest needs a network.
"""

from __future__ import annotations

import subprocess

import tomllib

WHEELS = "/srv/wheels"


def main() -> None:
    with open("/run/pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    wanted = list(project["build-system"]["requires"]) + list(project["project"].get("dependencies", []))
    for extra in project["project"].get("optional-dependencies", {}).values():
        wanted += extra
    print("==> download " + str(len(wanted)) + " declared packages and what they need", flush=True)
    subprocess.run(
        [
            "python3",
            "-m",
            "pip",
            "download",
            "--no-cache-dir",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary=:all:",
            "--dest",
            WHEELS,
            *wanted,
        ],
        check=True,
    )


if __name__ == "__main__":
    main()
