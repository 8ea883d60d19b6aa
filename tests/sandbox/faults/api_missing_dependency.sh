# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: slowapi, which the code imports, is not installed in the virtual environment: the API restarts in a loop
# class: deployment
# next: vps-deploy.sh

break_it() {
    runuser -u haadmin -- "$CHECKOUT/.venv/bin/pip" uninstall --quiet --yes slowapi
    systemctl restart --no-block healtharchive-api
    wait_until 30 loops
    wait_until 5 answers 502 /api/health
}

loops() {
    [ "$(systemctl show --property=NRestarts --value healtharchive-api)" -ge 1 ]
}

mend_it() {
    runuser -u haadmin -- "$CHECKOUT/.venv/bin/pip" install --quiet slowapi
    systemctl reset-failed healtharchive-api
    systemctl restart healtharchive-api
    systemctl try-restart healtharchive-worker  # or it would be older than its environment
    wait_until 30 api_serves
}

is_broken() {
    ! runuser -u haadmin -- "$CHECKOUT/.venv/bin/python3" -c "import slowapi"
}
