# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a directory got another mode and a variable another value by hand: the host is not what its policy says
# class: config_drift
# next: check_baseline_drift

break_it() {
    chmod 0755 /srv/healtharchive/backups
    sed -i 's/^HEALTHARCHIVE_CORS_ORIGINS=.*/HEALTHARCHIVE_CORS_ORIGINS=https:\/\/old.example.org/' /etc/healtharchive/backend.env
}

mend_it() {
    chmod 2770 /srv/healtharchive/backups
    sed -i 's/^HEALTHARCHIVE_CORS_ORIGINS=.*/HEALTHARCHIVE_CORS_ORIGINS=https:\/\/archive.example.org/' /etc/healtharchive/backend.env
}
