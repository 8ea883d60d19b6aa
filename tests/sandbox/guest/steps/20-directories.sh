# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: directories
#
# Contract 1.1 and 1.7: owners and modes as the service's policy wants them.

install -d -o root -g healtharchive -m 0750 /etc/healtharchive
install -d -o root -g root -m 0755 /srv/healtharchive /srv/git /var/lib/node_exporter/textfile_collector
install -d -o haadmin -g healtharchive -m 2775 /srv/healtharchive/jobs /srv/healtharchive/jobs/imports
install -d -o root -g root -m 0755 /srv/healtharchive/storagebox
install -d -o root -g healtharchive -m 2770 /srv/healtharchive/backups /srv/healtharchive/ops
for part in baseline restore-tests adoption search-eval automation burnin burnin/storage-watchdog locks locks/jobs \
    preflight watchdog observability observability/dashboards observability/alerting \
    observability/hotpath-staleness; do
    install -d -o root -g healtharchive -m 2770 "/srv/healtharchive/ops/$part"
done
for part in . collections previews .locks; do
    install -d -o hareplay -g healtharchive -m 2770 "/srv/healtharchive/replay/$part"
done
