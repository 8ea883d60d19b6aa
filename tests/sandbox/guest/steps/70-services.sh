# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: units, the web server and the frontend's pages

units=/opt/healtharchive/docs/deployment/systemd
cp -r "$units"/. /etc/systemd/system/
install -D -m 0644 /run/guest/files/storagebox-sshfs.conf \
    /etc/systemd/system/healtharchive-storagebox-sshfs.service.d/sandbox.conf
install -D -m 0644 /run/guest/files/postgresql-service.conf /etc/systemd/system/postgresql@15-main.service.d/sandbox.conf
find /etc/systemd/system -name 'healtharchive-*' -type f -exec chmod 0644 {} +
systemctl --quiet enable docker healtharchive-storagebox-sshfs healtharchive-warc-tiering healtharchive-replay \
    healtharchive-api healtharchive-worker

install -m 0644 /run/guest/files/Caddyfile /etc/caddy/Caddyfile
/run/guest/frontend_pages.py /srv/frontend
systemctl --quiet enable ssh postgresql caddy
