# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: a crawl was killed five hours ago while the worker was down: its row still says running, its lock is free
# class: stale_state
# next: recover-stale-jobs

name=phac-killed
directory=$JOBS/phac/killed

break_it() {
    local id
    systemctl stop healtharchive-worker
    id=$(new_job phac)
    sql "UPDATE archive_jobs SET name = '$name', output_dir = '$directory' WHERE id = $id"
    # a crawl that would take an hour, killed as soon as it writes
    systemd-run --quiet --collect --unit=fault-crawl --uid=haadmin --working-directory="$CHECKOUT" \
        --property=EnvironmentFile=/etc/healtharchive/backend.env --setenv=HEALTHARCHIVE_SIMULATED_SECONDS=3600 \
        "$CHECKOUT/.venv/bin/healtharchive" run-db-job --id "$id"
    wait_until 30 crawl_writes
    systemctl kill --signal=KILL fault-crawl
    wait_until 20 crawl_is_gone
    sql "UPDATE archive_jobs SET created_at = now() - interval '5 hours 1 minute', queued_at = now() - interval '5 hours 1 minute',
             started_at = now() - interval '5 hours', updated_at = now() - interval '5 hours' WHERE id = $id"
    find "$directory" -exec touch --no-dereference --date '5 hours ago' {} +
    [ "$(sql "SELECT status FROM archive_jobs WHERE id = $id")" = running ]
}

crawl_writes() {
    grep --quiet crawled "$directory"/*.combined.log
}

crawl_is_gone() {
    ! systemctl is-active --quiet fault-crawl && ! pgrep --full -- "--output-dir $directory"
}

mend_it() {
    systemctl stop healtharchive-worker
    if systemctl is-active --quiet fault-crawl; then
        systemctl stop fault-crawl
    fi
    forget_jobs "$name"
    start_worker
}
