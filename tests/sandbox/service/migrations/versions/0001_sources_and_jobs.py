# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources and archive jobs.

Columns that the program fills have server defaults too, so that a test can insert a row with plain SQL.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_sources_and_jobs"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(20), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("base_url", sa.String(500), nullable=False),
    )
    op.create_table(
        "archive_jobs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id")),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("output_dir", sa.Text, nullable=False),
        sa.Column("status", sa.String(50), nullable=False, server_default="queued", index=True),
        sa.Column("queued_at", MOMENT),
        sa.Column("started_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("retry_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("config", sa.JSON),
        sa.Column("crawler_exit_code", sa.Integer),
        sa.Column("crawler_status", sa.String(50)),
        sa.Column("crawler_stage", sa.String(100)),
        sa.Column("last_stats_json", sa.JSON),
        sa.Column("pages_crawled", sa.Integer),
        sa.Column("pages_total", sa.Integer),
        sa.Column("pages_failed", sa.Integer),
        sa.Column("warc_file_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("warc_bytes_total", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("indexed_page_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("final_zim_path", sa.Text),
        sa.Column("combined_log_path", sa.Text),
        sa.Column("state_file_path", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", MOMENT, nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("archive_jobs")
    op.drop_table("sources")
