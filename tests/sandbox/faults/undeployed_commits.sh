# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: two commits were pushed to origin/main and are not deployed; the checkout has not even fetched them
# class: deployment
# next: vps-deploy.sh

break_it() {
    local work
    work=$(runuser -u haadmin -- mktemp -d)
    # shellcheck disable=SC2016
    runuser -u haadmin -- bash -euc '
        git clone --quiet "$1" "$2"
        cd "$2"
        for change in "Say where the crawl logs are" "Say who may deploy"; do
            printf "\n%s.\n" "$change" >>README.md
            git add README.md
            git commit --quiet --message "$change"
        done
        git push --quiet origin main' - "$ORIGIN" "$work"
    rm -rf -- "$work"
    [ "$(runuser -u haadmin -- git -C "$ORIGIN" rev-list --count "$(head_of_checkout)..main")" = 2 ]
}

head_of_checkout() {
    runuser -u haadmin -- git -C "$CHECKOUT" rev-parse HEAD
}

mend_it() {
    runuser -u haadmin -- git -C "$ORIGIN" update-ref refs/heads/main "$(head_of_checkout)"
    runuser -u haadmin -- git -C "$CHECKOUT" fetch --quiet --prune origin
}

is_broken() {
    [ "$(runuser -u haadmin -- git -C "$ORIGIN" rev-list --count "$(head_of_checkout)..main")" -ge 1 ]
}
