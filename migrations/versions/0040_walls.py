"""What the attacks on every row policy found: rules too wide, and functions that could be misled.

A table of somebody's own, made with CREATE TEMPORARY TABLE, is found before all others unless a
function's search path names `pg_temp` last. With one called `appointment` whoever could run SQL in
the portal would have told `fairway_own()` that they work for any company.
"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

# A foreign key is checked past every policy. Without this a plan could be hung on the assessment of
# a competitor, which the refusal of a second one would have shown to be there.
PLAN = """
SELECT fairway_allow('portal', 'plan', 'SELECT, INSERT, UPDATE', 'trader_id = ANY ({reach})',
  'trader_id = ANY ({reach}) AND EXISTS (SELECT FROM assessment AS parent'
  ' WHERE parent.id = plan.assessment_id AND parent.trader_id = plan.trader_id)')
"""
# Sessions are the entry's to begin and to prolong. Whoever ran SQL in the portal could have begun one
# of their own with any way of signing in, proved just now and never over.
SESSION = """
SELECT fairway_allow('portal', 'web_session', 'SELECT, UPDATE (data, revoked_at)', 'person_id = {me}')
"""
# A claim is the company's to make and to withdraw; whether it holds, the agency says. A row of one's
# own that said "verified" would have been refused by a unique key where a competitor has it.
CLAIM = """
SELECT fairway_allow('portal', 'trader_identifier',
  'SELECT, INSERT, UPDATE (contested, state, withdrawn_at)', 'trader_id = ANY ({reach})');
CREATE POLICY claiming ON trader_identifier AS RESTRICTIVE FOR INSERT TO fairway_portal
  WITH CHECK (state = 'claimed' AND verified_at IS NULL);
CREATE POLICY withdrawing ON trader_identifier AS RESTRICTIVE FOR UPDATE TO fairway_portal
  USING (true) WITH CHECK (state = 'withdrawn');
"""

# Those that run in the caller's role and look into tables: what they refuse could be hidden likewise.
LOOKING = (
    "fairway_check_signatures()",
    "fairway_guard_change()",
    "fairway_guard_delegation_sites()",
    "fairway_guard_entry()",
    "fairway_keep_salt()",
    "fairway_require_live_delegation()",
    "fairway_require_site()",
)
SEARCH = """
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prosecdef
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public{last}', name);
  END LOOP;
END $$
"""


def upgrade():
    op.execute(SEARCH.replace("{last}", ", pg_temp"))
    for name in LOOKING:
        op.execute(f"ALTER FUNCTION {name} SET search_path = pg_catalog, public, pg_temp")
    op.execute(PLAN)
    op.execute(SESSION)
    op.execute(CLAIM)


def downgrade():
    for name in LOOKING:
        op.execute(f"ALTER FUNCTION {name} RESET search_path")
    op.execute(SEARCH.replace("{last}", ""))
    op.execute("DROP POLICY claiming ON trader_identifier")
    op.execute("DROP POLICY withdrawing ON trader_identifier")
    op.execute(
        "SELECT fairway_allow('portal', 'trader_identifier', 'SELECT, INSERT, UPDATE',"
        " 'trader_id = ANY ({reach})')"
    )
    op.execute(
        "SELECT fairway_allow('portal', 'plan', 'SELECT, INSERT, UPDATE', 'trader_id = ANY ({reach})')"
    )
    op.execute(
        "SELECT fairway_allow('portal', 'web_session', 'SELECT, INSERT, UPDATE, DELETE',"
        " 'person_id = {me}')"
    )
