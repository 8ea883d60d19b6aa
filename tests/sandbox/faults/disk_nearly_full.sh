# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the archive root has a small file system of its own, and a crawl's temporary files fill it to 88 %
# class: capacity
# next: du

scratch=$JOBS/cihr/filling

# A tmpfs of 64 MiB, so that the machine's own disk stays as it is.
break_it() {
    local kept size
    kept=$(mktemp -d)
    systemctl stop healtharchive-worker
    unmount_hot_paths
    cp --archive --one-file-system "$JOBS/." "$kept"
    mount -t tmpfs -o size=64m,mode=2775,uid=haadmin,gid=healtharchive archive-root "$JOBS"
    cp --archive "$kept/." "$JOBS"
    rm -rf -- "$kept"
    mount_hot_paths
    start_worker
    runuser -u haadmin -- mkdir -p "$scratch/.tmp1"
    size=$((64 * 1024 * 88 / 100 - $(used_kib)))
    runuser -u haadmin -- fallocate --length "${size}KiB" "$scratch/.tmp1/crawl.warc"
    [ "$(df --output=pcent "$JOBS" | tail -n 1 | tr -dc 0-9)" -ge 87 ]
}

used_kib() {
    df --output=used "$JOBS" | tail -n 1
}

unmount_hot_paths() {
    local path
    for path in $(findmnt --list --noheadings --output TARGET --types fuse.sshfs | tac); do
        case "$path" in "$JOBS"/*) umount "$path" ;; esac
    done
}

mount_hot_paths() {
    systemctl restart healtharchive-warc-tiering
    tier_annual_jobs
    ls "$JOBS"/imports/*/*.combined.log "$JOBS"/hc/*/*.combined.log
}

mend_it() {
    systemctl stop healtharchive-worker
    if mountpoint --quiet "$JOBS"; then
        unmount_hot_paths
        umount "$JOBS"
    fi
    mount_hot_paths
    start_worker
}

is_broken() {
    [ "$(df --output=pcent "$JOBS" | tail -n 1 | tr -dc 0-9)" -ge 85 ]
}
