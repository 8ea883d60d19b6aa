# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: sshfs was killed and mounted anew under the old bind mounts: the base is well, every hot path answers Errno 107
# class: storage
# next: umount

base=/srv/healtharchive/storagebox

break_it() {
    systemctl kill --kill-whom=main --signal=KILL healtharchive-storagebox-sshfs
    wait_until 10 dead "$base"
    umount --lazy "$base"
    systemctl restart healtharchive-storagebox-sshfs
    wait_until 30 ls "$base/jobs"
    # the tiering unit is restarted with it, and gives up at the first stale path
    wait_until 30 tiering_is_done
    dead "$JOBS/imports/hc-2019"
    dead "$JOBS/imports/cihr-2020"
}

tiering_is_done() {
    ! unit_is activating healtharchive-warc-tiering
}

dead() {
    local said
    said=$(LC_ALL=C stat "$1" 2>&1) && return 1
    [[ $said == *"Transport endpoint is not connected"* ]]
}

mend_it() {
    local path
    for path in $(findmnt --list --noheadings --output TARGET --types fuse.sshfs | tac); do
        if [ "$path" != "$base" ]; then
            umount --lazy "$path"
        fi
    done
    systemctl reset-failed healtharchive-storagebox-sshfs healtharchive-warc-tiering
    systemctl restart healtharchive-storagebox-sshfs
    systemctl restart healtharchive-warc-tiering
    tier_annual_jobs
    ls "$JOBS"/imports/*/*.combined.log "$JOBS"/hc/*/*.combined.log
}

is_broken() {
    dead "$JOBS/imports/hc-2019"
    dead "$JOBS/imports/cihr-2020"
}
