# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a job was crawled outside of the worker, which indexes only what it has crawled itself; nobody ran index-job since
# class: stale_state
# next: --status completed

name=hc-never-indexed

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job hc)
    place_job "$id" "$name" hc/never-indexed
    service run-db-job --id "$id"
    job_is completed "$id"
    sql "UPDATE archive_jobs SET started_at = now() - interval '4 hours', finished_at = now() - interval '3 hours' WHERE id = $id"
    start_worker
}

mend_it() {
    forget_jobs "$name"
}

is_broken() {
    row "name = '$name' AND status = 'completed'"
}
