#!/bin/sh
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Print what triage must not change, one fact a line: each file of the service with
# owner, mode, size and time of change, the rows, the units, the deployed commit.
# Read with the system's own commands, as root, on the host.
set -eu

find /opt/healtharchive /srv/healtharchive /etc/healtharchive /tmp/healtharchive-* \
    -printf 'file %p %u:%g %m %s %T@ %l\n' | sort

set -a
# shellcheck disable=SC1091  # a file of the guest
. /etc/healtharchive/backend.env
set +a
# The driver's name in the URL is SQLAlchemy's, not libpq's.
database=$(printf '%s' "$HEALTHARCHIVE_DATABASE_URL" | sed 's/^postgresql+[a-z]*:/postgresql:/')
psql --no-psqlrc --quiet --tuples-only --no-align --dbname "$database" \
    --command 'SELECT row_to_json(archive_jobs) FROM archive_jobs ORDER BY id' | sed 's/^/job /'

systemctl show 'healtharchive-*.service' --property=Id,ActiveState,SubState,MainPID,NRestarts,ActiveEnterTimestampMonotonic

runuser -u haadmin -- git -C /opt/healtharchive rev-parse HEAD
