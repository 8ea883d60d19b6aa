# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: somebody committed on the host and restarted the services: what runs was never pushed
# class: deployment
# next: log

break_it() {
    # shellcheck disable=SC2016
    runuser -u haadmin -- bash -euc '
        cd "$1"
        printf "\nPatched on the host.\n" >>README.md
        git commit --quiet --all --message "Quick fix on the host"' - "$CHECKOUT"
    restart_services
    if runuser -u haadmin -- git -C "$CHECKOUT" merge-base --is-ancestor HEAD origin/main; then return 1; fi
}

restart_services() {
    systemctl restart healtharchive-api healtharchive-worker
    wait_until 30 api_serves
    wait_until 20 unit_is active healtharchive-worker
}

mend_it() {
    runuser -u haadmin -- git -C "$CHECKOUT" reset --quiet --hard origin/main
    # the processes must be younger than the checkout
    restart_services
}

is_broken() {
    ! runuser -u haadmin -- git -C "$CHECKOUT" merge-base --is-ancestor HEAD origin/main
}
