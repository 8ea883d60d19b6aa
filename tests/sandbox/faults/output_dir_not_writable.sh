# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a job was first run as root, so its output directory is root's: every attempt of the worker fails, and none is left
# class: storage
# next: findmnt

name=cihr-of-root
directory=$JOBS/cihr/20260105T000000Z__cihr-of-root

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job cihr)
    place_job "$id" "$name" cihr/20260105T000000Z__cihr-of-root '{"simulated_exit_code": 1}'
    run_as_root "$id" && return 1
    service retry-job --id "$id"
    start_worker
    wait_until 60 job_is failed "$id"
    journalctl --quiet --unit healtharchive-worker --since=-2min --grep "$directory is invalid or not writable"
}

run_as_root() {
    (
        set -a
        # shellcheck disable=SC1091
        source /etc/healtharchive/backend.env
        cd "$CHECKOUT" || return
        PYTHONDONTWRITEBYTECODE=1 .venv/bin/healtharchive run-db-job --id "$1"
    )
}

mend_it() {
    systemctl stop healtharchive-worker
    forget_jobs "$name"
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'failed'"
    [ "$(stat --format %U "$directory")" = root ]
    journalctl --quiet --unit healtharchive-worker --lines=1 --grep "$directory is invalid or not writable"
}
