"""One company asks whether another is an active partner: a row of each, and none reads the other's."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

# What was asked stays so on both sides. A consent is given by the company that was asked, and comes into
# being through the system alone: the portal's role cannot insert one.
GUARD = """
CREATE FUNCTION fairway_guard_verification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR ROW(NEW.trader_id, NEW.trader_name, NEW.scheme, NEW.number, NEW.asked_by,
       NEW.asked_at, NEW.lapses_at)
     IS DISTINCT FROM ROW(OLD.trader_id, OLD.trader_name, OLD.scheme, OLD.number, OLD.asked_by,
       OLD.asked_at, OLD.lapses_at)
     OR (OLD.state NOT IN ('waiting', 'shown') AND NEW.state <> OLD.state) THEN
    RAISE EXCEPTION 'what was asked stays so' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON verification
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_verification();
CREATE FUNCTION fairway_guard_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR ROW(NEW.trader_id, NEW.trader_name, NEW.verification_id, NEW.asker_id,
       NEW.asker_name, NEW.scheme, NEW.number, NEW.asked_at, NEW.lapses_at)
     IS DISTINCT FROM ROW(OLD.trader_id, OLD.trader_name, OLD.verification_id, OLD.asker_id,
       OLD.asker_name, OLD.scheme, OLD.number, OLD.asked_at, OLD.lapses_at)
     OR (OLD.state NOT IN ('asked', 'given') AND NEW.state <> OLD.state) THEN
    RAISE EXCEPTION 'what was consented to stays so' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON consent
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_consent();

SELECT fairway_protect('verification', 'SELECT, INSERT, UPDATE');
SELECT fairway_isolate('verification', 'trader_id = ANY ({own})');
SELECT fairway_protect('consent', 'SELECT, INSERT, UPDATE');
REVOKE INSERT ON consent FROM fairway_portal;
SELECT fairway_isolate('consent', 'trader_id = ANY ({own})');
"""


def check(table, name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade():
    op.create_table(
        "verification",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("trader_name", sa.Text, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Uuid, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("lapses_at", INSTANT, nullable=False),
        sa.Column("holder_name", sa.Text),
        sa.Column("shown_at", INSTANT),
        sa.Column("told_active", sa.Boolean),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_verification"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_verification_trader_id"),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name="fk_verification_asked_by"),
        check(
            "verification",
            "state",
            "state IN ('waiting', 'shown', 'lapsed', 'withdrawn', 'ended')",
        ),
        check("verification", "shown", "(shown_at IS NULL) = (holder_name IS NULL)"),
    )
    op.create_index("ix_verification_trader_id_asked_at", "verification", ["trader_id", "asked_at"])
    op.create_index(
        "ix_verification_watched",
        "verification",
        ["lapses_at"],
        postgresql_where=sa.text("state IN ('waiting', 'shown')"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("trader_name", sa.Text, nullable=False),
        sa.Column("verification_id", sa.Uuid, nullable=False),
        sa.Column("asker_id", sa.Uuid, nullable=False),
        sa.Column("asker_name", sa.Text, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("lapses_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.UniqueConstraint("verification_id", name="uq_consent_verification_id"),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_consent_{column}")
            for column, target in (
                ("trader_id", "trader.id"),
                ("verification_id", "verification.id"),
                ("asker_id", "trader.id"),
                ("decided_by", "person.id"),
            )
        ),
        check(
            "consent",
            "state",
            "state IN ('asked', 'given', 'declined', 'lapsed', 'ended', 'closed')",
        ),
        check("consent", "two_companies", "trader_id <> asker_id"),
        check("consent", "decided", "state NOT IN ('given', 'declined') OR decided_by IS NOT NULL"),
    )
    op.create_index("ix_consent_trader_id_asked_at", "consent", ["trader_id", "asked_at"])
    op.create_index("ix_consent_asker_id", "consent", ["asker_id"])
    op.execute(GUARD)


def downgrade():
    op.drop_table("consent")
    op.drop_table("verification")
    op.execute("DROP FUNCTION fairway_guard_consent()")
    op.execute("DROP FUNCTION fairway_guard_verification()")
