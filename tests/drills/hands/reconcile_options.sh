# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The annual job gets the options that the deployed code wants: the command of triage, with --apply.

service reconcile-annual-tool-options --year 2025 --sources phac --apply | grep UPDATED
