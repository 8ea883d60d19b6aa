# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The site that stopped answering answers again: the next crawl of the job gets on.

sql "UPDATE archive_jobs SET config = (config::jsonb || '{\"tool_options\": {\"simulated_seconds\": 3600}}')::json
     WHERE name = 'hc-stalled'"
