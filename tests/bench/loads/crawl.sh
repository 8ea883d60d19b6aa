# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# usage: crawl.sh BYTES   (a crawl of the worker's own that runs for hours, its log at least that long)

systemctl stop healtharchive-worker
id=$(new_job hc)
service patch-job-config --id "$id" --set-tool-option simulated_seconds=14400 --apply >&2
# before all that other loads may have queued
sql "UPDATE archive_jobs SET queued_at = '2020-01-01' WHERE id = $id"
start_worker
directory=$(sql "SELECT output_dir FROM archive_jobs WHERE id = $id")

crawl_writes() {
    grep --quiet crawled "$directory"/*.combined.log
}
wait_until 30 crawl_writes
[ "$(sql "SELECT status FROM archive_jobs WHERE id = $id")" = running ]

log=$(echo "$directory"/*.combined.log)
if [ "$1" -gt 0 ]; then
    # What the crawl says itself, over and over: it goes on writing behind it.
    line=$(grep --max-count=1 crawled "$log")
    (set +o pipefail; yes "$line" | head --bytes="$1" >>"$log"; echo >>"$log")
fi
[ "$(stat -c %s "$log")" -ge "$1" ]
