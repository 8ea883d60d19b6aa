# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The migration that was missing in the repository is written, reviewed and pushed.

work=$(runuser -u haadmin -- mktemp -d)
cat >"$work/commit.sh" <<'COMMIT'
set -euo pipefail
git clone --quiet "$1" "$2/clone"
cd "$2/clone"
cat >migrations/versions/0015_column_again.py <<'PYTHON'
from alembic import op

revision = "0015_column_again"
down_revision = "0014_snapshot_deduplication"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE snapshots ADD COLUMN IF NOT EXISTS deduplicated boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.drop_column("snapshots", "deduplicated")
PYTHON
git add --all
git commit --quiet --message "Snapshots get their column back where it is missing"
git push --quiet origin HEAD:refs/heads/main
COMMIT
chown haadmin "$work/commit.sh"
# shellcheck disable=SC2153  # ORIGIN is one of the sandbox's helpers'
runuser -u haadmin -- bash "$work/commit.sh" "$ORIGIN" "$work"
rm -rf -- "$work"
