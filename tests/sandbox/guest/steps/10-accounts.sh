# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: accounts and the way in
#
# Contract 1.2. The operator is also the user that the service runs as.

groupadd --gid 1500 healtharchive
useradd --uid 1000 --user-group --create-home --shell /bin/bash --groups healtharchive haadmin
useradd --system --gid healtharchive --home-dir /srv/healtharchive/replay --shell /usr/sbin/nologin hareplay
useradd --system --user-group --home-dir /srv/healtharchive/backups --shell /usr/sbin/nologin habackup
# the storage box: an account that can do SFTP and nothing else
useradd --uid 1600 --user-group --create-home --shell /usr/sbin/nologin storagebox

install -m 0440 /run/guest/files/sudoers /etc/sudoers.d/haadmin
install -m 0644 /run/guest/files/sshd.conf /etc/ssh/sshd_config.d/sandbox.conf
install -m 0644 /run/guest/files/pip.conf /etc/pip.conf
