# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the worker was stopped, and a job waits in the queue
# class: service
# next: healtharchive-worker

name=cihr-waiting

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job cihr)
    sql "UPDATE archive_jobs SET name = '$name', output_dir = '$JOBS/cihr/waiting' WHERE id = $id"
    unit_is inactive healtharchive-worker
}

mend_it() {
    systemctl stop healtharchive-worker
    forget_jobs "$name"
    start_worker
}

is_broken() {
    unit_is inactive healtharchive-worker
    row "name = '$name' AND status = 'queued'"
}
