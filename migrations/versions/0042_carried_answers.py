"""Answers that are carried into another version of the criteria; the earlier assessment stays."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
STATE = "ck_assessment_state"

# What was carried stays as it was carried; only that it was set aside is added, once.
GUARD = """
CREATE FUNCTION fairway_guard_carried_answer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  aside text[] := ARRAY['set_aside_at', 'set_aside_by'];
BEGIN
  IF TG_OP = 'DELETE' OR to_jsonb(NEW) - aside <> to_jsonb(OLD) - aside
     OR OLD.set_aside_at IS NOT NULL THEN
    RAISE EXCEPTION 'a carried answer stays as it was carried' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON carried_answer
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_carried_answer();

SELECT fairway_protect('carried_answer', 'SELECT, INSERT, UPDATE (set_aside_at, set_aside_by)');
SELECT fairway_isolate('carried_answer',
  'EXISTS (SELECT 1 FROM assessment parent WHERE parent.id = carried_answer.assessment_id)');
-- Only while it is open does an application go on to another assessment.
GRANT UPDATE (assessment_id) ON application TO fairway_app, fairway_portal;
CREATE FUNCTION fairway_guard_moved_application() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.assessment_id <> OLD.assessment_id AND (
       OLD.state NOT IN ('draft', 'returned') OR NOT EXISTS (
         SELECT 1 FROM assessment a
         WHERE a.id = NEW.assessment_id AND a.carried_from = OLD.assessment_id)) THEN
    RAISE EXCEPTION 'an application goes on only to what was carried from its assessment'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_moved BEFORE UPDATE OF assessment_id ON application
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_moved_application();
"""


def upgrade():
    op.drop_constraint(op.f(STATE), "assessment")
    op.create_check_constraint(
        op.f(STATE), "assessment", "state IN ('draft', 'submitted', 'returned', 'moved')"
    )
    op.add_column("assessment", sa.Column("carried_from", sa.Uuid))
    op.create_unique_constraint("uq_assessment_trader_id_id", "assessment", ["trader_id", "id"])
    # The owner is bound by the policies too and sees no row to check; the column is empty.
    op.execute("ALTER TABLE assessment NO FORCE ROW LEVEL SECURITY")
    op.create_foreign_key(
        "fk_assessment_carried_from",
        "assessment",
        "assessment",
        ["trader_id", "carried_from"],
        ["trader_id", "id"],
    )
    op.execute("ALTER TABLE assessment FORCE ROW LEVEL SECURITY")
    op.create_table(
        "carried_answer",
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("source_question_id", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("value", "how_met", "document_reference", "not_applicable_reason")
        ),
        sa.Column("said_at", INSTANT, nullable=False),
        sa.Column("said_by", sa.Uuid),
        sa.Column("said_by_name", sa.Text, nullable=False),
        sa.Column("set_aside_at", INSTANT),
        sa.Column("set_aside_by", sa.Uuid),
        sa.PrimaryKeyConstraint("assessment_id", "question_id", name="pk_carried_answer"),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name="fk_carried_answer_assessment_id"
        ),
        *(
            sa.ForeignKeyConstraint([column], ["person.id"], name=f"fk_carried_answer_{column}")
            for column in ("said_by", "set_aside_by")
        ),
        sa.CheckConstraint(
            "how IN ('kept', 'reworded', 'unconfirmed', 'suggested')",
            name=op.f("ck_carried_answer_how"),
        ),
    )
    op.execute(GUARD)


def downgrade():
    op.execute("DROP TRIGGER guard_moved ON application")
    op.execute("DROP FUNCTION fairway_guard_moved_application()")
    op.execute("REVOKE UPDATE (assessment_id) ON application FROM fairway_app, fairway_portal")
    op.drop_table("carried_answer")
    op.execute("DROP FUNCTION fairway_guard_carried_answer()")
    op.drop_constraint("fk_assessment_carried_from", "assessment")
    op.drop_constraint("uq_assessment_trader_id_id", "assessment")
    op.drop_column("assessment", "carried_from")
    op.drop_constraint(op.f(STATE), "assessment")
    op.create_check_constraint(op.f(STATE), "assessment", "state IN ('draft', 'submitted', 'returned')")
