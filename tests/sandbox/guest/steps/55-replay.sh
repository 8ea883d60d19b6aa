# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: the container engine's stand-in, and replay
#
# Contract 1.10. The container sees the jobs at /warcs; on the host that is an empty directory.

install -m 0644 /run/guest/files/docker.service /run/guest/files/healtharchive-replay.service /etc/systemd/system/
install -m 0755 /run/guest/files/docker /usr/local/bin/docker
install -m 0755 /run/guest/replay.py /usr/local/lib/healtharchive-replay.py
install -o hareplay -g healtharchive -m 0644 /dev/null /srv/healtharchive/replay/config.yaml
install -d -m 0755 /warcs
