# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: after a reboot nobody bound a waiting annual job's directory from the box again: it is a plain directory of the disk
# class: storage
# next: vps-annual-output-tiering.py

name=hc-20240101
directory=$JOBS/hc/20240101T000502Z__$name

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(annual_job hc 2024 '{"initial_workers": 2, "max_container_restarts": 24}')
    runuser -u haadmin -- mkdir -p "$directory"
    start_worker
    # the worker may not mount: it fails on this job at every poll, and takes none behind it
    wait_until 60 tiering_fails "$id"
    job_is queued "$id"
}

tiering_fails() {
    journalctl --quiet --unit healtharchive-worker --since=-2min --grep "Annual output tiering failed for job $1"
}

mend_it() {
    systemctl stop healtharchive-worker
    # a recovery may have bound it to its place on the storage box
    if mountpoint --quiet "$directory"; then
        umount "$directory"
        rm -rf "/home/storagebox/jobs/${directory#"$JOBS"/}"
    fi
    forget_jobs "$name"
    # As hours later: the guest has annual jobs on its disk, and beside them an old line looks like a new one.
    journalctl --quiet --rotate
    journalctl --quiet --vacuum-size=1
    start_worker
}

is_broken() {
    row "name = '$name' AND status = 'queued'"
    [ -d "$directory" ]
    ! mountpoint --quiet "$directory"
}
