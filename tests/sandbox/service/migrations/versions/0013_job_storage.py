# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and cleanup of job directories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_job_storage"
down_revision = "0005_snapshots"
branch_labels = None
depends_on = None

SIZES = ("output_bytes_total", "tmp_bytes_total", "tmp_non_warc_bytes_total")


def upgrade() -> None:
    """Apply."""
    for name in SIZES:
        op.add_column("archive_jobs", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("archive_jobs", sa.Column("storage_scanned_at", sa.DateTime(timezone=True)))
    op.add_column("archive_jobs", sa.Column("cleanup_status", sa.String(50), nullable=False, server_default="none"))
    op.add_column("archive_jobs", sa.Column("cleaned_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Undo."""
    for name in (*SIZES, "storage_scanned_at", "cleanup_status", "cleaned_at"):
        op.drop_column("archive_jobs", name)
