# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The output directory is looked at, is seen to lie on the local disk, gets its owner back, and the worker's user writes in it.

directory=$JOBS/phac/20260109T000000Z__phac-of-root
[ "$(findmnt --noheadings --output TARGET --target "$directory")" != "$directory" ]
[ -z "$(find "$directory" -mindepth 1)" ]
chown haadmin:healtharchive "$directory"
runuser -u haadmin -- touch "$directory/.written"
runuser -u haadmin -- rm "$directory/.written"
