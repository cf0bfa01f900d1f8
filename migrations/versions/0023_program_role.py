"""Programs have a database role of their own, and a token that the database itself knows.

Here too is the one line with which every later migration says what a role may do with a table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

FUNCTIONS = """
-- Which program holds the transaction's token, if that token was issued here, is neither over nor
-- revoked, and neither the client nor the credential that brought it has ended. Whoever can run SQL
-- can name no program whose token they have not; a stolen signing key makes no row here.
CREATE FUNCTION fairway_client() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT c.id
  FROM issued_token t
  JOIN client_credential k ON k.id = t.credential_id
  JOIN api_client c ON c.id = k.api_client_id
  WHERE t.token_hash = encode(sha256(convert_to(
          nullif(current_setting('app.session', true), ''), 'UTF8')), 'hex')
    AND t.expires_at > public.fairway_now()
    AND c.state = 'active'
    AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > public.fairway_now())
    AND NOT EXISTS (SELECT FROM token_denial d WHERE d.jti = t.jti)
$$;

-- The one trader that the program speaks for; of an agency's program none.
CREATE FUNCTION fairway_client_own() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT coalesce(array_agg(c.trader_id), '{}') FROM api_client c
  WHERE c.id = public.fairway_client() AND c.trader_id IS NOT NULL
$$;

-- The traders in reach of a trader's program: its own, and those that let it act for them now.
CREATE FUNCTION fairway_client_reach() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
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

-- Whether the program is one of the agency's own.
CREATE FUNCTION fairway_client_of_agency() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT EXISTS (SELECT FROM api_client c
                 WHERE c.id = public.fairway_client() AND c.trader_id IS NULL)
$$;

-- What one role may do with one table, in one line of the table's migration, which says the whole:
-- the privileges, as GRANT takes them; the rows that it sees; and, where it differs, what must hold
-- of a row that it writes. `{reach}` and `{own}` are arrays of traders, `{me}` is the program or the
-- person, `{agency}` whether it is the agency's, each as the transaction's token tells; each is
-- asked once for a statement. A role that nobody named has no right at all.
CREATE FUNCTION fairway_allow(
  who text, target regclass, privileges text, row_rule text DEFAULT 'true',
  written text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  grantee constant text := quote_ident('fairway_' || who);
  words constant jsonb := CASE who
    WHEN 'portal' THEN '{"reach": "(SELECT fairway_reach())::uuid[]",
                         "own": "(SELECT fairway_own())::uuid[]",
                         "me": "(SELECT fairway_person())"}'::jsonb
    WHEN 'api' THEN '{"reach": "(SELECT fairway_client_reach())::uuid[]",
                      "own": "(SELECT fairway_client_own())::uuid[]",
                      "agency": "(SELECT fairway_client_of_agency())",
                      "me": "(SELECT fairway_client())"}'::jsonb
    ELSE '{}'::jsonb END;
  word record;
BEGIN
  written := coalesce(written, row_rule);
  FOR word IN SELECT key, value FROM jsonb_each_text(words) LOOP
    row_rule := replace(row_rule, '{' || word.key || '}', word.value);
    written := replace(written, '{' || word.key || '}', word.value);
  END LOOP;
  IF row_rule LIKE '%{%' OR written LIKE '%{%' THEN
    RAISE EXCEPTION 'a rule for % on % has a word that the role does not know', who, target;
  END IF;
  EXECUTE format('REVOKE ALL ON %s FROM %s', target, grantee);
  EXECUTE format('GRANT %s ON %s TO %s', privileges, target, grantee);
  EXECUTE format('DROP POLICY IF EXISTS %I ON %s', who, target);
  IF (SELECT relrowsecurity FROM pg_class WHERE oid = target) THEN
    EXECUTE format('CREATE POLICY %I ON %s TO %s USING (%s) WITH CHECK (%s)',
      who, target, grantee, row_rule, written);
  ELSIF row_rule <> 'true' OR written <> 'true' THEN
    RAISE EXCEPTION '% is not isolated, so a rule for its rows would not hold', target;
  END IF;
