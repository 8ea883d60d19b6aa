# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the worker was disabled for a repair and only started again: it runs, and no boot will bring it back
# class: config_drift
# next: list-unit-files

break_it() {
    systemctl --quiet disable healtharchive-worker
    unit_is active healtharchive-worker
    [ "$(systemctl show --property=UnitFileState --value healtharchive-worker)" = disabled ]
}

mend_it() {
    systemctl --quiet enable healtharchive-worker
    systemctl is-enabled healtharchive-worker
}

is_broken() {
    [ "$(systemctl show --property=UnitFileState --value healtharchive-worker)" = disabled ]
}
