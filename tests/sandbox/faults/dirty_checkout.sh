# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a script was edited on the host and a copy of the old one left beside it: the next deploy will refuse
# class: deployment
# next: status --short

script=scripts/vps-crawl-status.sh

break_it() {
    # shellcheck disable=SC2016
    runuser -u haadmin -- bash -euc '
        cd "$1"
        cp "$2" "$2.bak"
        printf "\n# tried on the host\n" >>"$2"' - "$CHECKOUT" "$script"
    [ "$(changes)" = 2 ]
}

changes() {
    runuser -u haadmin -- git -C "$CHECKOUT" --no-optional-locks status --porcelain | wc --lines
}

mend_it() {
    # shellcheck disable=SC2016
    runuser -u haadmin -- bash -euc '
        cd "$1"
        rm -f -- "$2.bak"
        git checkout --quiet -- "$2"' - "$CHECKOUT" "$script"
    [ "$(changes)" = 0 ]
}

is_broken() {
    [ "$(changes)" -ge 2 ]
}
