# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a waiting job's option was patched to a text where a number belongs: every listing ends in a traceback
# class: config_drift
# next: tool_options

name=cihr-unlistable

break_it() {
    local id
    occupy_worker
    id=$(new_job cihr)
    place_job "$id" "$name" cihr/unlistable
    service patch-job-config --id "$id" --set-tool-option initial_workers=abc --apply
    job_is queued "$id"
    ! service list-jobs
}

mend_it() {
    release_worker
    forget_jobs "$name"
    start_worker
    service list-jobs
}

is_broken() {
    row "name = '$name' AND config -> 'tool_options' ->> 'initial_workers' = 'abc'"
}
