# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the sshfs process that serves the storage box is stopped (SIGSTOP): whoever looks at a hot path waits for ever
# class: storage
# next: healtharchive-storagebox-sshfs

hot=/srv/healtharchive/jobs/imports/hc-2019

break_it() {
    systemctl kill --kill-whom=main --signal=STOP healtharchive-storagebox-sshfs
    # The threads stop one after another. What one of them takes up in its last moment is in its hands, and then nothing ends the
    # process that waits for the answer, not even SIGKILL.
    wait_until 20 is_broken
    wait_until 20 hangs
}

hangs() {
    local code=0
    # what the kernel still knows of a directory is answered without the process; a list of it is not
    timeout --signal=KILL 2 ls "$hot" || code=$?
    [ "$code" = 137 ]
}

mend_it() {
    systemctl kill --kill-whom=main --signal=CONT healtharchive-storagebox-sshfs
    wait_until 30 timeout --signal=KILL 5 ls "$hot"
}

is_broken() {
    local process states
    process="$(systemctl show --property=MainPID --value healtharchive-storagebox-sshfs)"
    states="$(ps -L --format state= --pid "$process" | sort --unique)"
    [ "$states" = T ]
}
