# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crawl that nobody has indexed, on a real host and database, without Ansible between.

The molecule scenario recover_indexing goes through the playbook; `make indexing` runs longer_indexing.py.
"""

from __future__ import annotations

import pytest

from .indexing import CUT, LOCK, RELEASE, WHOLE, asked, differing, ended, files, number, row, unindexed
from .storage import HELPERS


@pytest.fixture
def incident(host, tmp_path, broken):
    yield from unindexed(host, tmp_path, broken)


def test_it_is_verified_and_indexed_while_nobody_is_there(host, incident):
    job = number(host)
    before = files(host)
    planned = asked(host, incident, job)
    assert (planned["outcome"], planned["changed"]) == ("planned", False), planned
    # A file that was cut is seen before anything is done; nothing was written by either plan.
    host.root(HELPERS + CUT)
    refused = asked(host, incident, job)
    assert (refused["outcome"], refused["code"]) == ("refused", "warcs_damaged")
    host.root(HELPERS + WHOLE)
    assert differing(before, files(host)) == []
    assert row(host, job) == ["completed", "0", "0", ""]
    host.root(LOCK)
    begun = asked(host, incident, job, approve=planned["plan_id"])
    assert (begun["outcome"], begun["plan_id"]) == ("running", planned["plan_id"]), begun
    # Who began it is gone. Whoever asks finds it, and another job waits for its turn.
    host.root(HELPERS + "indexes() { pgrep --full 'index-job --id %d'; }; wait_until 20 indexes" % job)
    host.root(
        HELPERS + "waits() { [ $(sql 'SELECT count(*) FROM pg_locks WHERE NOT granted') != 0 ]; }; wait_until 10 waits"
    )
    again = asked(host, incident, job)
    assert (again["outcome"], again["action_id"]) == ("running", begun["action_id"])
    assert again["progress"]["waits"] is True
    assert [step["name"] for step in again["steps"]][-1] == "index"
    assert asked(host, incident, 1)["code"] == "indexing_running"
    # It is one transaction: no row shows it (contract 2.2).
    assert row(host, job)[0] == "completed"
    host.root(RELEASE)
    done = ended(host, incident, job, approve=planned["plan_id"])
    assert (done["outcome"], done["changed"], done["action_id"]) == ("applied", True, begun["action_id"]), done
    assert row(host, job)[:3] == ["indexed", "5", "5"]
    written = [path.partition("/")[0] for path in differing(before, files(host))]
    assert written == [".archive_state.json", "warc_verify"] or written == ["warc_verify"]
    assert asked(host, incident, job)["outcome"] == "nothing_to_do"
    anew = asked(host, incident, job, reindex=True)
    assert "REPLACED: 5 snapshots" in anew["plan"]["expected_impact"]
    assert asked(host, incident, job, reindex=True, approve=anew["plan_id"])["code"] == "budget_spent"
