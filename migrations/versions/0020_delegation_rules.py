"""What the database itself holds a delegation to, whoever runs SQL on the portal's connection."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# What was agreed is never changed, and it goes on in one direction only. A trader's person consents
# for their own side alone, and for nobody else.
RULES = """
CREATE FUNCTION fairway_guard_delegation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  consents uuid := CASE OLD.proposed_side WHEN 'trader' THEN OLD.broker_id ELSE OLD.trader_id END;
BEGIN
  IF ROW(NEW.id, NEW.trader_id, NEW.trader_name, NEW.broker_id, NEW.broker_name, NEW.scopes,
         NEW.valid_from, NEW.valid_until, NEW.proposed_side, NEW.proposed_at, NEW.proposed_by)
     IS DISTINCT FROM
     ROW(OLD.id, OLD.trader_id, OLD.trader_name, OLD.broker_id, OLD.broker_name, OLD.scopes,
         OLD.valid_from, OLD.valid_until, OLD.proposed_side, OLD.proposed_at, OLD.proposed_by)
     OR (OLD.authority_revision_id IS NOT NULL
         AND NEW.authority_revision_id IS DISTINCT FROM OLD.authority_revision_id)
     OR (OLD.accepted_at IS NOT NULL
         AND ROW(NEW.accepted_at, NEW.accepted_by)
             IS DISTINCT FROM ROW(OLD.accepted_at, OLD.accepted_by)) THEN
    RAISE EXCEPTION 'what was agreed is not changed' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.state <> OLD.state AND NOT (
       (OLD.state = 'proposed' AND NEW.state IN ('active', 'declined', 'revoked'))
       OR (OLD.state = 'active' AND NEW.state = 'revoked')) THEN
    RAISE EXCEPTION 'a delegation that has ended stays so' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF current_user = 'fairway_portal' AND NEW.state = 'active' AND OLD.state = 'proposed'
     AND NOT (NEW.accepted_by IS NOT DISTINCT FROM fairway_person()
              AND consents = ANY (fairway_own())) THEN
    RAISE EXCEPTION 'the other side consents, and by its own person'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_delegation BEFORE UPDATE ON delegation
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_delegation();

CREATE POLICY proposing ON delegation AS RESTRICTIVE FOR INSERT TO fairway_portal WITH CHECK (
  state = 'proposed' AND accepted_at IS NULL AND proposed_by = (SELECT fairway_person())
  AND CASE proposed_side WHEN 'trader' THEN trader_id ELSE broker_id END
      = ANY ((SELECT fairway_own())::uuid[]));
"""
# A broker's question and its answers are events of the client's, who is not in its reach then.
EVENTS = """
ALTER POLICY portal ON audit_event WITH CHECK ({rule});
"""
BEFORE = (
    "trader_id IS NULL OR trader_id = ANY ((SELECT fairway_reach())::uuid[])"
    " OR trader_id = ANY (fairway_founded())"
)
OWN_DELEGATION = (
    "subject_kind = 'delegation' AND EXISTS (SELECT 1 FROM delegation AS d"
    " WHERE d.id = audit_event.subject_id AND d.trader_id = audit_event.trader_id"
    " AND d.broker_id = audit_event.acting_trader_id"
    " AND d.broker_id = ANY ((SELECT fairway_own())::uuid[]))"
)


def upgrade():
    op.execute(RULES)
    op.execute(EVENTS.format(rule=f"{BEFORE} OR ({OWN_DELEGATION})"))


def downgrade():
    op.execute(EVENTS.format(rule=BEFORE))
    op.execute("DROP POLICY proposing ON delegation")
    op.execute("DROP TRIGGER guard_delegation ON delegation")
    op.execute("DROP FUNCTION fairway_guard_delegation()")
