# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: the first jobs: five, really crawled and really indexed
#
# The service's own commands make them. SQL only gives them the names, places and dates of a campaign that is over, which
# no command can.

box=/home/storagebox/jobs
jobs=/srv/healtharchive/jobs
cli=/opt/healtharchive/.venv/bin/healtharchive

pg_ctlcluster 15 main start
trap 'pg_ctlcluster 15 main stop' EXIT
set -a
# shellcheck disable=SC1091
source /etc/healtharchive/backend.env
set +a
export HEALTHARCHIVE_SIMULATED_SECONDS=0.1 HEALTHARCHIVE_LOG_LEVEL=WARNING

service() {
    runuser -u haadmin -- "$cli" "$@"
}
sql() {
    runuser -u postgres -- psql --quiet --set ON_ERROR_STOP=1 healtharchive --command "$1"
}
# usage: job SOURCE NAME DIRECTORY DATE
job() {
    local id
    id=$(service create-job --source "$1" --page-limit 6 | sed -n 's/^ *ID: *//p')
    sql "UPDATE archive_jobs SET name = '$2', output_dir = '$jobs/$3' WHERE id = $id"
    service run-db-job --id "$id"
    service index-job --id "$id"
    sql "UPDATE archive_jobs SET created_at = '$4', queued_at = '$4', started_at = timestamptz '$4' + interval '20 seconds',
            finished_at = timestamptz '$4' + interval '30 hours', updated_at = timestamptz '$4' + interval '31 hours'
         WHERE id = $id"
}

# the hot paths are the box's here too; in a running guest they come through sshfs
hot=$(cd "$box" && find . -mindepth 2 -maxdepth 2 -type d -printf '%P\n')
for path in $hot; do
    mount --bind "$box/$path" "$jobs/$path"
    chown haadmin "$box/$path"
done

job hc hc-2019 imports/hc-2019 2026-01-01T00:01:00Z
job cihr cihr-2020 imports/cihr-2020 2026-01-01T00:02:00Z
job hc hc-20260101 hc/20260101T000512Z__hc-20260101 2026-01-01T00:05:12Z
# made by hand a week later, so on the local disk: the annual tiering takes what was made on the first two days
job phac phac-20260101 phac/20260108T140000Z__phac-20260101 2026-01-08T14:00:00Z
job cihr cihr-20260101 cihr/20260108T140500Z__cihr-20260101 2026-01-08T14:05:00Z
# a first run drops the campaign's metadata; the documented way to get it back
service reconcile-annual-tool-options --year 2026 --apply

# a replay collection for each; what runs in the container sees the jobs at /warcs
mount --rbind "$jobs" /warcs
mount --make-rslave /warcs
service replay-reconcile --apply --max-jobs 10
umount --recursive /warcs
[ "$(find /srv/healtharchive/replay/collections -name index.cdxj -size +0 | wc -l)" = 5 ]
chown -R hareplay:healtharchive /srv/healtharchive/replay

for path in $hot; do
    umount "$jobs/$path"
done
chown -R storagebox:storagebox /home/storagebox
