# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a directory got another mode and a variable another value by hand: the host is not what its policy says
# class: config_drift
# next: check_baseline_drift

file=/etc/healtharchive/backend.env

break_it() {
    local report
    chmod 00755 /srv/healtharchive/backups
    sed -i 's|^HEALTHARCHIVE_CORS_ORIGINS=.*|HEALTHARCHIVE_CORS_ORIGINS=https://old.example.org|' "$file"
    report=$(drift_check) && return 1
    grep --quiet '^- filesystem:/srv/healtharchive/backups:mode:' <<<"$report"
    grep --quiet '^- env:HEALTHARCHIVE_CORS_ORIGINS:' <<<"$report"
}

drift_check() {
    runuser -u haadmin -- "$CHECKOUT/.venv/bin/python3" -B "$CHECKOUT/scripts/check_baseline_drift.py" --no-write
}

mend_it() {
    chmod 2770 /srv/healtharchive/backups
    sed -i 's|^HEALTHARCHIVE_CORS_ORIGINS=.*|HEALTHARCHIVE_CORS_ORIGINS=https://archive.example.org|' "$file"
    drift_check
}

# as long as one of the two is left
is_broken() {
    [ "$(stat --format %a /srv/healtharchive/backups)" = 755 ] || grep --quiet '^HEALTHARCHIVE_CORS_ORIGINS=https://old' "$file"
}
