# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots know whether they repeat another one; search and changes leave those out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_snapshot_deduplication"
down_revision = "0013_job_storage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("snapshots", sa.Column("deduplicated", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Undo."""
    op.drop_column("snapshots", "deduplicated")
