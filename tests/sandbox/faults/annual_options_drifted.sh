# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: an annual job was scheduled with the options of older code; nobody reconciled it after the deploy that changed them
# class: config_drift
# next: reconcile-annual-tool-options

name=phac-20250101

break_it() {
    local id
    occupy_worker
    id=$(annual_job phac 2025 '{"initial_workers": 1, "max_container_restarts": 20}')
    job_is queued "$id"
    service reconcile-annual-tool-options --year 2025 --sources phac | grep 'WOULD UPDATE'
}

mend_it() {
    release_worker
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'queued' AND config -> 'tool_options' ->> 'initial_workers' = '1'"
}
