# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a detached crawl was killed five hours ago; the worker, busy with a healthy crawl, has not healed its row
# class: stale_state
# next: recover-stale-jobs

name=phac-killed-beside
directory=$JOBS/phac/killed-beside

break_it() {
    local id
    occupy_worker
    id=$(new_job phac)
    place_job "$id" "$name" phac/killed-beside '{"simulated_seconds": 3600}'
    crawl_detached fault-crawl-beside "$id"
    wait_until 30 crawl_writes "$directory"
    kill_crawl fault-crawl-beside "$directory"
    age_job "$id" 5
    job_is running "$id"
}

mend_it() {
    if systemctl is-active --quiet fault-crawl-beside; then
        systemctl stop fault-crawl-beside
    fi
    release_worker
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'running' AND started_at < now() - interval '1 hour'"
    row "name = '$busy' AND status = 'running'"
}
