# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the code was deployed without its last migration: the schema is one revision behind, search and changes answer 500
# class: deployment
# next: vps-deploy.sh

break_it() {
    migrate downgrade -1
    wait_until 10 answers 500 "/api/search?q=page"
    answers 200 /api/health
}

migrate() {
    # shellcheck disable=SC2016
    runuser -u haadmin -- bash -euc '
        set -a; source /etc/healtharchive/backend.env; set +a
        cd /opt/healtharchive
        .venv/bin/alembic "$@" 2>&1' - "$@"
}

mend_it() {
    migrate upgrade head
    wait_until 10 answers 200 "/api/search?q=page"
    answers 200 /api/changes
}

is_broken() {
    row_in alembic_version "version_num LIKE '0013%'"
}
