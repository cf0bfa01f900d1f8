"""The tables of app.facilitation: the policy's versions that were used, and the decisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "policy_version",
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("table_text", sa.Text, nullable=False),
        sa.Column("words_text", sa.Text, nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_policy_version"),
    )
    op.execute("SELECT fairway_append_only('policy_version')")
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Uuid, nullable=False),
        sa.Column("transaction_id", sa.Text, nullable=False),
        sa.Column("transaction_sha256", sa.Text, nullable=False),
        sa.Column("input", JSONB, nullable=False),
        sa.Column("input_sha256", sa.Text, nullable=False),
        sa.Column("output", JSONB, nullable=False),
        sa.Column("trace", JSONB, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("policy_sha256", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
        sa.UniqueConstraint(
            "client_id", "transaction_id", name="uq_decision_client_id_transaction_id"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_client.id"], name="fk_decision_client_id"
        ),
        sa.ForeignKeyConstraint(
            ["policy_sha256"], ["policy_version.sha256"], name="fk_decision_policy_sha256"
        ),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_decision_seq")),
    )
    op.execute("SELECT fairway_append_only('decision')")


def downgrade():
    op.drop_table("decision")
    op.drop_table("policy_version")
