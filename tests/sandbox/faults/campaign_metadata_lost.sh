# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a waiting annual job was patched, and that drops its campaign metadata: annual tiering no longer knows the job
# class: config_drift
# next: reconcile-annual-tool-options

name=cihr-20250101

break_it() {
    local id
    occupy_worker
    id=$(annual_job cihr 2025 '{"initial_workers": 1, "max_container_restarts": 20}')
    service patch-job-config --id "$id" --set-tool-option depth=3 --apply
    job_is queued "$id"
    [ "$(sql "SELECT config ->> 'campaign_kind' IS NULL FROM archive_jobs WHERE id = $id")" = t ]
}

mend_it() {
    release_worker
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'queued' AND config ->> 'campaign_kind' IS NULL"
}
