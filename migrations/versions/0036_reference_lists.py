"""Lists of codes by which filings are judged, whole and dated, and which of them a batch went by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "reference_list",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reference_list"),
    )
    op.create_index("ix_reference_list_kind_loaded_at", "reference_list", ["kind", "loaded_at"])
    op.execute("SELECT fairway_append_only('reference_list')")
    # What one files oneself is judged in one's own transaction; lists are loaded by the operator.
    for part in ("portal", "api"):
        op.execute(f"SELECT fairway_allow('{part}', 'reference_list', 'SELECT')")
    op.add_column("batch", sa.Column("lists", JSONB))


def downgrade():
    op.drop_column("batch", "lists")
    op.drop_table("reference_list")
