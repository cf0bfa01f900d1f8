"""The tables of app.casework: cases, what was judged in them, requests for information."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("casework_case", "criterion_review", "information_request")


def reference(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def check(table, name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade():
    create_case()
    create_review()
    create_request()


def create_case():
    table = "casework_case"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("programme", sa.Text, nullable=False),
        sa.Column("tier", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("snapshot_number", sa.BigInteger, nullable=False),
        sa.Column("assignee_id", sa.Uuid),
        sa.Column("assignee_name", sa.Text),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("taken_at", INSTANT),
        sa.Column("answered_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("outcome", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_casework_case"),
        sa.UniqueConstraint("reference", name="uq_casework_case_reference"),
        sa.UniqueConstraint("application_id", name="uq_casework_case_application_id"),
        reference(table, "trader_id", "trader"),
        reference(table, "application_id", "application"),
        reference(table, "assignee_id", "person"),
        check(
            table,
            "state",
            "state IN ('open', 'in_review', 'waiting_on_trader', 'recommended', 'closed')",
        ),
        check(
            table,
            "assignee",
            "state NOT IN ('in_review', 'recommended') OR assignee_id IS NOT NULL",
        ),
        check(table, "unassigned", "state <> 'open' OR assignee_id IS NULL"),
        check(table, "closed", "(state = 'closed') = (closed_at IS NOT NULL)"),
        check(table, "snapshot_number", "snapshot_number > 0"),
    )
    op.create_index("ix_casework_case_trader_id", table, ["trader_id"])
    op.create_index(
        "ix_casework_case_assignee_id",
        table,
        ["assignee_id", "due_on"],
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        "ix_casework_case_state_due_on",
        table,
        ["state", "due_on"],
        postgresql_where=sa.text("state <> 'closed'"),
    )
    # What a case is about, and by when it is to be decided, is fixed when it is opened.
    op.execute(
        "SELECT fairway_protect('casework_case', 'SELECT, INSERT,"
        " UPDATE (state, snapshot_number, assignee_id, assignee_name, taken_at, answered_at,"
        " closed_at, outcome, version)')"
    )


def create_review():
    table = "criterion_review"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("criterion_id", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("snapshot_number", sa.BigInteger, nullable=False),
        sa.Column("content_sha256", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("reviewer_id", sa.Uuid, nullable=False),
        sa.Column("reviewer_name", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_criterion_review"),
        sa.UniqueConstraint(
            "case_id", "criterion_id", "number", name="uq_criterion_review_case_id_number"
        ),
        reference(table, "case_id", "casework_case"),
        reference(table, "trader_id", "trader"),
        reference(table, "reviewer_id", "person"),
        check(table, "verdict", "verdict IN ('accepted', 'returned')"),
        check(table, "comment", "verdict <> 'returned' OR btrim(comment) <> ''"),
        check(table, "content_sha256", "content_sha256 ~ '^[0-9a-f]{64}$'"),
    )
    op.execute("SELECT fairway_append_only('criterion_review')")


def create_request():
    table = "information_request"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("tasks", ARRAY(sa.Text), nullable=False),
        sa.Column("criteria", ARRAY(sa.Text), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("sent_by", sa.Uuid, nullable=False),
        sa.Column("sent_by_name", sa.Text, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_information_request"),
        sa.UniqueConstraint("case_id", "round", name="uq_information_request_case_id_round"),
        reference(table, "case_id", "casework_case"),
        reference(table, "trader_id", "trader"),
        reference(table, "application_id", "application"),
        reference(table, "sent_by", "person"),
        check(table, "state", "state IN ('open', 'answered', 'closed')"),
        check(table, "ended", "(state = 'open') = (ended_at IS NULL)"),
    )
    op.create_index(
        "uq_information_request_open",
        table,
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    # What was asked stays as it was asked.
    op.execute(
        "SELECT fairway_protect('information_request',"
        " 'SELECT, INSERT, UPDATE (state, ended_at, version)')"
    )


def downgrade():
    for table in reversed(TABLES):
        op.drop_table(table)
