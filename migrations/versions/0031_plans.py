"""Improvement plans: one for each assessment, with its actions."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def keys(table, *pairs):
    return [
        sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")
        for column, target in pairs
    ]


def check(table, name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


# What a plan belongs to never changes, and an action stays with its plan and criterion.
GUARD = """
CREATE FUNCTION fairway_guard_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.id, NEW.trader_id, NEW.assessment_id) IS DISTINCT FROM
     ROW(OLD.id, OLD.trader_id, OLD.assessment_id) THEN
    RAISE EXCEPTION 'a plan stays with its assessment' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_plan BEFORE UPDATE ON plan
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_plan();
CREATE FUNCTION fairway_guard_plan_action() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.id, NEW.trader_id, NEW.plan_id, NEW.criterion_id, NEW.promised_at) IS DISTINCT FROM
     ROW(OLD.id, OLD.trader_id, OLD.plan_id, OLD.criterion_id, OLD.promised_at) THEN
    RAISE EXCEPTION 'an action stays with its plan' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_plan_action BEFORE UPDATE ON plan_action
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_plan_action();
"""


def upgrade():
    op.create_table(
        "plan",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("assessment_id", sa.Uuid, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("shared_at", INSTANT),
        sa.Column("shared_by", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_plan"),
        sa.UniqueConstraint("assessment_id", name="uq_plan_assessment_id"),
        sa.UniqueConstraint("trader_id", "id", name="uq_plan_trader_id_id"),
        *keys(
            "plan",
            ("trader_id", "trader.id"),
            ("assessment_id", "assessment.id"),
            ("created_by", "person.id"),
            ("shared_by", "person.id"),
        ),
        check("plan", "shared", "(shared_at IS NULL) = (shared_by IS NULL)"),
    )
    op.create_table(
        "plan_action",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("plan_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("criterion_id", sa.Text, nullable=False),
        sa.Column("promise", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Uuid),
        sa.Column("owner_name", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("proof_revision_id", sa.Uuid),
        sa.Column("reason", sa.Text),
        sa.Column("promised_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_action"),
        *keys("plan_action", ("trader_id", "trader.id"), ("owner_id", "person.id")),
        sa.ForeignKeyConstraint(
            ["trader_id", "plan_id"], ["plan.trader_id", "plan.id"], name="fk_plan_action_plan"
        ),
        sa.ForeignKeyConstraint(
            ["trader_id", "proof_revision_id"],
            ["document_revision.trader_id", "document_revision.id"],
            name="fk_plan_action_proof",
        ),
        check("plan_action", "state", "state IN ('promised', 'begun', 'done', 'dropped')"),
        check("plan_action", "promise", "btrim(promise) <> ''"),
        check("plan_action", "proof", "(state = 'done') = (proof_revision_id IS NOT NULL)"),
        check("plan_action", "reason", "(state = 'dropped') = (reason IS NOT NULL)"),
        check("plan_action", "ended", "(state IN ('done', 'dropped')) = (ended_at IS NOT NULL)"),
    )
    op.create_index(
        "uq_plan_action_open",
        "plan_action",
        ["plan_id", "criterion_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('promised', 'begun')"),
    )
    op.create_index("ix_plan_action_trader_id_due_on", "plan_action", ["trader_id", "due_on"])
    for table in ("plan", "plan_action"):
        op.execute(f"SELECT fairway_protect('{table}', 'SELECT, INSERT, UPDATE')")
        op.execute(f"SELECT fairway_isolate('{table}')")
    op.execute(GUARD)


def downgrade():
    for table in ("plan_action", "plan"):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION fairway_guard_{table}()")
