# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: sshfs died and the storage was mounted anew, but replay's container gets no mounts of the host: it holds the dead one
# class: storage
# next: healtharchive-replay

base=/srv/healtharchive/storagebox
without_propagation=/run/systemd/system/healtharchive-replay.service.d/mounts.conf

break_it() {
    local path
    mkdir -p "${without_propagation%/*}"
    printf '[Service]\nMountFlags=private\n' >"$without_propagation"
    systemctl daemon-reload
    systemctl restart healtharchive-replay
    wait_until 20 replay_answers 200 1
    # all that an operator does after such a death (contract 4.4), but for the restart of replay
    systemctl kill --kill-whom=main --signal=KILL healtharchive-storagebox-sshfs
    wait_until 10 dead "$base"
    for path in $(findmnt --list --noheadings --output TARGET --types fuse.sshfs | tac); do
        umount --lazy "$path"
    done
    systemctl restart healtharchive-storagebox-sshfs
    systemctl restart healtharchive-warc-tiering
    tier_annual_jobs
    ls "$JOBS"/imports/*/*.combined.log "$JOBS"/hc/*/*.combined.log
    curl --silent --fail --output /dev/null http://127.0.0.1:8090/
    wait_until 20 replay_answers 503 1
}

dead() {
    local said
    said=$(LC_ALL=C stat "$1" 2>&1) && return 1
    [[ $said == *"Transport endpoint is not connected"* ]]
}

is_broken() {
    replay_answers 503 1
}

mend_it() {
    rm -f "$without_propagation"
    systemctl daemon-reload
    systemctl restart healtharchive-replay
    wait_until 20 replay_answers 200 1
}
