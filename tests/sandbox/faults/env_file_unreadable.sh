# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: someone wrote backend.env anew as root, root:root 0600: the operator's commands fall back to an empty SQLite file
# class: config_drift
# next: chown

file=/etc/healtharchive/backend.env

break_it() {
    chown root:root "$file"
    chmod 0600 "$file"
    ! runuser -u haadmin -- test -r "$file"
}

mend_it() {
    chown root:healtharchive "$file"
    chmod 0640 "$file"
    runuser -u haadmin -- test -r "$file"
    # what the service's commands leave behind when they ran without the file
    rm -f "$CHECKOUT/healtharchive.db"
}

is_broken() {
    ! runuser -u haadmin -- test -r "$file"
}
