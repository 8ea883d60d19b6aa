# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Annual jobs that drifted, on a real database, without Ansible between; rows are read with SQL.

The molecule scenario reconcile_config goes through the playbook, the drill I11 an incident; `make configuration` kills it.
"""

from __future__ import annotations

from typing import Any

import pytest

from . import record
from .annual_options import REASON, asked, drifted, rows
from .storage import HELPERS

# The database keeps the configuration of one job as it is, and says nothing: the command says UPDATED, with exit code 0.
DEAF = r"""
sql "CREATE FUNCTION deaf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.config := OLD.config; RETURN NEW; END';
     CREATE TRIGGER deaf BEFORE UPDATE ON archive_jobs FOR EACH ROW WHEN (OLD.name = 'cihr-20250101') EXECUTE FUNCTION deaf()"
"""
HEARING = 'sql "DROP TRIGGER IF EXISTS deaf ON archive_jobs; DROP FUNCTION IF EXISTS deaf"\n'
WORKERS = "UPDATE archive_jobs SET config = jsonb_set(config::jsonb, '{tool_options,initial_workers}', '%d')::json WHERE id = %d"


@pytest.fixture
def desk(host):
    yield from drifted(host)
    host.root(HELPERS + HEARING)


def test_what_drifted_is_planned_set_and_read_back(host, desk):
    before = rows(desk)
    phac, cihr, hc = (before[name + "-20250101"]["id"] for name in ("phac", "cihr", "hc"))
    planned = asked(desk)
    assert planned["outcome"] == "planned", planned
    plan = planned["plan"]
    assert plan["subjects"] == ["job %d" % phac, "job %d" % cihr]

    def planned_of(job: int, key: str) -> Any:
        return tuple(plan[when]["job %d" % job][key] for when in ("before", "after"))

    assert planned_of(phac, "tool_options.initial_workers") == (1, 2)
    assert planned_of(cihr, "campaign_year") == (None, 2025)
    assert "page_limit=abc" in plan["left_out"]["job %d" % hc]
    # The one with a text for a number, alone; one of no campaign; one that is not there.
    imported = before["hc-2019"]["id"]
    refused = [asked(desk, jobs=[number])["code"] for number in (hc, imported, 4711, 0)]
    assert refused == ["wrong_type", "not_annual", "job_unknown", "bad_job_id"]
    token = desk.granted(no_repo_change_reason=REASON)["token"]
    assert asked(desk, approve=planned["plan_id"])["code"] == "clearance_missing"
    # Another plan than the one that was read.
    desk.run('%ssql "%s"' % (HELPERS, WORKERS % (7, cihr)))
    moved = asked(desk, approve=planned["plan_id"], clearance=token)
    assert moved["code"] == "plan_changed"
    assert rows(desk)["phac-20250101"] == before["phac-20250101"]

    # The database keeps one of them as it is: the command says that it is done, and is not believed.
    desk.run(HELPERS + DEAF)
    failed = asked(desk, approve=moved["evidence"]["plan_id"], clearance=token)
    desk.run(HELPERS + HEARING)
    assert (failed["outcome"], failed["code"], failed["changed"]) == ("failed", "not_all_changed", True), failed
    assert "Not changed: job %d" % cihr in failed["detail"]
    found = rows(desk)
    assert found["phac-20250101"]["config"] == {
        **before["phac-20250101"]["config"],
        "tool_options": {"initial_workers": 2, "max_container_restarts": 30, "depth": 3},
    }
    assert found["cihr-20250101"]["config"]["tool_options"]["initial_workers"] == 7

    done = asked(desk, approve=asked(desk)["plan_id"], clearance=token)
    assert (done["outcome"], done["changed"], done["plan"]["subjects"]) == ("applied", True, ["job %d" % cihr]), done
    desk.released(token)
    found = rows(desk)
    assert found["cihr-20250101"]["config"] == {
        **before["cihr-20250101"]["config"],
        "tool_options": {"initial_workers": 1, "max_container_restarts": 20},
        **{
            key: value
            for key, value in before["phac-20250101"]["config"].items()
            if key.startswith(("campaign", "scheduler"))
        },
    }
    assert {name for name, row in found.items() if row != before[name]} == {"phac-20250101", "cihr-20250101"}
    assert record.kinds(record.events(host)).count("action_begun") == 2
