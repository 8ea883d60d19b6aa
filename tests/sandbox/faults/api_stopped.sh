# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the API was stopped for a look at its port, and nobody started it again
# class: service
# next: healtharchive-api

break_it() {
    systemctl stop healtharchive-api
    wait_until 20 unit_is inactive healtharchive-api
    wait_until 5 answers 502 /api/health
}

mend_it() {
    systemctl reset-failed healtharchive-api
    systemctl start healtharchive-api
    wait_until 30 api_serves
}

is_broken() {
    unit_is inactive healtharchive-api
}
