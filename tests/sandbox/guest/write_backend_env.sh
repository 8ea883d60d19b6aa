#!/bin/bash -eu
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: write_backend_env.sh PASSWORD TOKEN   (the service's environment, contract 1.3; root:healtharchive 0640)

umask 0137
sed -e "s/@PASSWORD@/$1/" -e "s/@TOKEN@/$2/" /run/guest/files/backend.env >/etc/healtharchive/backend.env
chown root:healtharchive /etc/healtharchive/backend.env
