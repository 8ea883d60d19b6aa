# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a deploy was started and stands still in the middle, its terminal stopped: it holds the deploy lock
# class: deployment
# next: lslocks

lock=/tmp/healtharchive-deploy.lock

break_it() {
    systemd-run --quiet --collect --unit=fault-deploy --uid=haadmin "$checkout/scripts/vps-deploy.sh" --apply \
        --skip-public-surface-verify --ref "$(runuser -u haadmin -- git -C "$checkout" rev-parse HEAD)"
    wait_until 20 held
    systemctl kill --signal=STOP fault-deploy
    held
}

held() {
    [ -e "$lock" ] && ! runuser -u haadmin -- flock --nonblock --shared "$lock" true
}

deploy_is_over() {
    ! systemctl is-active --quiet fault-deploy
}

mend_it() {
    if systemctl is-active --quiet fault-deploy; then
        systemctl kill --signal=CONT fault-deploy
        wait_until 60 deploy_is_over
    fi
    runuser -u haadmin -- git -C "$checkout" checkout --quiet main
    systemctl restart healtharchive-api healtharchive-worker
    wait_until 30 api_serves
    wait_until 20 unit_is active healtharchive-worker
}
