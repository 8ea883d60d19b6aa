# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# cause: the table snapshots has lost the column deduplicated although alembic is at its head: search and changes answer 500
# class: deployment
# next: journalctl

break_it() {
    sql "ALTER TABLE snapshots DROP COLUMN deduplicated"
    wait_until 10 answers 500 "/api/search?q=page"
    answers 500 /api/changes
}

mend_it() {
    # as migration 0014 makes it
    sql "ALTER TABLE snapshots ADD COLUMN IF NOT EXISTS deduplicated boolean NOT NULL DEFAULT false"
    wait_until 10 answers 200 "/api/search?q=page"
    answers 200 /api/changes
}

is_broken() {
    ! row_in information_schema.columns "table_name = 'snapshots' AND column_name = 'deduplicated'"
}
