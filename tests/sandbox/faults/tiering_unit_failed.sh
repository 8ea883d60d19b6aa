# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a line of the tiering manifest was mistyped when the unit last ran; the manifest is right again, the unit still failed
# class: storage
# next: healtharchive-warc-tiering

manifest=/etc/healtharchive/warc-tiering.binds

break_it() {
    cp --preserve=all "$manifest" /run/warc-tiering.binds.kept
    echo "/srv/healtharchive/storagebox/jobs/import/hc-2021 $JOBS/imports/hc-2021" >>"$manifest"
    if systemctl restart healtharchive-warc-tiering; then return 1; fi
    mv /run/warc-tiering.binds.kept "$manifest"
    wait_until 20 unit_is failed healtharchive-warc-tiering
    ls "$JOBS"/imports/*/*.combined.log
}

mend_it() {
    if [ -e /run/warc-tiering.binds.kept ]; then
        mv /run/warc-tiering.binds.kept "$manifest"
    fi
    systemctl reset-failed healtharchive-warc-tiering
    systemctl restart healtharchive-warc-tiering
    wait_until 20 unit_is active healtharchive-warc-tiering
    if [ -d "$JOBS/imports/hc-2021" ]; then
        rmdir "$JOBS/imports/hc-2021"
    fi
}

is_broken() {
    unit_is failed healtharchive-warc-tiering
}
