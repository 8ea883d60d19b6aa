# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a deploy was started and stands still in the middle, its terminal stopped: it holds the deploy lock
# class: deployment
# next: deploy.lock

lock=/tmp/healtharchive-deploy.lock
log=/run/fault-deploy.log

break_it() {
    systemd-run --quiet --collect --unit=fault-deploy --uid=haadmin --property="StandardOutput=truncate:$log" \
        "$CHECKOUT/scripts/vps-deploy.sh" --apply --skip-baseline-drift --skip-public-surface-verify \
        --ref "$(runuser -u haadmin -- git -C "$CHECKOUT" rev-parse HEAD)"
    # It says this when it has the lock. Nobody tries the lock before that: the deploy would not get it.
    wait_until 20 grep --quiet "Current git SHA" "$log"
    systemctl kill --signal=STOP fault-deploy
    if flock --nonblock --shared "$lock" true; then return 1; fi
}

deploy_is_over() {
    ! systemctl is-active --quiet fault-deploy
}

mend_it() {
    if systemctl is-active --quiet fault-deploy; then
        systemctl kill --signal=CONT fault-deploy
        wait_until 60 deploy_is_over
    fi
    rm -f "$log"
    runuser -u haadmin -- git -C "$CHECKOUT" checkout --quiet main
    systemctl restart healtharchive-api healtharchive-worker
    wait_until 30 api_serves
    wait_until 20 unit_is active healtharchive-worker
}

is_broken() {
    ! flock --nonblock --shared "$lock" true
}
