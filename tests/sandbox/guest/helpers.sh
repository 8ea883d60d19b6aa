# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What is put before every script that the sandbox runs in a running guest, as root with bash -euo pipefail.

# shellcheck disable=SC2034
ORIGIN=/srv/git/healtharchive.git
# shellcheck disable=SC2034
CHECKOUT=/opt/healtharchive
# shellcheck disable=SC2034
JOBS=/srv/healtharchive/jobs

# usage: wait_until SECONDS COMMAND...   (runs it again and again until it succeeds; fails when the time is over)
wait_until() {
    local end=$((SECONDS + $1)) last
    shift
    until last=$("$@" 2>&1); do
        if ((SECONDS >= end)); then
            echo "waited in vain for: $*" >&2
            echo "$last" >&2
            return 1
        fi
        sleep 0.2
    done
}

# usage: answers CODE PATH   (the public API answers PATH with this status code)
answers() {
    local code
    code=$(curl -s -o /dev/null -m 5 -w '%{http_code}' "http://localhost$2")
    [ "$code" = "$1" ] || {
        echo "http://localhost$2 answers $code"
        return 1
    }
}

api_serves() {
    answers 200 /api/health
}

unit_is() {
    [ "$(systemctl is-active "$2")" = "$1" ]
}

# usage: sql STATEMENT
sql() {
    runuser -u postgres -- psql --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 healtharchive --command "$1"
}

# usage: service ARGUMENTS...   (the service's command, as its user, with its environment)
service() {
    runuser -u haadmin -- bash -euc '
        set -a; source /etc/healtharchive/backend.env; set +a
        exec /opt/healtharchive/.venv/bin/healtharchive "$@"' - "$@"
}

# usage: new_job SOURCE   (queue a job that no other fault made; prints its id)
new_job() {
    service create-job --source "$1" --page-limit 6 | sed -n 's/^ *ID: *//p'
}

# usage: forget_jobs NAME   (remove the jobs that a fault made, and what they wrote)
forget_jobs() {
    local directory
    while read -r directory; do
        case "$directory" in "$JOBS"/*) rm -rf -- "$directory" ;; esac
    done < <(sql "SELECT output_dir FROM archive_jobs WHERE name = '$1'")
    sql "DELETE FROM snapshots WHERE job_id IN (SELECT id FROM archive_jobs WHERE name = '$1');
         DELETE FROM archive_jobs WHERE name = '$1'"
}

# What an operator does after a boot (contract 4.11): no unit brings the annual jobs' hot paths back.
tier_annual_jobs() {
    (
        set -a
        # shellcheck disable=SC1091
        source /etc/healtharchive/backend.env
        cd "$CHECKOUT" || exit
        .venv/bin/python3 -B scripts/vps-annual-output-tiering.py --year 2026 --apply
    )
}

start_worker() {
    systemctl start healtharchive-worker
    wait_until 20 unit_is active healtharchive-worker
}
