# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a job lost its source: it waits for ever, for neither the listings nor the worker see it
# class: config_drift
# next: source_id IS NULL

name=no-source

break_it() {
    local id
    occupy_worker
    id=$(new_job cihr)
    place_job "$id" "$name" no-source
    sql "UPDATE archive_jobs SET source_id = NULL WHERE id = $id"
    job_is queued "$id"
    ! listed
}

listed() {
    service list-jobs | grep "$name"
}

mend_it() {
    release_worker
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'queued' AND source_id IS NULL"
}
