# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a crawl was killed five hours ago while the worker was down: its row still says running, its lock is free
# class: stale_state
# next: recover-stale-jobs

name=phac-killed
directory=$JOBS/phac/killed

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job phac)
    # a crawl that would take an hour, killed as soon as it writes
    place_job "$id" "$name" phac/killed
    crawl_detached fault-crawl "$id"
    wait_until 30 crawl_writes "$directory"
    kill_crawl fault-crawl "$directory"
    age_job "$id" 5
    job_is running "$id"
}

mend_it() {
    systemctl stop healtharchive-worker
    if systemctl is-active --quiet fault-crawl; then
        systemctl stop fault-crawl
    fi
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'running' AND started_at < now() - interval '1 hour'"
}
