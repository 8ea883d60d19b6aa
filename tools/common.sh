# shellcheck shell=bash
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What every script in tools/ shares: where the checkout and the cache are, and
# how to give up. Sourced, never run.

set -euo pipefail

# shellcheck disable=SC2034  # for the scripts that source this
CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck disable=SC2034
CACHE=${HEALTHARCHIVE_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/healtharchive-remediation}

# A root shell got by `su` has no sbin on its path, and ip, debootstrap are there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }

# The reason on the first line, how to go on below it.
give_up() {
    printf '%s\n' "$@" >&2
    exit 1
}

# A short key made of standard input.
digest() { sha256sum | cut -c1-16; }

# Stop, and say why, where the cache cannot be made or written. Creates nothing.
need_cache() {
    [ -n "${HEALTHARCHIVE_CACHE:-${XDG_CACHE_HOME:-${HOME:-}}}" ] ||
        give_up "There is no place for the environments that everything here runs in: HOME is not set." \
            "Name a folder that is yours, for example: HOME=/var/tmp/$(id -un) make test-quick"
    local there=$CACHE
    until [ -e "$there" ] || [ -L "$there" ]; do there=$(dirname "$there"); done
    if [ ! -d "$there" ] || [ ! -w "$there" ] || [ ! -x "$there" ]; then
        give_up "The environments that everything here runs in cannot be kept in $CACHE: $there is no folder that $(id -un) can write to." \
            "The place follows from HOME, or from XDG_CACHE_HOME or HEALTHARCHIVE_CACHE where one of these is set." \
            "Name a folder that is yours, for example: HOME=/var/tmp/$(id -un) make test-quick"
    fi
}