END $$;
"""
NAMES = (
    "fairway_client()",
    "fairway_client_own()",
    "fairway_client_reach()",
    "fairway_client_of_agency()",
)
# Read by the functions, which run as the owner, whom FORCE keeps out of every other table.
READ_BY_FUNCTIONS = ("api_client", "client_credential", "issued_token", "token_denial")

REACH = "trader_id = ANY ({reach})"
WITHIN_BATCH = "EXISTS (SELECT 1 FROM batch AS parent WHERE parent.id = {table}.batch_id)"
# What a program may do: table, privileges, the rows it sees, and where that differs those it writes.
PROGRAM = [
    ("alembic_version", "SELECT"),
    ("api_client", "SELECT", "id = {me}"),
    ("audit_event", "INSERT", "false",
     f"client_id = {{me}} AND (trader_id IS NULL OR {REACH})"),
    ("batch", "SELECT, INSERT, UPDATE", REACH),
    ("decision", "SELECT, INSERT", "{agency}", "{agency} AND client_id = {me}"),
    # UPDATE is what locks a row; no delegation passes the rule for writing.
    ("delegation", "SELECT, UPDATE (state)", "broker_id = ANY ({own}) OR trader_id = ANY ({own})",
     "false"),
    ("filing", "SELECT, INSERT", REACH, f"{REACH} AND {WITHIN_BATCH.format(table='filing')}"),
    ("filing_fault", "SELECT, INSERT", WITHIN_BATCH.format(table="filing_fault")),
    ("policy_version", "SELECT, INSERT", "{agency}"),
    ("reference_counter", "SELECT, INSERT, UPDATE"),
    ("register_change", "SELECT", f"{{agency}} OR {REACH}"),
    ("register_entry", "SELECT", f"{{agency}} OR {REACH}"),
    ("register_sequencer", "SELECT"),
    ("trader", "SELECT", "{agency} OR id = ANY ({reach})"),
    ("trader_identifier", "SELECT", f"{{agency}} OR {REACH}"),
]


def allow(who, table, privileges, rule="true", written=None):
    op.get_bind().execute(
        sa.text("SELECT fairway_allow(:who, CAST(:table AS regclass), :may, :rule, :written)"),
        {"who": who, "table": table, "may": privileges, "rule": rule, "written": written},
    )


def upgrade():
    op.create_table(
        "issued_token",
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("jti", sa.Text, nullable=False),
        sa.Column("credential_id", sa.Uuid, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_issued_token"),
        sa.UniqueConstraint("jti", name="uq_issued_token_jti"),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["client_credential.id"], name="fk_issued_token_credential_id"
        ),
    )
    op.create_index("ix_issued_token_expires_at", "issued_token", ["expires_at"])
    op.execute("SELECT fairway_protect('issued_token', 'SELECT, INSERT, DELETE')")
    op.execute("SELECT fairway_isolate('issued_token', 'false')")
    op.execute("REVOKE ALL ON issued_token FROM fairway_portal")
    # Compiling them would ask the tables, which the policies close to the owner in a migration.
    op.execute("SET LOCAL check_function_bodies = off")
    op.execute(FUNCTIONS)
    for name in NAMES:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO fairway_api")
    for table in READ_BY_FUNCTIONS:
        op.execute(f"CREATE POLICY functions ON {table} FOR SELECT TO CURRENT_USER USING (true)")
    op.execute("GRANT USAGE ON SCHEMA public, procrastinate TO fairway_api")
    for row in PROGRAM:
        allow("api", *row)
    # A job is put into the queue and not read again.
    op.execute("GRANT INSERT, SELECT (id) ON procrastinate.procrastinate_jobs TO fairway_api")
    op.execute("GRANT INSERT ON procrastinate.procrastinate_events TO fairway_api")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO fairway_api")


def downgrade():
    for row in PROGRAM:
        op.execute(f"DROP POLICY IF EXISTS api ON {row[0]}")
    for schema in ("public", "procrastinate"):
        for kind in ("TABLES", "SEQUENCES"):
            op.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM fairway_api")
        op.execute(f"REVOKE USAGE ON SCHEMA {schema} FROM fairway_api")
    for table in READ_BY_FUNCTIONS:
        op.execute(f"DROP POLICY functions ON {table}")
    op.drop_table("issued_token")
    op.execute("DROP FUNCTION fairway_allow(text, regclass, text, text, text)")
    for name in reversed(NAMES):
        op.execute(f"DROP FUNCTION {name}")
