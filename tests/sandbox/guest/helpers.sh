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

# usage: in_unit UNIT COMMAND...   (run it in the control group of a service: journald takes the unit from there)
in_unit() {
    local group tree
    group=$(systemctl show --value --property=ControlGroup "$1")
    shift
    (
        # one tree of control groups, or (version 1) one that systemd names after itself, or both
        for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
            if [ -e "$tree$group/cgroup.procs" ]; then
                echo "$BASHPID" >"$tree$group/cgroup.procs"
            fi
        done
        exec "$@"
    )
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
    # A start that is meant does not count towards systemd's start limit: several faults in a row would reach it.
    systemctl reset-failed healtharchive-worker
    systemctl start healtharchive-worker
    wait_until 20 unit_is active healtharchive-worker
}

# usage: place_job ID NAME DIRECTORY [TOOL_OPTIONS]   (the directory below the archive root, the options as JSON)
place_job() {
    local options=${4:-}
    [ -n "$options" ] || options='{}'
    sql "UPDATE archive_jobs SET name = '$2', output_dir = '$JOBS/$3',
             config = (config::jsonb || '{\"tool_options\": $options}')::json WHERE id = $1"
}

# usage: crawl_detached UNIT ID   (crawl a job in a transient unit of its own, as the service's detached runner does)
crawl_detached() {
    systemd-run --quiet --collect --unit="$1" --uid=haadmin --working-directory="$CHECKOUT" \
        --property=EnvironmentFile=/etc/healtharchive/backend.env --setenv=HEALTHARCHIVE_SIMULATED_SECONDS=3600 \
        "$CHECKOUT/.venv/bin/healtharchive" run-db-job --id "$2"
}

# usage: crawl_writes DIRECTORY   (the crawl has written its counters)
crawl_writes() {
    grep --quiet crawled "$1"/*.combined.log
}

# usage: kill_crawl UNIT DIRECTORY   (kill a detached crawl at once; its row still says running)
kill_crawl() {
    systemctl kill --signal=KILL "$1"
    wait_until 20 crawl_is_gone "$1" "$2"
}

crawl_is_gone() {
    ! systemctl is-active --quiet "$1" && ! pgrep --full -- "--output-dir $2"
}

# usage: age_job ID HOURS   (as if the crawl had begun, and been quiet, for so many hours)
age_job() {
    local directory log
    directory=$(sql "SELECT output_dir FROM archive_jobs WHERE id = $1")
    sql "UPDATE archive_jobs SET created_at = now() - interval '$2 hours 1 minute', queued_at = now() - interval '$2 hours 1 minute',
             started_at = now() - interval '$2 hours', updated_at = now() - interval '$2 hours' WHERE id = $1"
    for log in "$directory"/*.combined.log; do
        log_earlier "$log" "$2"
    done
    find "$directory" -exec touch --no-dereference --date "$2 hours ago" {} +
}

# usage: log_earlier LOG HOURS   (move every time in a log; in place, for a crawl may have it open: a time keeps its length)
log_earlier() {
    python3 - "$@" <<'PYTHON'
import datetime, re, sys

log, hours = sys.argv[1], float(sys.argv[2])

def earlier(match):
    moment = datetime.datetime.fromisoformat(match.group(1).decode()) - datetime.timedelta(hours=hours)
    return b'"timestamp":"' + moment.isoformat(timespec="milliseconds").encode() + b'Z"'

with open(log, "r+b") as file:
    text = file.read()
    file.seek(0)
    file.write(re.sub(rb'"timestamp":"([0-9T:.-]{23})Z"', earlier, text))
PYTHON
}

# usage: row_in TABLE CONDITION   (there is such a row; while PostgreSQL does not answer no row changes, so none is asked for)
row_in() {
    pg_isready --quiet || return 0
    [ "$(sql "SELECT count(*) > 0 FROM $1 WHERE $2")" = t ]
}

# usage: row CONDITION   (there is such a job)
row() {
    row_in archive_jobs "$1"
}

# usage: job_is STATUS ID
job_is() {
    [ "$(sql "SELECT status FROM archive_jobs WHERE id = $2")" = "$1" ]
}

busy=hc-busy

# The worker crawls a job for an hour, so that it looks at no other one. One such job is enough for several faults.
occupy_worker() {
    local id
    if unit_is active healtharchive-worker && [ "$(sql "SELECT status FROM archive_jobs WHERE name = '$busy'")" = running ]; then
        return
    fi
    systemctl stop healtharchive-worker
    id=$(new_job hc)
    place_job "$id" "$busy" hc/busy '{"simulated_seconds": 3600}'
    start_worker
    wait_until 30 crawl_writes "$JOBS/hc/busy"
}

# usage: release_worker   (and forget its job)
release_worker() {
    systemctl stop healtharchive-worker
    forget_jobs "$busy"
}

# usage: annual_job SOURCE YEAR [TOOL_OPTIONS]   (queue a campaign's job as the scheduler does; prints its id; without
# options those that phac's annual job should have)
annual_job() {
    local id canonical='{"initial_workers": 2, "max_container_restarts": 30}'
    id=$(new_job "$1")
    place_job "$id" "$1-${2}0101" "$1/${2}0101T000502Z__$1-${2}0101" "${3:-$canonical}"
    sql "UPDATE archive_jobs SET created_at = '${2}-01-01T00:05:02Z', queued_at = '${2}-01-01T00:05:02Z',
             config = (config::jsonb || '{\"campaign_kind\": \"annual\", \"campaign_year\": $2,
                 \"campaign_date\": \"$2-01-01\", \"scheduler_version\": 1}')::json WHERE id = $id"
    echo "$id"
}

# usage: replay_answers CODE JOB   (replay answers the first page of a job's index with this status code)
replay_answers() {
    local url code
    url=$(sed -n '1s/.*"url": "\([^"]*\)".*/\1/p' "/srv/healtharchive/replay/collections/job-$2/indexes/index.cdxj")
    code=$(curl -s -o /dev/null -m 5 -w '%{http_code}' "http://127.0.0.1:8090/job-$2/$url")
    [ "$code" = "$1" ] || {
        echo "replay answers $code for $url of job $2"
        return 1
    }
}
