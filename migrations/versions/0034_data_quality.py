"""What was counted of each file, told dates of voyages, and reminders of what is owed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

WITHIN_BATCH = "EXISTS (SELECT 1 FROM batch AS parent WHERE parent.id = batch_quality.batch_id)"
FLEXIBLE = "content ->> 'action_reason' IN ('FR', 'FT', 'FX')"


def isolate(table, rule):
    op.execute(sa.text("SELECT fairway_isolate(CAST(:table AS regclass), :rule)").bindparams(
        table=table, rule=rule
    ))


def upgrade():
    instant = sa.DateTime(timezone=True)
    op.add_column("batch", sa.Column("corrects_id", sa.Uuid))
    op.add_column("batch", sa.Column("corrects_row", sa.BigInteger))
    op.create_check_constraint(
        op.f("ck_batch_corrected_row"), "batch", "corrects_row IS NULL OR corrects_id IS NOT NULL"
    )
    # A correction belongs to the trader whose file it corrects, whoever writes it.
    op.create_unique_constraint("uq_batch_id_trader_id", "batch", ["id", "trader_id"])
    # Checking what is there asks the table, which its policies close to the owner otherwise.
    op.execute("ALTER TABLE batch NO FORCE ROW LEVEL SECURITY")
    op.create_foreign_key(
        "fk_batch_corrects_id_trader_id",
        "batch",
        "batch",
        ["corrects_id", "trader_id"],
        ["id", "trader_id"],
    )
    op.execute("ALTER TABLE batch FORCE ROW LEVEL SECURITY")
    # A row of a file is corrected once.
    op.create_index(
        "uq_batch_corrects_id_corrects_row",
        "batch",
        ["corrects_id", "corrects_row"],
        unique=True,
        postgresql_where=sa.text("corrects_row IS NOT NULL"),
    )
    op.create_index(
        "ix_batch_corrects_id",
        "batch",
        ["corrects_id"],
        postgresql_where=sa.text("corrects_id IS NOT NULL"),
    )
    op.create_table(
        "batch_quality",
        sa.Column("batch_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("acting_trader_id", sa.Uuid),
        sa.Column("received_at", instant, nullable=False),
        sa.Column("figures", JSONB, nullable=False),
        sa.Column("as_sent", JSONB, nullable=False),
        sa.Column("measured_at", instant, nullable=False),
        sa.Column("changes_at", instant),
        sa.PrimaryKeyConstraint("batch_id", name="pk_batch_quality"),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_batch_quality_batch_id"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_batch_quality_trader_id"),
    )
    op.create_index(
        "ix_batch_quality_trader_id_received_at", "batch_quality", ["trader_id", "received_at"]
    )
    op.create_index(
        "ix_batch_quality_changes_at",
        "batch_quality",
        ["changes_at"],
        postgresql_where=sa.text("changes_at IS NOT NULL"),
    )
    op.execute("SELECT fairway_protect('batch_quality', 'SELECT, INSERT, UPDATE')")
    isolate("batch_quality", f"trader_id = ANY ({{reach}}) AND {WITHIN_BATCH}")
    # A score is worked out by the worker and read by everybody else.
    op.execute("REVOKE INSERT, UPDATE ON batch_quality FROM fairway_portal")

    op.create_table(
        "voyage_report",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("acting_trader_id", sa.Uuid),
        sa.Column("filing_ref", sa.Text, nullable=False),
        sa.Column("filing_id", sa.Uuid, nullable=False),
        sa.Column("departs_at", instant),
        sa.Column("arrives_at", instant),
        sa.Column("told_at", instant, nullable=False),
        sa.Column("told_by_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_voyage_report"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_voyage_report_trader_id"),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name="fk_voyage_report_filing_id"),
        sa.CheckConstraint(
            "departs_at IS NOT NULL OR arrives_at IS NOT NULL",
            name=op.f("ck_voyage_report_says_something"),
        ),
        sa.CheckConstraint("arrives_at > departs_at", name=op.f("ck_voyage_report_in_order")),
    )
    op.create_index(
        "ix_voyage_report_trader_id_filing_ref_told_at",
        "voyage_report",
        ["trader_id", "filing_ref", "told_at"],
    )
    op.execute("SELECT fairway_append_only('voyage_report')")
    isolate(
        "voyage_report",
        "trader_id = ANY ({reach}) AND EXISTS (SELECT 1 FROM filing AS parent"
        " WHERE parent.id = voyage_report.filing_id)",
    )

    op.create_table(
        "follow_up_reminder",
        sa.Column("filing_id", sa.Uuid, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("sent_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("filing_id", "stage", name="pk_follow_up_reminder"),
        sa.ForeignKeyConstraint(
            ["filing_id"], ["filing.id"], name="fk_follow_up_reminder_filing_id"
        ),
        sa.ForeignKeyConstraint(
            ["trader_id"], ["trader.id"], name="fk_follow_up_reminder_trader_id"
        ),
        sa.CheckConstraint(
            "stage IN ('dateless', 'soon', 'overdue')", name=op.f("ck_follow_up_reminder_stage")
        ),
    )
    op.execute("SELECT fairway_append_only('follow_up_reminder')")
    isolate("follow_up_reminder", "trader_id = ANY ({reach})")
    op.execute("REVOKE INSERT ON follow_up_reminder FROM fairway_portal")
    op.create_index(
        "ix_filing_flexible",
        "filing",
        ["trader_id", "filed_at"],
        postgresql_where=sa.text(FLEXIBLE),
    )


def downgrade():
    op.drop_index("ix_filing_flexible", "filing")
    for table in ("follow_up_reminder", "voyage_report", "batch_quality"):
        op.drop_table(table)
    op.drop_index("ix_batch_corrects_id", "batch")
    op.drop_index("uq_batch_corrects_id_corrects_row", "batch")
    op.drop_constraint("fk_batch_corrects_id_trader_id", "batch", type_="foreignkey")
    op.drop_constraint("uq_batch_id_trader_id", "batch", type_="unique")
    op.drop_constraint(op.f("ck_batch_corrected_row"), "batch", type_="check")
    op.drop_column("batch", "corrects_row")
    op.drop_column("batch", "corrects_id")
