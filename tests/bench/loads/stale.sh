# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# usage: stale.sh COUNT   (that many jobs that say running and that nothing has run for five hours, with their logs)
#
# The worker is stopped: it would heal them within a poll.

systemctl stop healtharchive-worker
sql "INSERT INTO archive_jobs (source_id, name, output_dir, status, retry_count, created_at, queued_at, started_at)
     SELECT sources.id, 'stale-' || number, '$JOBS/' || sources.code || '/stale-' || number, 'running', 0,
         now() - interval '6 hours', now() - interval '6 hours', now() - interval '5 hours'
     FROM generate_series(1, $1) AS number
     JOIN (SELECT id, code, row_number() OVER (ORDER BY id) - 1 AS position FROM sources) AS sources
         ON sources.position = number % 3;
     ANALYZE archive_jobs"
sql "SELECT output_dir FROM archive_jobs WHERE name LIKE 'stale-%'" | runuser -u haadmin -- python3 -c '
import datetime, os, sys
quiet = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=5)
line = "{\"timestamp\":\"%s\",\"context\":\"crawlStatus\",\"message\":\"Crawl statistics\",\"details\":{\"crawled\":%d,\"total\":900,\"pending\":1,\"failed\":0}}\n"
for directory in sys.stdin.read().split():
    os.makedirs(directory)
    with open(directory + "/archive_new_crawl_-_attempt_1_20260101_000000.combined.log", "w") as log:
        for crawled in range(400):
            moment = quiet - datetime.timedelta(seconds=400 - crawled)
            log.write(line % (moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), crawled))
'
[ "$(sql "SELECT count(*) = $1 FROM archive_jobs WHERE status = 'running'")" = t ]
