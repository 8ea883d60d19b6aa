# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What make test leaves out of the recoveries of configuration: `make configuration`."""

from __future__ import annotations

import pytest

from .annual_options import REASON, asked, drifted, rows
from .asking import Desk
from .storage import HELPERS
from .test_failed_jobs import KILL_WHO_ACTS, wait_until

HOLD = """systemd-run --quiet --collect --unit=hold-row --uid=postgres sh -c \\
    "(echo 'begin; select 1 from archive_jobs where id = %d for update;'; sleep 60) | psql -d healtharchive"
"""
STARTS = r"""
sql "CREATE FUNCTION starts() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
         NEW.status := ''running'';
         NEW.config := (NEW.config::jsonb - ''campaign_kind'' - ''campaign_year'' - ''campaign_date''
             - ''scheduler_version'')::json;
         RETURN NEW; END';
     CREATE TRIGGER starts BEFORE UPDATE ON archive_jobs FOR EACH ROW WHEN (OLD.id = %d) EXECUTE FUNCTION starts()"
"""


@pytest.fixture
def desk(host):
    yield from drifted(host)
    host.ssh("sudo systemctl stop hold-row", check=False)


def test_killed_while_it_waits_for_a_row_the_next_run_says_so_and_does_it(host, desk):
    before = rows(desk)
    cihr = before["cihr-20250101"]["id"]
    token = desk.granted(no_repo_change_reason=REASON)["token"]
    planned = asked(desk, jobs=[cihr])
    host.root(HOLD % cihr)
    options = {"jobs": [cihr], "approve": planned["plan_id"], "clearance": token}
    desk.begin(do="change", module="campaign.action", action="AnnualToolOptions", check=False, options=options)
    wait_until(lambda: "--apply" in host.ssh("pgrep -af 'healtharchive reconcile-annua[l]' || true").stdout)
    host.root(KILL_WHO_ACTS)
    host.ssh("sudo systemctl stop hold-row")
    again = Desk(host, desk.incident)
    try:
        assert rows(again) == before
        done = asked(again, jobs=[cihr], approve=planned["plan_id"], clearance=token)
        assert [(each["action"], each["outcome"]) for each in done["settled"]] == [("annual-tool-options", "failed")]
        assert (done["outcome"], done["changed"]) == ("applied", True), done
        assert rows(again)["cihr-20250101"]["config"]["campaign_kind"] == "annual"
        again.released(token)
    finally:
        again.close()


def test_a_first_start_meanwhile_is_told_and_the_next_plan_holds(host, desk):
    """The worker starts the job between the command and the look: its first start drops the metadata."""
    cihr = rows(desk)["cihr-20250101"]["id"]
    token = desk.granted(no_repo_change_reason=REASON)["token"]
    # Whoever sets the row also starts the job, as the service does, in the same transaction.
    started = STARTS % cihr
    ended = 'sql "DROP TRIGGER starts ON archive_jobs; DROP FUNCTION starts"'
    desk.run(HELPERS + started)
    done = asked(desk, jobs=[cihr], approve=asked(desk, jobs=[cihr])["plan_id"], clearance=token)
    desk.run(HELPERS + ended)
    assert (done["outcome"], done["code"], done["changed"]) == ("failed", "started_meanwhile", True), done
    planned = asked(desk, jobs=[cihr])
    assert any("runs now, and keeps its options" in remark for remark in planned["plan"]["remarks"])
    done = asked(desk, jobs=[cihr], approve=planned["plan_id"], clearance=token)
    assert done["outcome"] == "applied", done
    assert rows(desk)["cihr-20250101"]["config"]["campaign_year"] == 2025
    desk.released(token)
