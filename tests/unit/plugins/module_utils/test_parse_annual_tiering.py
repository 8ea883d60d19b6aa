# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the annual tiering's script says, from its own words (contract 3.5)."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import annual_tiering
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError

HOT, COLD = "/srv/healtharchive/jobs/hc/x", "/srv/healtharchive/storagebox/jobs/hc/x"


def test_what_it_would_bind_and_what_it_knows():
    lines = [
        "MOUNT %s <= %s" % (HOT, COLD),
        "UNHEALTHY job_id=3 source=hc path=/jobs/hc/y errno=107",
        "WARN job_id=4 source=phac path=/jobs/phac/z reason=unexpected_mount_type",
        "planned=1 mounted_now=1 warnings=1\n",
    ]
    said = annual_tiering.tiering("\n".join(lines).encode())
    assert said.binds == {HOT: COLD}
    assert said.known == {HOT, "/jobs/hc/y", "/jobs/phac/z"}


def test_nothing_to_do_knows_nothing():
    said = annual_tiering.tiering(b"No annual jobs found in the expected window; nothing to do.\n")
    assert (said.binds, said.known) == ({}, frozenset())


@pytest.mark.parametrize(
    "text", [b"", b"MOUNT /a <= /b\n", b"Traceback (most recent call last):\n", b"planned=1\n", b"\xff\n"]
)
def test_what_has_not_run_to_its_end_says_nothing(text):
    with pytest.raises(ParseError) as caught:
        annual_tiering.tiering(text)
    assert caught.value.code == "unparsable"
