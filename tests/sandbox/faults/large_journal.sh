# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the API has printed tracebacks of 40 kB for months: its journal is 1 GiB, and that is all; the host is well
# class: none
# next: none

settings=/run/systemd/journald.conf.d/fault-large-journal.conf
kept=/run/fault-large-journal

break_it() {
    mkdir -p "${settings%/*}"
    # Months of text in seconds: nothing is dropped, thrown away or compressed.
    printf '[Journal]\nRateLimitIntervalSec=0\nSystemMaxUse=4G\nSystemKeepFree=1M\nCompress=no\n' >"$settings"
    systemctl restart systemd-journald
    # What was there stays in files of its own.
    journalctl --quiet --rotate
    archived_journals >"$kept"
    in_unit healtharchive-api python3 - <<'PYTHON'
import socket

FRAME = '  File "/opt/healtharchive/src/healtharchive/api/public.py", line %d, in search\n    return search(query, page)\n'
frames = "".join(FRAME % line for line in range(100, 460))
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.connect("/run/systemd/journal/socket")
for number in range(28_000):
    message = "Exception in ASGI application: request %d\nTraceback (most recent call last):\n%sRecursionError: maximum" % (
        number, frames)
    text = message.encode()
    # The journal's own protocol: a message of several lines is its length and its bytes.
    journal.send(b"PRIORITY=6\nSYSLOG_IDENTIFIER=uvicorn\nMESSAGE\n" + len(text).to_bytes(8, "little") + text + b"\n")
PYTHON
    journalctl --sync
    is_broken
    wait_until 20 api_serves
}

is_broken() {
    [ "$(du --summarize --block-size=1M /var/log/journal | cut -f1)" -ge 1024 ]
}

archived_journals() {
    find /var/log/journal -name '*@*.journal*' | sort
}

mend_it() {
    if [ -e "$kept" ]; then
        journalctl --quiet --rotate
        archived_journals | comm -13 "$kept" - | xargs --no-run-if-empty rm --
        rm "$settings" "$kept"
        systemctl restart systemd-journald
    fi
    wait_until 20 api_serves
}
