"""The tables of app.assessments: answers, all their versions, and the evidence beside them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("assessment", "assessment_section", "answer", "answer_revision", "answer_evidence")


def reference(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def content():
    return [
        sa.Column(name, sa.Text, nullable=False)
        for name in ("value", "how_met", "document_reference", "not_applicable_reason")
    ]


def upgrade():
    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("catalogue_id", sa.Text, nullable=False),
        sa.Column("catalogue_version", sa.Text, nullable=False),
        sa.Column("catalogue_sha256", sa.Text, nullable=False),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reopened_sections", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assessment"),
        reference("assessment", "trader_id", "trader"),
        reference("assessment", "created_by", "person"),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned')", name=op.f("ck_assessment_state")
        ),
    )
    op.create_index("ix_assessment_trader_id", "assessment", ["trader_id"])
    # The catalogue, its hash and the profile are pinned for good.
    op.execute(
        "SELECT fairway_protect('assessment',"
        " 'SELECT, INSERT, UPDATE (state, reopened_sections, version)')"
    )
    op.create_table(
        "assessment_section",
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("section_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("completed_at", INSTANT),
        sa.Column("completed_by", sa.Uuid),
        sa.PrimaryKeyConstraint("assessment_id", "section_id", name="pk_assessment_section"),
        reference("assessment_section", "assessment_id", "assessment"),
        reference("assessment_section", "completed_by", "person"),
    )
    op.execute(
        "SELECT fairway_protect('assessment_section',"
        " 'SELECT, INSERT, UPDATE (version, completed_at, completed_by)')"
    )
    op.create_table(
        "answer",
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Text, nullable=False),
        *content(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("updated_by", sa.Uuid),
        sa.Column("updated_by_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("assessment_id", "question_id", name="pk_answer"),
        reference("answer", "assessment_id", "assessment"),
        reference("answer", "updated_by", "person"),
    )
    op.execute("SELECT fairway_protect('answer', 'SELECT, INSERT, UPDATE')")
    op.create_table(
        "answer_revision",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Text, nullable=False),
        *content(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("saved_by", sa.Uuid),
        sa.Column("saved_by_name", sa.Text, nullable=False),
        sa.Column("saved_from", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answer_revision"),
        reference("answer_revision", "assessment_id", "assessment"),
        reference("answer_revision", "saved_by", "person"),
        sa.UniqueConstraint(
            "assessment_id",
            "question_id",
            "version",
            name="uq_answer_revision_assessment_id_question_id_version",
        ),
    )
    op.execute("SELECT fairway_append_only('answer_revision')")
    op.create_table(
        "answer_evidence",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("criterion_id", sa.Text, nullable=False),
        sa.Column("document_revision_id", sa.Uuid, nullable=False),
        sa.Column("attached_at", INSTANT, nullable=False),
        sa.Column("attached_by", sa.Uuid),
        sa.Column("attached_by_name", sa.Text, nullable=False),
        sa.Column("detached_at", INSTANT),
        sa.Column("detached_by", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_answer_evidence"),
        reference("answer_evidence", "assessment_id", "assessment"),
        reference("answer_evidence", "document_revision_id", "document_revision"),
        reference("answer_evidence", "attached_by", "person"),
        reference("answer_evidence", "detached_by", "person"),
    )
    op.create_index(
        "uq_answer_evidence_attached",
        "answer_evidence",
        ["assessment_id", "criterion_id", "document_revision_id"],
        unique=True,
        postgresql_where=sa.text("detached_at IS NULL"),
    )
    op.create_index(
        "ix_answer_evidence_document_revision_id", "answer_evidence", ["document_revision_id"]
    )
    op.execute(
        "SELECT fairway_protect('answer_evidence',"
        " 'SELECT, INSERT, UPDATE (detached_at, detached_by)')"
    )


def downgrade():
    for table in reversed(TABLES):
        op.drop_table(table)
