"""What colleagues say about a question of the self-assessment; the agency has no right to read it."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLE = "colleague_comment"

# Its own people, and those of a broker whom it lets prepare: other delegations bring a trader into
# reach, and nothing of this.
READERS = """
trader_id = ANY ({own}) OR EXISTS (
  SELECT 1 FROM delegation AS d
  WHERE d.trader_id = colleague_comment.trader_id AND d.broker_id = ANY ({own})
    AND d.state = 'active' AND 'prepare' = ANY (d.scopes)
    AND d.valid_from <= fairway_now() AND d.valid_until > fairway_now())
"""
PARENT = """
EXISTS (
  SELECT 1 FROM assessment AS parent
  WHERE parent.id = colleague_comment.assessment_id
    AND parent.trader_id = colleague_comment.trader_id)
"""
# Nobody writes in another's name, nor asks somebody who is not there.
ONESELF = """
CREATE POLICY oneself ON colleague_comment AS RESTRICTIVE FOR INSERT TO fairway_portal
  WITH CHECK (
    written_by = (SELECT fairway_person()) AND ended_by IS NULL
    AND (asked_id IS NULL OR EXISTS (
      SELECT 1 FROM appointment AS role
      WHERE role.trader_id = colleague_comment.trader_id
        AND role.person_id = colleague_comment.asked_id AND role.state = 'active')));
CREATE POLICY ending ON colleague_comment AS RESTRICTIVE FOR UPDATE TO fairway_portal
  USING (true)
  WITH CHECK (ended_by = (SELECT fairway_person()));
GRANT UPDATE (state, ended_at, ended_by, ended_by_name) ON colleague_comment
  TO fairway_app, fairway_portal;
GRANT UPDATE (written_by_name, asked_name) ON colleague_comment TO fairway_app;
"""
# What was answered or closed stays so; only a name is erased from it.
GUARD = """
CREATE FUNCTION fairway_guard_colleague_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'asked' AND ROW(NEW.state, NEW.ended_at, NEW.ended_by) IS DISTINCT FROM
     ROW(OLD.state, OLD.ended_at, OLD.ended_by) THEN
    RAISE EXCEPTION 'what was answered or closed stays so' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_colleague_comment BEFORE UPDATE ON colleague_comment
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_colleague_comment();
"""


def check(name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_{TABLE}_{name}"))


def upgrade():
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("written_by", sa.Uuid, nullable=False),
        sa.Column("written_by_name", sa.Text, nullable=False),
        sa.Column("broker_name", sa.Text, nullable=False),
        sa.Column("asked_id", sa.Uuid),
        sa.Column("asked_name", sa.Text, nullable=False),
        sa.Column("answers_id", sa.Uuid),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.Uuid),
        sa.Column("ended_by_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sa.UniqueConstraint(
            "assessment_id",
            "question_id",
            "id",
            name=f"uq_{TABLE}_assessment_id_question_id_id",
        ),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_{TABLE}_{column}")
            for column, target in (
                ("trader_id", "trader.id"),
                ("assessment_id", "assessment.id"),
                ("written_by", "person.id"),
                ("asked_id", "person.id"),
                ("ended_by", "person.id"),
            )
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id", "question_id", "answers_id"],
            [f"{TABLE}.assessment_id", f"{TABLE}.question_id", f"{TABLE}.id"],
            name=f"fk_{TABLE}_answers",
        ),
        check("state", "state IN ('said', 'asked', 'answered', 'closed')"),
        check("body", "btrim(body) <> '' AND char_length(body) <= 4000"),
        check("asked", "(state = 'said') = (asked_id IS NULL)"),
        check("ended", "(state IN ('answered', 'closed')) = (ended_at IS NOT NULL)"),
    )
    op.create_index(
        f"ix_{TABLE}_waiting",
        TABLE,
        ["trader_id", "asked_id"],
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.execute(f"SELECT fairway_protect('{TABLE}', 'SELECT, INSERT')")
    rule, also = READERS.replace("'", "''"), PARENT.replace("'", "''")
    op.execute(f"SELECT fairway_isolate('{TABLE}', '{rule}', '{also}')")
    op.execute(ONESELF)
    op.execute(GUARD)


def downgrade():
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION fairway_guard_colleague_comment()")
