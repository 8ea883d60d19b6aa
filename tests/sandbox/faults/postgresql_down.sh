# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: PostgreSQL was stopped; the worker stopped with it, and the API answers 500
# class: service
# next: postgresql

break_it() {
    systemctl stop postgresql
    wait_until 20 unit_is inactive healtharchive-worker
    wait_until 20 answers 500 /api/health
}

mend_it() {
    systemctl start postgresql
    wait_until 30 api_serves
    start_worker
}

is_broken() {
    ! pg_isready --quiet
}
