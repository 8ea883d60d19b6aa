# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What replay serves, what runs, and what is on record, looked at without the collection."""

from __future__ import annotations

import json
import re

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"
INDEX = "/srv/healtharchive/replay/collections/job-%d/indexes/index.cdxj"


def test_replay_serves_a_page_of_each_collection(host):
    with host.sudo():
        for job in range(1, 6):
            url = re.search('"url": "([^"]+)"', host.check_output("head -n 1 %s", INDEX % job)).group(1)
            said = host.check_output("curl -s -o /dev/null -w '%%{http_code}' http://127.0.0.1:8090/job-%s/%s", str(job), url)
            assert said == "200"


def test_what_was_not_touched_runs_still(host):
    for unit in ("healtharchive-worker", "healtharchive-warc-tiering", "healtharchive-api", "healtharchive-replay"):
        assert host.service(unit).is_running


def test_the_record_has_one_recovery_and_what_was_seen(host):
    with host.sudo():
        events = [json.loads(line) for line in host.check_output("cat %s", LOG).splitlines()]
    finished = [event["data"] for event in events if event["kind"] == "action_finished"]
    assert [(each["outcome"], each["changed"]) for each in finished] == [("applied", True)]


def test_the_deploy_lock_is_free(host):
    assert host.run("flock --nonblock --shared /tmp/healtharchive-deploy.lock true").rc == 0
