# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: the storage box and its hot paths
#
# Contract 1.9: an SFTP account (here on this guest's own sshd), mounted by the service's unit, and hot paths under the
# archive root that are bind-mounted from it. The keys are made in personalise.sh.

box=/home/storagebox/jobs
jobs=/srv/healtharchive/jobs
hot=(imports/hc-2019 imports/cihr-2020 hc/20260101T000512Z__hc-20260101)

for path in "${hot[@]}"; do
    install -d -o storagebox -g storagebox -m 0775 "$box/$path"
    runuser -u haadmin -- mkdir -p "$jobs/$path"
done
chown -R storagebox:storagebox /home/storagebox
chmod 0755 /home/storagebox

install -m 0640 -g healtharchive /run/guest/files/storagebox.env /etc/healtharchive/storagebox.env
{
    echo "# <cold> <hot>"
    for path in "${hot[@]:0:2}"; do
        echo "/srv/healtharchive/storagebox/jobs/$path $jobs/$path"
    done
} >/etc/healtharchive/warc-tiering.binds
