# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``replay-reconcile`` and the smoke check's metrics say."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import replay_reconcile, replay_smoke
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError

HEAD = b"HealthArchive Backend \xe2\x80\x93 Replay Reconcile\n----\nMode:            %s\n"


def test_a_dry_run_names_what_it_would_index_and_what_it_cannot():
    said = replay_reconcile.report(
        HEAD % b"DRY-RUN" + b"WOULD INDEX job_id=4 name=phac warcs=4\nSummary: would_index=1 failed=0\n",
        b"BLOCKED: job_id=9 name=x no WARC files discovered\nother\n",
    )
    assert (said.applied, said.taken) == (False, frozenset([4]))
    assert said.blocked == {9: "name=x no WARC files discovered"}


def test_a_failed_one_was_taken_and_is_seen_at_its_collection():
    said = replay_reconcile.report(HEAD % b"APPLY" + b"FAILED job_id=4 name=x\nSummary: indexed=0 failed=1\n", b"")
    assert (said.applied, said.taken) == (True, frozenset([4]))


@pytest.mark.parametrize(
    "stdout",
    [b"", HEAD % b"APPLY", b"Summary: x\n", HEAD % b"APPLY" + HEAD % b"DRY-RUN" + b"Summary: x\n"],
)
def test_what_has_not_run_to_its_end_says_nothing(stdout):
    with pytest.raises(ParseError):
        replay_reconcile.report(stdout, b"")


def test_the_targets_that_fail():
    said = replay_smoke.smoke(
        b"# HELP x\nhealtharchive_replay_smoke_enabled 1\n"
        b'healtharchive_replay_smoke_ok{job_id="1",source="hc"} 1\n'
        b'healtharchive_replay_smoke_ok{job_id="2",source="cihr"} 0\nhealtharchive_replay_smoke_canary_ok 1.0\n'
    )
    assert said == replay_smoke.Smoke(3, ['ok job_id="2",source="cihr"'])
    assert replay_smoke.smoke(b"healtharchive_replay_smoke_metrics_ok 1e\n").failing == ["metrics_ok"]
    assert replay_smoke.smoke(b"").seen == 0
