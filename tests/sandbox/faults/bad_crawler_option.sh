# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a job was given a browser option that the crawler does not know: it fails at once and is never retried
# class: config_drift
# next: combined.log

name=cihr-bad-option

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job cihr)
    place_job "$id" "$name" cihr/bad-option
    sql "UPDATE archive_jobs SET config = (config::jsonb ||
             '{\"zimit_passthrough_args\": [\"--extraChromeArgs\", \"--disable-http2\"]}')::json WHERE id = $id"
    start_worker
    wait_until 60 job_is failed "$id"
    [ "$(sql "SELECT crawler_status FROM archive_jobs WHERE id = $id")" = infra_error_config ]
}

mend_it() {
    systemctl stop healtharchive-worker
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'failed' AND crawler_status = 'infra_error_config'"
}
