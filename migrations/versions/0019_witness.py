"""What witnesses have cosigned, and how the log fares."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "log_cosignature",
        sa.Column("size", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("witness", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", name="pk_log_cosignature"),
    )
    op.execute("SELECT fairway_append_only('log_cosignature')")
    op.create_table(
        "log_state",
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trouble", sa.Text),
        sa.Column("said", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("origin", "part", name="pk_log_state"),
    )
    op.execute("SELECT fairway_protect('log_state', 'SELECT, INSERT, UPDATE')")
    # A trader's receipt carries cosignatures; how the log fares is the operator's business.
    op.execute("REVOKE INSERT ON log_cosignature FROM fairway_portal")
    op.execute("REVOKE ALL ON log_state FROM fairway_portal")


def downgrade():
    op.drop_table("log_state")
    op.drop_table("log_cosignature")
