# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# usage: journal.sh LINES   (that many lines in the API's journal)

mkdir -p /run/systemd/journald.conf.d
printf '[Journal]\nRateLimitIntervalSec=0\nSystemMaxUse=2G\n' >/run/systemd/journald.conf.d/bench.conf
systemctl restart systemd-journald

in_unit healtharchive-api systemd-cat --identifier=uvicorn awk -v lines="$1" 'BEGIN {
    for (number = 1; number <= lines; number++)
        printf "INFO:     203.0.113.%d:0 - \"GET /api/search?q=flu&page=%d HTTP/1.1\" 200 OK\n", number % 250 + 1, number
}' </dev/null

lines_of_the_api() {
    journalctl --quiet --unit=healtharchive-api --output=cat | wc -l
}
journal_is_complete() {
    [ "$(lines_of_the_api)" -ge "$lines" ]
}
lines=$1
wait_until 120 journal_is_complete
