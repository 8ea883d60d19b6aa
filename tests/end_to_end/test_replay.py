# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay that holds a dead view of the archive, that is dead, or whose index is gone: a real mount name space and a real sshfs.

The module's own code, without Ansible between; looked at with curl, systemctl and checksums. The molecule scenario recover_replay
goes through the playbook.
"""

from __future__ import annotations

import functools

import pytest

from . import record
from .storage import ARCHIVE, HELPERS, asked
from .test_incident import Controller, put_utilities

# As the service's own: it asks one page, and writes what it saw.
SMOKE = r"""
cat >/run/smoke.sh <<'END'
code=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:8090/job-1/$(
    sed -n '1s/.*"url": "\([^"]*\)".*/\1/p' /srv/healtharchive/replay/collections/job-1/indexes/index.cdxj)")
echo "healtharchive_replay_smoke_ok{job_id=\"1\",source=\"hc\"} $([ "$code" = 200 ] && echo 1 || echo 0)" \
    >/var/lib/node_exporter/textfile_collector/healtharchive_replay_smoke.prom
END
printf '[Service]\nType=oneshot\nExecStart=/bin/bash /run/smoke.sh\n' >/run/systemd/system/healtharchive-replay-smoke.service
systemctl daemon-reload
"""
NO_SMOKE = """
rm -f /run/smoke.sh /run/systemd/system/healtharchive-replay-smoke.service
rm -f /var/lib/node_exporter/textfile_collector/healtharchive_replay_smoke.prom
systemctl daemon-reload
"""
PROCESSES = "systemctl show --property=MainPID healtharchive-worker healtharchive-api"
PHAC = "phac/20260108T140000Z__phac-20260101"
INDEX = "/srv/healtharchive/replay/collections/job-4/indexes/index.cdxj"


@pytest.fixture
def replay(host, tmp_path):
    """Asks the module's code, in an open incident. No file of the archive is another one afterwards, and no process of the
    worker or the API."""
    controller = Controller(host, tmp_path)
    assert controller.run("open_incident", "-e", "title=Replay", "-e", "severity=sev3").rc == 0
    (incident,) = controller.notes()
    put_utilities(host)
    # The worker is idle.
    before = host.root(ARCHIVE), host.ssh(PROCESSES).stdout
    assert before[0].count(".warc.gz") >= 5
    yield functools.partial(asked, host, incident, what=("replays", "Replay"))
    assert (host.root(ARCHIVE), host.ssh(PROCESSES).stdout) == before
    host.root(NO_SMOKE)
    host.ssh("sudo rm -rf " + record.DIRECTORY)


def test_a_dead_view_of_the_archive_is_a_restart_and_what_is_gone_is_told(host, replay, broken):
    broken("replay_target_failing")
    # Beside it the index of job 4 is gone, and job 5's is as it should be.
    planned = replay("%s\nmv %s /run/index.kept" % (SMOKE, INDEX), jobs=[4, 5])
    assert planned["outcome"] == "planned", planned
    pages = ["replay job-1", "replay job-2", "replay job-3"]
    assert planned["plan"]["subjects"] == ["unit healtharchive-replay.service", *pages, "collection job-4"]
    assert list(planned["plan"]["left_out"]) == ["collection job-5"]
    host.root(HELPERS + "replay_answers 503 1; [ ! -e %s ]" % INDEX)
    done = replay(act=True, jobs=[4, 5])
    assert (done["outcome"], done["plan"]["commands"]) == ("applied", planned["plan"]["commands"]), done
    assert "own smoke check is well" in done["detail"]
    host.root(HELPERS + "for job in 1 2 3 4 5; do replay_answers 200 $job; done; cmp %s /run/index.kept" % INDEX)
    # A file that is gone is brought back by no restart; a dead unit is started.
    refused = replay("mv $JOBS/%s /run/phac.kept" % PHAC)
    host.root(HELPERS + "mv /run/phac.kept $JOBS/%s" % PHAC)
    assert refused["code"] == "archive_file_missing", refused
    dead = replay("systemctl stop healtharchive-replay")
    assert [argv[1:2] for argv in dead["plan"]["commands"]] == [["reset-failed"], ["start"], ["start"]]
    host.root("systemctl start healtharchive-replay")
