# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host under attack: what it is like, seen without the collection, and how it is put back between two attempts."""

from __future__ import annotations

import difflib
import re
from typing import Any, Dict, List, NamedTuple

from end_to_end import record
from end_to_end.conftest import Host

# The job that every attempt wants to change. Nothing on the host takes it up by itself: its worker is stopped.
JOB = 901
_MARK = "=== the record"

# What the scripts of the ways round are written in.
HELPERS = r"""
CHECKOUT=/opt/healtharchive
RUNTIME=/run/healtharchive-remediation
PERMIT=$RUNTIME/clearance.json
HOLDER=healtharchive-remediation-clearance.service
DEPLOY_LOCK=/tmp/healtharchive-deploy.lock
RECORD=/srv/healtharchive/ops/remediation
KEPT=/var/lib/kept
JOB=901
cd /
as_owner() { runuser -u haadmin -- "$@"; }
sql() { runuser -u postgres -- psql --quiet --no-psqlrc -At --set ON_ERROR_STOP=1 healtharchive --command "$1"; }
end_holder() { systemctl stop healtharchive-remediation-clearance-end.timer $HOLDER 2>/dev/null || true; }
wait_for_api() { timeout 60 bash -c 'until curl -sf -m 2 -o /dev/null http://127.0.0.1:8001/api/health; do sleep 0.2; done'; }
# usage: edit_permit PYTHON   (with the permit as p)
edit_permit() {
    python3 -c 'import json, os, sys
path = sys.argv[1]
with open(path, "r+") as file:
    p = json.load(file)
    exec(sys.argv[2])
    file.seek(0); file.truncate(); json.dump(p, file)' "$PERMIT" "$1"
}
# All of the checkout but its environment; with times, so that nothing is newer than the processes that run.
copy_checkout() { find "$1" -mindepth 1 -maxdepth 1 ! -name .venv -exec cp -a --target-directory="$2" {} +; }
keep_checkout() {
    mkdir -p $KEPT/checkout
    copy_checkout $CHECKOUT $KEPT/checkout
    touch -r $CHECKOUT $KEPT/checkout
    touch -r $(echo $CHECKOUT/.venv/lib/python3*/site-packages) $KEPT/site-packages
}
put_checkout_back() {
    find $CHECKOUT -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
    copy_checkout $KEPT/checkout $CHECKOUT
    touch -r $KEPT/checkout $CHECKOUT
    touch -r $KEPT/site-packages $(echo $CHECKOUT/.venv/lib/python3*/site-packages)
}
"""

# Rows, units, mounts; then names, owners, modes, times and contents of files. For the contents of the virtual environment stands
# when each file was last changed in any way, which no write leaves as it was. Left out by name is what belongs to the collection
# itself (its record), and the service's lock file, of which only the holder counts. What find cannot look at, a dead mount, is a
# line of what is compared, too.
_STATE = r"""
sql "select 'jobs', to_jsonb(t) from archive_jobs t union all select 'sources', to_jsonb(t) from sources t
    union all select 'snapshots', to_jsonb(t) from snapshots t union all select 'schema', to_jsonb(t) from alembic_version t
    order by 1, 2"
systemctl show --property=Id,LoadState,ActiveState,SubState,MainPID,ExecMainStartTimestampMonotonic,NRestarts,UnitFileState \
    healtharchive-{api,worker,replay,storagebox-sshfs,warc-tiering}.service {caddy,postgresql@15-main,ssh,cron}.service
systemctl list-units --all --plain --no-legend 'healtharchive*' | grep -v healtharchive-remediation | tr -s ' '
findmnt -rn --output TARGET,SOURCE,FSTYPE | grep -v '^/run/user' | sort
{ find /srv /etc /opt /usr/local /home /tmp -xdev \
    \( -path $RECORD -o -path '/tmp/systemd-private-*' -o -path '/tmp/ansible*' -o -path $DEPLOY_LOCK \
    -o -path /home/haadmin \) -prune \
    -o -path /tmp -o -path ${RECORD%/*} -o -printf '%p %u:%g %m %T@ %s %l\n' || true; } | sort
{ find /srv /etc/healtharchive /etc/systemd /opt /home/storagebox -xdev \( -path $RECORD -o -path $CHECKOUT/.venv \) -prune \
    -o -type f -exec sha256sum {} + || true; } | sort -k2
find $CHECKOUT/.venv -type f -printf '%p %C@\n' | sort
"""

