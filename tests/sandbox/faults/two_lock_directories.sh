# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the lock directory was moved with an `export` line, as documented: systemd drops it, a shell that sources it does not
# class: config_drift
# next: HEALTHARCHIVE_JOB_LOCK_DIR

file=/etc/healtharchive/backend.env

break_it() {
    sed -i 's/^HEALTHARCHIVE_JOB_LOCK_DIR=/export &/' "$file"
    restart_services
    ! lock_directory_of api && grep --quiet '^export HEALTHARCHIVE_JOB_LOCK_DIR=' "$file"
}

restart_services() {
    systemctl restart healtharchive-api healtharchive-worker
    wait_until 20 unit_is active healtharchive-worker
    wait_until 30 api_serves
}

# usage: lock_directory_of SERVICE   (the service's process was told where the locks are)
lock_directory_of() {
    tr '\0' '\n' <"/proc/$(systemctl show --property MainPID --value "healtharchive-$1")/environ" |
        grep --quiet '^HEALTHARCHIVE_JOB_LOCK_DIR='
}

mend_it() {
    sed -i 's/^export HEALTHARCHIVE_JOB_LOCK_DIR=/HEALTHARCHIVE_JOB_LOCK_DIR=/' "$file"
    restart_services
    lock_directory_of api && lock_directory_of worker
}

is_broken() {
    grep --quiet '^export HEALTHARCHIVE_JOB_LOCK_DIR=' "$file"
}
