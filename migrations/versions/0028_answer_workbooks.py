"""Workbooks of answers that came back filled in, kept until somebody chose what to take."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
OF_ITS_TRADER = (
    "EXISTS (SELECT 1 FROM assessment AS parent WHERE parent.id = answer_workbook.assessment_id"
    " AND parent.trader_id = answer_workbook.trader_id)"
)


def check(name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_answer_workbook_{name}"))


def upgrade():
    op.create_table(
        "answer_workbook",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("catalogue_sha256", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("shown_versions", JSONB, nullable=False),
        sa.Column("given", JSONB, nullable=False),
        sa.Column("faults", JSONB, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("received_by", sa.Uuid),
        sa.Column("received_by_name", sa.Text, nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("taken", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answer_workbook"),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_answer_workbook_{column}")
            for column, target in (
                ("trader_id", "trader.id"),
                ("assessment_id", "assessment.id"),
                ("received_by", "person.id"),
                ("decided_by", "person.id"),
            )
        ),
        check("state", "state IN ('received', 'applied', 'discarded')"),
        check("sha256", "sha256 ~ '^[0-9a-f]{64}$'"),
        # What was decided on is kept no longer, and what is kept waits for a decision.
        check("decided", "(decided_at IS NULL) = (state = 'received')"),
        check("emptied", "state = 'received' OR given = '{}'"),
        check("taken", "taken >= 0 AND (taken = 0 OR state = 'applied')"),
    )
    op.create_index("ix_answer_workbook_assessment_id", "answer_workbook", ["assessment_id"])
    # What a workbook said and who brought it is not changed, only decided on.
    op.execute(
        "SELECT fairway_protect('answer_workbook',"
        " 'SELECT, INSERT, UPDATE (state, given, decided_at, decided_by, taken)')"
    )
    op.execute(
        "SELECT fairway_isolate('answer_workbook', 'trader_id = ANY ({reach})',"
        f" '{OF_ITS_TRADER}')"
    )


def downgrade():
    op.drop_table("answer_workbook")