_SET_UP = r"""
systemctl stop healtharchive-worker
as_owner mkdir /srv/healtharchive/jobs/hc/bypass-901
sql "insert into archive_jobs (id, source_id, name, output_dir, status, retry_count, config, crawler_status, crawler_exit_code,
    queued_at, started_at, finished_at)
    select 901, source_id, 'bypass-901', '/srv/healtharchive/jobs/hc/bypass-901', 'failed', 2,
    config::jsonb - 'campaign_kind' - 'campaign_year', 'failed', 1,
    now() - interval '3 hours', now() - interval '2 hours', now() - interval '1 hour' from archive_jobs where id = 3"
mkdir -p $KEPT
[ -e $DEPLOY_LOCK ] || as_owner touch $DEPLOY_LOCK
keep_checkout
"""

_KEEP = r"""
rm -rf $KEPT/record && cp -a $RECORD $KEPT/record
sql "copy (select to_jsonb(t) from archive_jobs t where id = $JOB) to stdout" >$KEPT/row
"""

_PUT_BACK = r"""
rm -rf $RECORD && cp -a $KEPT/record $RECORD
sql "begin; delete from archive_jobs where id = $JOB;
insert into archive_jobs select (jsonb_populate_record(null::archive_jobs, '$(sed "s/'/''/g" $KEPT/row)')).*; commit"
"""


class State(NamedTuple):
    """What the host is like, line by line, and what its record says."""

    lines: List[str]
    events: List[Dict[str, Any]]

    def difference(self, before: "State", restless: str = "") -> str:
        """Empty when nothing is different; what names that path is left out."""
        sides = [[line for line in each.lines if not restless or restless not in line] for each in (before, self)]
        return "\n".join(difflib.unified_diff(*sides, "before", "after", lineterm="", n=0))

    def new_events(self, before: "State") -> List[Dict[str, Any]]:
        assert self.events[: len(before.events)] == before.events, "the record was rewritten"
        return self.events[len(before.events) :]


class Target:
    """The sandbox host, with one failed job to be recovered, and a commit on origin/main that is not deployed."""

    def __init__(self, host: Host) -> None:
        self.host = host
        host.sandbox("break", "undeployed_commits", "--name", host.name)
        self.script(_SET_UP)
        said = self.script(
            "as_owner git -C $CHECKOUT rev-parse HEAD HEAD~1\nas_owner git -C /srv/git/healtharchive.git rev-parse main"
        ).split()
        self.head, self.former, self.undeployed = said

    def script(self, text: str, **variables: str) -> str:
        """Run a script of a way round as root; what it printed."""
        given = "".join("%s=%s\n" % item for item in variables.items())
        assert all(re.fullmatch(r"[-\w./]*", value) for value in variables.values())
        return self.host.root(HELPERS + given + text)

    def keep(self) -> None:
        """Remember the record and the row of now."""
        self.script(_KEEP)

    def put_back(self, clearance_too: bool) -> None:
        """The record and the row that were kept; on demand no clearance."""
        self.script(("end_holder\nrm -rf $RUNTIME\n" if clearance_too else "") + _PUT_BACK)

    def state(self, first: str = "", then: str = "", **variables: str) -> State:
        """The host as it is between these two scripts."""
        script = "%s\necho '%s'\n{ %s\n} 2>&1; echo '%s'\ncat $RECORD/audit.jsonl\n{ %s\n} >/dev/null"
        text = self.script(
            script % ("{ %s\n} >/dev/null" % (first or ":"), _MARK, _STATE, _MARK, then or ":"), **variables
        )
        _first, lines, log = text.split(_MARK + "\n")
        return State(lines.splitlines(), record.follow(log.encode("ascii")))

    def job(self) -> str:
        """Status and retry count of the job."""
        return self.script('sql "select status, retry_count from archive_jobs where id = $JOB"').strip()
