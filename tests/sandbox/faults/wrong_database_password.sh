# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the password in backend.env was mistyped when it was last edited, and the services were restarted with it
# class: service
# next: check-db

file=/etc/healtharchive/backend.env

break_it() {
    cp --preserve=all "$file" /run/backend.env.kept
    sed -i -E 's|^(HEALTHARCHIVE_DATABASE_URL=[^:]+://[^:]+:)[^@]+@|\1mistyped@|' "$file"
    systemctl restart healtharchive-api healtharchive-worker
    wait_until 30 answers 500 /api/health
}

mend_it() {
    if [ -e /run/backend.env.kept ]; then
        mv /run/backend.env.kept "$file"
    fi
    systemctl reset-failed healtharchive-api healtharchive-worker
    systemctl restart healtharchive-api healtharchive-worker
    wait_until 30 api_serves
    wait_until 20 unit_is active healtharchive-worker
}

is_broken() {
    grep --quiet ':mistyped@' "$file"
}
