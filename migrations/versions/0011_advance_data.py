"""The tables of app.advance_data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("received_at", instant, nullable=False),
        sa.Column("received_by", sa.Uuid),
        sa.Column("received_by_name", sa.Text, nullable=False),
        sa.Column("client_id", sa.Uuid),
        sa.Column("finished_at", instant),
        sa.Column("read", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("rejected", sa.BigInteger, nullable=False),
        sa.Column("warnings", sa.BigInteger, nullable=False),
        sa.Column("refusal", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
        sa.UniqueConstraint("reference", name="uq_batch_reference"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_batch_trader_id"),
        sa.ForeignKeyConstraint(["received_by"], ["person.id"], name="fk_batch_received_by"),
        sa.CheckConstraint(
            "state <> 'done' OR accepted + rejected = read", name=op.f("ck_batch_conserved")
        ),
    )
    op.create_index(
        "uq_batch_trader_id_idempotency_key",
        "batch",
        ["trader_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index("ix_batch_trader_id_received_at", "batch", ["trader_id", "received_at"])
    op.execute("SELECT fairway_protect('batch', 'SELECT, INSERT, UPDATE')")
    op.create_table(
        "filing",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("batch_id", sa.Uuid, nullable=False),
        sa.Column("file_row", sa.BigInteger, nullable=False),
        sa.Column("line_no", sa.BigInteger, nullable=False),
        sa.Column("filing_ref", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("importer_shown", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("filed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_filing"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_filing_trader_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_filing_batch_id"),
        sa.UniqueConstraint(
            "trader_id", "filing_ref", "number", name="uq_filing_trader_id_filing_ref_number"
        ),
        sa.UniqueConstraint("receipt", name="uq_filing_receipt"),
        sa.CheckConstraint("action IN ('A', 'R', 'D')", name=op.f("ck_filing_action")),
    )
    op.create_index("ix_filing_trader_id_filed_at", "filing", ["trader_id", "filed_at"])
    op.create_index("ix_filing_batch_id_file_row", "filing", ["batch_id", "file_row"])
    # A filing has legal effect: not even the owner of the table alters one.
    op.execute("SELECT fairway_append_only('filing')")
    op.create_table(
        "filing_fault",
        sa.Column("batch_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("file_row", sa.BigInteger, nullable=False),
        sa.Column("line_no", sa.BigInteger, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("fix", sa.Text, nullable=False),
        sa.Column("spec_ref", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "position", name="pk_filing_fault"),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_filing_fault_batch_id"),
    )
    op.execute("SELECT fairway_append_only('filing_fault')")


def downgrade():
    for table in ("filing_fault", "filing", "batch"):
        op.drop_table(table)
