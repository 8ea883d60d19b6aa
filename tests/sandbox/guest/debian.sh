#!/bin/bash -eu
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Layer "debian": what debootstrap leaves in the tree of the machine that ran it goes, and so does all that only costs
# time at boot in a guest that lives for minutes.

echo "==> tidy the base system"

# names of mirrors and of the machine, and logs that hold them
rm -f /etc/apt/sources.list /etc/hostname /etc/machine-id /var/lib/dbus/machine-id
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin
rm -rf /var/log/bootstrap.log /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old
: >/etc/resolv.conf

# each guest gets a host key of its own
rm -f /etc/ssh/ssh_host_*

# documentation that nobody reads in here
find /usr/share/doc -mindepth 2 -not -name copyright -not -type d -delete
rm -rf /usr/share/man/* /usr/share/info/* /usr/share/locale/*

# nothing of the machine's hardware is the guest's business, and no package may be fetched
systemctl --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    console-getty.service getty@tty1.service getty.target systemd-udev-settle.service systemd-pstore.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount systemd-modules-load.service
systemctl --quiet set-default multi-user.target
