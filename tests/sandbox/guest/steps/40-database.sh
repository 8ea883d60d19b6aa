# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: the database
#
# PostgreSQL is initialised here; personalise.sh changes the password, because no two guests share a secret.

pg_dropcluster 15 main
pg_createcluster --locale C.UTF-8 --encoding UTF8 15 main -- --auth-local peer --auth-host scram-sha-256
install -m 0644 /run/guest/files/postgresql.conf /etc/postgresql/15/main/conf.d/sandbox.conf

/run/guest/write_backend_env.sh build build
pg_ctlcluster 15 main start
trap 'pg_ctlcluster 15 main stop' EXIT
runuser -u postgres -- psql --quiet --set ON_ERROR_STOP=1 <<'END'
CREATE ROLE healtharchive LOGIN PASSWORD 'build';
CREATE DATABASE healtharchive OWNER healtharchive;
END
runuser -u haadmin -- bash -euc '
    set -a; source /etc/healtharchive/backend.env; set +a
    cd /opt/healtharchive
    .venv/bin/alembic upgrade head 2>&1
    .venv/bin/healtharchive seed-sources
'
