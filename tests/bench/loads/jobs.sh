# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# usage: jobs.sh COUNT   (that many jobs in the database, beside those that there are)
#
# Years of finished jobs, some that failed, and the queue of a campaign behind one crawl that keeps the worker busy.

sql "INSERT INTO archive_jobs (source_id, name, output_dir, status, retry_count, created_at, queued_at, started_at, finished_at,
         crawler_exit_code, crawler_status, indexed_page_count, warc_file_count)
     SELECT sources.id, sources.code || '-' || number, '/srv/healtharchive/jobs/' || sources.code || '/' || number, status,
         CASE status WHEN 'failed' THEN 2 WHEN 'retryable' THEN 1 ELSE 0 END,
         now() - number * interval '6 hours', now() - number * interval '6 hours',
         CASE WHEN status <> 'queued' THEN now() - number * interval '6 hours' END,
         CASE WHEN status <> 'queued' THEN now() - number * interval '6 hours' + interval '5 hours' END,
         CASE status WHEN 'queued' THEN NULL WHEN 'failed' THEN 1 ELSE 0 END,
         CASE status WHEN 'queued' THEN NULL WHEN 'failed' THEN 'failed' ELSE 'success' END,
         CASE status WHEN 'indexed' THEN 1200 ELSE 0 END, CASE status WHEN 'queued' THEN 0 ELSE 4 END
     FROM (SELECT number, CASE
             WHEN number % 100 < 90 THEN 'indexed'
             WHEN number % 100 < 95 THEN 'failed'
             WHEN number % 100 < 97 THEN 'index_failed'
             WHEN number % 100 < 98 THEN 'completed'
             WHEN number % 100 < 99 THEN 'retryable'
             ELSE 'queued' END AS status
         FROM generate_series(1, $1) AS number) AS made
     JOIN (SELECT id, code, row_number() OVER (ORDER BY id) - 1 AS position FROM sources) AS sources
         ON sources.position = made.number % 3;
     ANALYZE archive_jobs"
[ "$(sql "SELECT count(*) >= $1 FROM archive_jobs")" = t ]
