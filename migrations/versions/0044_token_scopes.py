"""What a token may be for, asked by the row policies of programs too, and a delegation's scopes.

Before, any token of a program opened all that the program could ever see, and a delegation for
anything at all opened a client's filings to the broker's program.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

MAY = """
-- Whether the transaction's token was issued for one of these, and its client is still allowed it.
CREATE FUNCTION fairway_client_may(VARIADIC wanted text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM issued_token t, api_client c, unnest(wanted) AS one
    WHERE c.id = public.fairway_client()
      AND t.token_hash = encode(sha256(convert_to(
            nullif(current_setting('app.session', true), ''), 'UTF8')), 'hex')
      AND one = ANY (t.scopes) AND one = ANY (c.scopes))
$$;

-- The traders whose filings the token may read, or, `writing`, file for.
CREATE FUNCTION fairway_client_filings(writing boolean) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH token AS (
    SELECT public.fairway_client_own() AS own, public.fairway_client_may('filings:write') AS files,
           public.fairway_client_may('filings:read') AS reads
  )
  SELECT coalesce(array_agg(trader_id), '{}') FROM (
    SELECT unnest(own) AS trader_id FROM token WHERE files
    UNION
    SELECT unnest(own) FROM token WHERE reads AND NOT writing
    UNION
    SELECT d.trader_id FROM delegation d, token
    WHERE d.broker_id = ANY (own) AND d.state = 'active'
      AND d.valid_from <= public.fairway_now() AND d.valid_until > public.fairway_now()
      AND (('submit_filings' = ANY (d.scopes) AND files)
           OR (d.scopes && '{submit_filings,data_only}' AND reads AND NOT writing))
  ) AS near
$$;
"""
REACH = """
-- The traders of whom a trader's program may know at all: its own, and those whose delegation
-- names what the token is for.
CREATE OR REPLACE FUNCTION fairway_client_reach() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(array_agg(trader_id), '{}') FROM (
    SELECT unnest(public.fairway_client_own()) AS trader_id
    UNION
    SELECT unnest(public.fairway_client_filings(false))
    UNION
    SELECT d.trader_id
    FROM delegation d, (SELECT public.fairway_client_own() AS traders) AS own
    WHERE d.broker_id = ANY (own.traders) AND d.state = 'active'
      AND d.valid_from <= public.fairway_now() AND d.valid_until > public.fairway_now()
      AND 'view_status' = ANY (d.scopes) AND public.fairway_client_may('status:self')
  ) AS near
$$;
"""
REACH_BEFORE = """
CREATE OR REPLACE FUNCTION fairway_client_reach() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(array_agg(trader_id), '{}') FROM (
    SELECT unnest(own.traders) AS trader_id
    FROM (SELECT public.fairway_client_own() AS traders) AS own
    UNION
    SELECT d.trader_id
    FROM delegation d, (SELECT public.fairway_client_own() AS traders) AS own
    WHERE d.broker_id = ANY (own.traders) AND d.state = 'active'
      AND d.valid_from <= public.fairway_now() AND d.valid_until > public.fairway_now()
  ) AS near
$$;
"""
NEAR = "trader_id = ANY ((SELECT fairway_client_reach())::uuid[])"
READS = "trader_id = ANY ((SELECT fairway_client_filings(false))::uuid[])"
FILES = "trader_id = ANY ((SELECT fairway_client_filings(true))::uuid[])"
AGENCY = "(SELECT fairway_client_of_agency())"
ME = "(SELECT fairway_client())"


def within(table, more=""):
    return f"EXISTS (SELECT 1 FROM batch AS parent WHERE parent.id = {table}.batch_id{more})"


def may(*scopes):
    words = ", ".join(f"'{one}'" for one in scopes)
    return f"(SELECT fairway_client_may({words}))"


LOOKS_UP = f"({AGENCY} AND {may('status:read', 'feed:read', 'decisions:write')})"
DECIDES = f"{AGENCY} AND {may('decisions:write')}"
SAW = f"{AGENCY} AND {may('decisions:read', 'decisions:write')}"
# Table: the rows seen, and those written; now, and before.
RULES = {
    "batch": ((READS, FILES), (NEAR, NEAR)),
    "filing": (
        (READS, f"{FILES} AND {within('filing', ' AND parent.trader_id = filing.trader_id')}"),
        (NEAR, f"{NEAR} AND {within('filing')}"),
    ),
    "filing_fault": (
        (
            within("filing_fault"),
            within("filing_fault", f" AND parent.{FILES}"),
        ),
        (within("filing_fault"), within("filing_fault")),
    ),
    "decision": (
        (SAW, f"{DECIDES} AND client_id = {ME}"),
        (AGENCY, f"{AGENCY} AND client_id = {ME}"),
    ),
    "policy_version": ((SAW, DECIDES), (AGENCY, AGENCY)),
    "trader": (
        (f"{LOOKS_UP} OR {NEAR.replace('trader_id', 'id')}",) * 2,
        (f"{AGENCY} OR {NEAR.replace('trader_id', 'id')}",) * 2,
    ),
    **{
        table: ((f"{LOOKS_UP} OR {NEAR}",) * 2, (f"{AGENCY} OR {NEAR}",) * 2)
        for table in ("trader_identifier", "register_change", "register_entry")
    },
}


def rule(which):
    for table, rules in RULES.items():
        seen, written = rules[which]
        op.execute(f"ALTER POLICY api ON {table} USING ({seen}) WITH CHECK ({written})")


def upgrade():
    # Whose scopes were not written down opens nothing; programs ask for another after a 401.
    op.execute("TRUNCATE issued_token")
    op.add_column("issued_token", sa.Column("scopes", ARRAY(sa.Text), nullable=False))
    # Compiling them would ask the tables, which the policies close to the owner in a migration.
    op.execute("SET LOCAL check_function_bodies = off")
    op.execute(MAY)
    op.execute(REACH)
    for name in ("fairway_client_may(text[])", "fairway_client_filings(boolean)"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO fairway_api")
    rule(0)


def downgrade():
    op.execute("SET LOCAL check_function_bodies = off")
    rule(1)
    op.execute(REACH_BEFORE)
    op.execute("DROP FUNCTION fairway_client_filings(boolean)")
    op.execute("DROP FUNCTION fairway_client_may(text[])")
    op.drop_column("issued_token", "scopes")
