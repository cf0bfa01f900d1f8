"""The tables of app.applications: checks, applications, agreements, snapshots, returns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "eligibility_check",
    "application",
    "agreement",
    "application_snapshot",
    "application_return",
    "returned_point",
    "task_reply",
)


def reference(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def upgrade():
    op.create_table(
        "eligibility_check",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("entity_type", sa.Text, nullable=False),
        sa.Column("rules_version", sa.Text, nullable=False),
        sa.Column("answers", JSONB, nullable=False),
        sa.Column("eligible", sa.Boolean, nullable=False),
        sa.Column("reasons", JSONB, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_eligibility_check"),
        reference("eligibility_check", "trader_id", "trader"),
        reference("eligibility_check", "person_id", "person"),
    )
    op.create_index("ix_eligibility_check_trader_id_at", "eligibility_check", ["trader_id", "at"])
    op.execute("SELECT fairway_append_only('eligibility_check')")
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("tier", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("check_id", sa.Uuid, nullable=False),
        sa.Column("reopened_tasks", ARRAY(sa.Text), nullable=False),
        sa.Column("snapshot_count", sa.BigInteger, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("started_by", sa.Uuid),
        sa.Column("submitted_at", INSTANT),
        sa.Column("submitted_by", sa.Uuid),
        sa.Column("closed_at", INSTANT),
        sa.Column("closed_by", sa.Uuid),
        sa.Column("outcome_reason", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
        sa.UniqueConstraint("reference", name="uq_application_reference"),
        sa.UniqueConstraint("assessment_id", name="uq_application_assessment_id"),
        reference("application", "trader_id", "trader"),
        reference("application", "assessment_id", "assessment"),
        reference("application", "check_id", "eligibility_check"),
        reference("application", "started_by", "person"),
        reference("application", "submitted_by", "person"),
        reference("application", "closed_by", "person"),
        sa.CheckConstraint("tier > 0", name=op.f("ck_application_tier")),
        sa.CheckConstraint("snapshot_count >= 0", name=op.f("ck_application_snapshot_count")),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'granted', 'refused', 'withdrawn')",
            name=op.f("ck_application_state"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR (snapshot_count > 0 AND submitted_at IS NOT NULL)",
            name=op.f("ck_application_submitted"),
        ),
    )
    op.create_index(
        "uq_application_open",
        "application",
        ["trader_id", "programme"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'submitted', 'returned')"),
    )
    op.create_index(
        "ix_application_trader_id_started_at", "application", ["trader_id", "started_at"]
    )
    # Whose it is, what it asks for and what it rests on are fixed when it is started.
    op.execute(
        "SELECT fairway_protect('application', 'SELECT, INSERT,"
        " UPDATE (state, reopened_tasks, snapshot_count, submitted_at, submitted_by, closed_at,"
        " closed_by, outcome_reason, version)')"
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("for_snapshot", sa.BigInteger, nullable=False),
        sa.Column("text_version", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("signed_name", sa.Text, nullable=False),
        sa.Column("signed_by", sa.Uuid, nullable=False),
        sa.Column("signed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agreement"),
        sa.UniqueConstraint(
            "application_id", "for_snapshot", name="uq_agreement_application_id_for_snapshot"
        ),
        reference("agreement", "application_id", "application"),
        reference("agreement", "trader_id", "trader"),
        reference("agreement", "signed_by", "person"),
    )
    op.execute("SELECT fairway_append_only('agreement')")
    op.create_table(
        "application_snapshot",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_application_snapshot"),
        sa.UniqueConstraint(
            "application_id", "number", name="uq_application_snapshot_application_id_number"
        ),
        reference("application_snapshot", "application_id", "application"),
        reference("application_snapshot", "trader_id", "trader"),
        reference("application_snapshot", "person_id", "person"),
        sa.CheckConstraint(
            "sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_application_snapshot_sha256")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_application_snapshot_number")),
    )
    op.execute("SELECT fairway_append_only('application_snapshot')")
    op.create_table(
        "application_return",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("tasks", ARRAY(sa.Text), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("returned_at", INSTANT, nullable=False),
        sa.Column("returned_by", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_application_return"),
        sa.UniqueConstraint(
            "application_id", "round", name="uq_application_return_application_id_round"
        ),
        reference("application_return", "application_id", "application"),
        reference("application_return", "trader_id", "trader"),
        reference("application_return", "returned_by", "person"),
    )
    op.execute("SELECT fairway_append_only('application_return')")
    op.create_table(
        "returned_point",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("criterion_id", sa.Text),
        sa.Column("comment", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_returned_point"),
        sa.ForeignKeyConstraint(
            ["application_id", "round"],
            ["application_return.application_id", "application_return.round"],
            name="fk_returned_point_application_id_round",
        ),
    )
    op.create_index(
        "ix_returned_point_application_id_round", "returned_point", ["application_id", "round"]
    )
    op.execute("SELECT fairway_append_only('returned_point')")
    op.create_table(
        "task_reply",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_task_reply"),
        reference("task_reply", "person_id", "person"),
        sa.ForeignKeyConstraint(
            ["application_id", "round"],
            ["application_return.application_id", "application_return.round"],
            name="fk_task_reply_application_id_round",
        ),
    )
    op.create_index("ix_task_reply_application_id_round", "task_reply", ["application_id", "round"])
    op.execute("SELECT fairway_append_only('task_reply')")


def downgrade():
    for table in reversed(TABLES):
        op.drop_table(table)
