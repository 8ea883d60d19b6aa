# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_indexing: a job is completed and nobody has indexed it; and its indexing takes some seconds."""

from __future__ import annotations

from ..steps import Step
from .recovery import WORKER, Recovery, faults, job_named, script

_NAME = "hc-never-indexed"
_DIRECTORY = "/srv/healtharchive/jobs/hc/never-indexed"
# Nobody writes into the table of snapshots until an indexing has begun and has waited in its transaction for some seconds.
_SLOW = """
cat >/run/holds-snapshots.sh <<'END'
{
    echo 'BEGIN; LOCK TABLE snapshots IN SHARE MODE;'
    until pgrep --full 'bin/healtharchive index-job' >/dev/null; do sleep 0.1; done
    sleep 4
    echo 'COMMIT;'
} | psql --quiet healtharchive
END
systemctl stop holds-snapshots 2>/dev/null || true
systemd-run --quiet --collect --unit=holds-snapshots --uid=postgres bash /run/holds-snapshots.sh
held() { [ "$(sql "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'snapshots'::regclass AND mode = 'ShareLock'")" = t ]; }
wait_until 20 held
"""
_KEEP = "cp --archive %s /var/tmp/kept\n" % _DIRECTORY
_AGAIN = """
systemctl stop holds-snapshots 2>/dev/null || true
rm -f /run/healtharchive-remediation/indexing.json
rm -rf {directory} && cp --archive /var/tmp/kept {directory}
sql "DELETE FROM snapshots WHERE job_id = (SELECT id FROM archive_jobs WHERE name = '{name}');
     UPDATE archive_jobs SET status = 'completed', indexed_page_count = 0 WHERE name = '{name}'"
""".format(directory=_DIRECTORY, name=_NAME)
RECOVERY = Recovery(
    playbook="recover_indexing",
    module="indexing",
    broken=faults("completed_never_indexed", then=_KEEP + _SLOW),
    again=script(_AGAIN + _SLOW),
    said=job_named(_NAME),
    completed=(
        "row \"name = '%s' AND status = 'indexed' AND indexed_page_count = 5\"" % _NAME,
        '[ "$(sql "SELECT count(*) FROM snapshots JOIN archive_jobs j ON j.id = job_id WHERE j.name = \'%s\'")" = 5 ]'
        % _NAME,
        "! systemctl is-active --quiet healtharchive-remediation-indexing",
        WORKER,
    ),
    # Whoever began it may be gone: it goes on.
    moves={"completed": ("completed", "indexed")},
    minutes=5,
    act_seconds=60,
    steps=(
        Step("what it is begun for noted", ("noted('indexing.json')",)),
        Step("the unit being started", ("runs('--unit=healtharchive-remediation-indexing.service')",)),
    ),
    # The report of verify-warcs, and the crawl's state.
    rewritten=r"^%s/(warc_verify/|\.archive_state\.json$)" % _DIRECTORY,
)
