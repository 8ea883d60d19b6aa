# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What triage said of the broken host, and that it left the host alone: looked at without the collection."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


def state(host) -> list[str]:
    """The lines that converge noted before triage, read again."""
    script = (PROJECT / "molecule/triage/state.sh").read_text()
    with host.sudo():
        return host.check_output("sh -c %s", script).splitlines()


def test_triage_left_the_host_as_it_was(host):
    before = (EPHEMERAL / "state-before").read_text().splitlines()
    assert any(line.startswith("file ") for line in before)
    assert any('"status":"running"' in line for line in before if line.startswith("job "))
    assert state(host) == before


def test_the_state_shows_a_change(host):
    """The positive control of the test above: a new file of root's is seen."""
    before = state(host)
    with host.sudo():
        host.check_output("touch /srv/healtharchive/jobs/left-behind")
        try:
            assert state(host) != before
        finally:
            host.check_output("rm /srv/healtharchive/jobs/left-behind")
