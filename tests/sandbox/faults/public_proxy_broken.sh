# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a typing error in the Caddyfile, and a restart: the public names are dead, the API answers on the loopback as before
# class: service
# next: caddy

file=/etc/caddy/Caddyfile

break_it() {
    cp --preserve=all "$file" /run/Caddyfile.kept
    printf '\n:8081 {\n\trespnod "staging"\n}\n' >>"$file"
    if systemctl restart caddy; then return 1; fi
    wait_until 20 unit_is failed caddy
}

mend_it() {
    if [ -e /run/Caddyfile.kept ]; then
        mv /run/Caddyfile.kept "$file"
    fi
    systemctl reset-failed caddy
    systemctl restart caddy
    wait_until 20 api_serves
}

is_broken() {
    unit_is failed caddy
}
