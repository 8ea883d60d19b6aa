# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: three detached crawls were killed at once while the worker was down; one row lost its start time as well
# class: stale_state
# next: recover-stale-jobs

sources=(hc phac cihr)

break_it() {
    local source id ids=()
    systemctl stop healtharchive-worker
    for source in "${sources[@]}"; do
        id=$(new_job "$source")
        place_job "$id" "$source-killed-together" "$source/killed-together" '{"simulated_seconds": 3600}'
        crawl_detached "fault-crawl-$source" "$id"
        ids+=("$id")
    done
    for source in "${sources[@]}"; do
        wait_until 30 crawl_writes "$JOBS/$source/killed-together"
        kill_crawl "fault-crawl-$source" "$JOBS/$source/killed-together"
    done
    for id in "${ids[@]}"; do
        age_job "$id" 5
        job_is running "$id"
    done
    sql "UPDATE archive_jobs SET started_at = NULL WHERE id = ${ids[2]}"
}

mend_it() {
    local source
    systemctl stop healtharchive-worker
    for source in "${sources[@]}"; do
        if systemctl is-active --quiet "fault-crawl-$source"; then
            systemctl stop "fault-crawl-$source"
        fi
        forget_jobs "$source-killed-together"
    done
    start_worker
}

is_broken() {
    local source
    for source in "${sources[@]}"; do
        row "name = '$source-killed-together' AND status = 'running'
             AND (started_at IS NULL OR started_at < now() - interval '1 hour')"
    done
}
