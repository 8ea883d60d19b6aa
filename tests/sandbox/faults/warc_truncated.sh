# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the end of a crawl's WARC file is gone, and indexing with the deeper check before it has refused the file
# class: stale_state
# next: --status index_failed

name=phac-truncated
directory=$JOBS/phac/truncated

break_it() {
    local id warc
    systemctl stop healtharchive-worker
    id=$(new_job phac)
    place_job "$id" "$name" phac/truncated
    service run-db-job --id "$id"
    warc=$(find "$directory" -name '*.warc.gz' | sort | tail -n 1)
    runuser -u haadmin -- truncate --size "$(($(stat --format=%s "$warc") * 2 / 3))" "$warc"
    HEALTHARCHIVE_INDEX_WARC_VERIFY_LEVEL=1 service index-job --id "$id" || job_is index_failed "$id"
    sql "UPDATE archive_jobs SET started_at = now() - interval '4 hours', finished_at = now() - interval '3 hours' WHERE id = $id"
    start_worker
}

mend_it() {
    forget_jobs "$name"
}

is_broken() {
    row "name = '$name' AND status = 'index_failed'"
}
