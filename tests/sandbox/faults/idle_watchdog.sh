# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a crawl has stood still for three hours, its watchdog is enabled and runs, and does nothing about it
# class: automation
# next: crawl-auto-recover

name=hc-neglected
directory=$JOBS/hc/neglected
sentinel=/etc/healtharchive/crawl-auto-recover-enabled
state=/srv/healtharchive/ops/watchdog/crawl-auto-recover.json
metrics=/var/lib/node_exporter/textfile_collector/healtharchive_crawl.prom

# The crawl is real. The watchdog is not installed here: its state and the metrics are written as a run leaves them.
break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job hc)
    place_job "$id" "$name" hc/neglected '{"simulated_seconds": 36000, "simulated_pages": 36000, "simulated_stall_after_pages": 2}'
    crawl_detached fault-neglected-crawl "$id"
    wait_until 40 crawl_stands_still
    sql "UPDATE archive_jobs SET started_at = now() - interval '4 hours' WHERE id = $id"
    start_worker
    job_is running "$id"
    touch "$sentinel"
    echo '{"recoveries": {}, "starts": {}, "recovery_progress": {}, "degraded_streaks": {}, "scope_rewrites_total": 0}' >"$state"
    cat >"$metrics" <<END
healtharchive_crawl_metrics_ok 1
healtharchive_crawl_metrics_timestamp_seconds $(date +%s)
healtharchive_crawl_running_job_stalled{job_id="$id",source="hc"} 1
healtharchive_crawl_running_job_last_progress_age_seconds{job_id="$id",source="hc"} 10800
END
}

crawl_stands_still() {
    grep --quiet "Navigation timeout" "$directory"/*.combined.log
}

mend_it() {
    rm -f "$sentinel" "$state" "$metrics"
    systemctl stop healtharchive-worker
    if systemctl is-active --quiet fault-neglected-crawl; then
        systemctl stop fault-neglected-crawl
    fi
    forget_jobs "$name"
    start_worker
}

is_broken() {
    [ -e "$sentinel" ]
    row "name = '$name' AND status = 'running'"
    systemctl is-active --quiet fault-neglected-crawl
    # what is older than 15 minutes was not written by a watchdog that runs
    [ -n "$(find "$metrics" -mmin -12)" ]
}
