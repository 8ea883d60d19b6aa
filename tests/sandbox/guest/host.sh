#!/bin/bash -eu
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Layer "host": turns Debian into the service's host, without a network. Each step is a file in steps/, in order.

for step in /run/guest/steps/*.sh; do
    echo "==> $(sed -n 's/^# step: //p' "$step")"
    bash -eu -o pipefail "$step"
done
