# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a site stopped answering two hours ago: the crawl lives and holds its lock, its counter stands still
# class: crawler_compatibility
# next: combined.log

name=phac-stalled
directory=$JOBS/phac/stalled

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job phac)
    place_job "$id" "$name" phac/stalled '{"simulated_seconds": 36000, "simulated_pages": 36000, "simulated_stall_after_pages": 2}'
    crawl_detached fault-stalled-crawl "$id"
    wait_until 30 site_is_silent
    log_earlier "$directory"/*.combined.log 2
    sql "UPDATE archive_jobs SET created_at = now() - interval '2 hours 1 minute', queued_at = now() - interval '2 hours 1 minute',
             started_at = now() - interval '2 hours' WHERE id = $id"
    start_worker
    job_is running "$id"
    wait_until 20 silent_often
}

site_is_silent() {
    grep --quiet 'Navigation timeout' "$directory"/*.combined.log
}

silent_often() {
    [ "$(grep --count 'Navigation timeout' "$directory"/*.combined.log)" -ge 5 ]
}

mend_it() {
    systemctl stop healtharchive-worker
    if systemctl is-active --quiet fault-stalled-crawl; then
        systemctl stop fault-stalled-crawl
    fi
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'running'"
    systemctl is-active --quiet fault-stalled-crawl
}
