# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a crawl was killed while it wrote its resume file: every attempt resumes from nothing and ends at once
# class: stale_state
# next: combined.log

name=hc-poisoned
directory=$JOBS/hc/poisoned

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job hc)
    place_job "$id" "$name" hc/poisoned
    crawl_detached fault-poisoned-crawl "$id"
    wait_until 30 crawl_writes "$directory"
    kill_crawl fault-poisoned-crawl "$directory"
    runuser -u haadmin -- truncate --size 0 "$directory/.zimit_resume.yaml"
    sql "UPDATE archive_jobs SET started_at = now() - interval '5 hours' WHERE id = $id"
    service recover-stale-jobs --older-than-minutes 180 --source hc --apply
    start_worker
    wait_until 60 job_is failed "$id"
    grep --quiet 'looks probably mostly empty' "$directory"/*.combined.log
}

mend_it() {
    systemctl stop healtharchive-worker
    if systemctl is-active --quiet fault-poisoned-crawl; then
        systemctl stop fault-poisoned-crawl
    fi
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'failed'"
    [ ! -s "$directory/.zimit_resume.yaml" ]
}
