"""A new officer in the place of those who have gone: two people of the agency, also in SQL."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

# What was proposed is what is signed; only the decision is added, once, and by oneself. An erasure
# alone may empty who was to come (ADR 21).
GUARD = """
CREATE FUNCTION fairway_guard_succession() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  decision text[] := ARRAY['state', 'decided_by', 'decided_by_name', 'decided_at',
                           'decision_note', 'appointment_id', 'officer_name', 'officer_email'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a succession is never deleted' USING ERRCODE = 'restrict_violation';
  ELSIF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'proposed' OR NOT fairway_signs_for(NEW.proposed_by) THEN
      RAISE EXCEPTION 'a succession begins proposed, and by oneself'
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF to_jsonb(NEW) - decision <> to_jsonb(OLD) - decision
     OR NEW.officer_name NOT IN (OLD.officer_name, '')
     OR NEW.officer_email NOT IN (OLD.officer_email, '') THEN
    RAISE EXCEPTION 'what was proposed stays as it was proposed'
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state <> 'proposed' AND ROW(NEW.state, NEW.decided_by, NEW.decided_at, NEW.appointment_id)
     IS DISTINCT FROM ROW(OLD.state, OLD.decided_by, OLD.decided_at, OLD.appointment_id) THEN
    RAISE EXCEPTION 'a succession that was decided stays so' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.state <> OLD.state AND NOT fairway_signs_for(
       CASE NEW.state WHEN 'withdrawn' THEN NEW.proposed_by ELSE NEW.decided_by END) THEN
    RAISE EXCEPTION 'nobody decides in another name' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON succession
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_succession();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON succession
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse_change();

SELECT fairway_protect('succession', 'SELECT, INSERT, UPDATE');
-- Traders read of it in their activity and in letters, and have no business with the row.
REVOKE ALL ON succession FROM fairway_portal;
SELECT fairway_isolate('succession', 'false');
"""


def check(name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_succession_{name}"))


def upgrade():
    op.create_table(
        "succession",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("fate", sa.Text, nullable=False),
        sa.Column("leaving", ARRAY(sa.Uuid), nullable=False),
        sa.Column("officer_name", sa.Text, nullable=False),
        sa.Column("officer_email", sa.Text, nullable=False),
        sa.Column("evidence_id", sa.Uuid, nullable=False),
        sa.Column("proposed_by", sa.Uuid, nullable=False),
        sa.Column("proposed_by_name", sa.Text, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_by_name", sa.Text),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision_note", sa.Text),
        sa.Column("appointment_id", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_succession"),
        sa.UniqueConstraint("reference", name="uq_succession_reference"),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_succession_{column}")
            for column, target in (
                ("trader_id", "trader.id"),
                ("proposed_by", "person.id"),
                ("decided_by", "person.id"),
                ("appointment_id", "appointment.id"),
            )
        ),
        sa.ForeignKeyConstraint(
            ["trader_id", "evidence_id"],
            ["document_revision.trader_id", "document_revision.id"],
            name="fk_succession_evidence",
        ),
        check("state", "state IN ('proposed', 'approved', 'declined', 'withdrawn')"),
        check("ground", "ground IN ('left', 'died', 'unreachable', 'no_authority', 'nobody')"),
        check("fate", "fate IN ('end', 'prepare')"),
        check("two_people", "decided_by <> proposed_by"),
        check(
            "decided",
            "(decided_at IS NOT NULL) = (state <> 'proposed')"
            " AND (decided_by IS NOT NULL) = (state IN ('approved', 'declined'))",
        ),
        check("leaving", "(ground = 'nobody') = (cardinality(leaving) = 0)"),
        check("appointed", "(appointment_id IS NOT NULL) = (state = 'approved')"),
    )
    op.create_index("ix_succession_proposed_at", "succession", ["proposed_at"])
    op.create_index(
        "uq_succession_open",
        "succession",
        ["trader_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.execute(GUARD)


def downgrade():
    op.drop_table("succession")
    op.execute("DROP FUNCTION fairway_guard_succession()")
