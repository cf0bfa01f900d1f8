"""Row-level security: the portal's role sees and writes rows of the traders in its reach alone."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Whoever migrates may be called otherwise on another server; the two roles may not.
FUNCTIONS = """
-- The one clock of every rule below. Tests put a clock of their own in its place.
CREATE FUNCTION fairway_now() RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT clock_timestamp() $$;

-- Who the transaction's token belongs to: the person of a live session, else nobody. The setting
-- holds the token and the table its hash, so that SQL can name no session whose cookie it has not.
CREATE FUNCTION fairway_person() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT p.id
  FROM web_session s JOIN person p ON p.id = s.person_id
  WHERE s.token_hash = encode(sha256(convert_to(
          nullif(current_setting('app.session', true), ''), 'UTF8')), 'hex')
    AND s.revoked_at IS NULL
    AND s.expires_at > public.fairway_now()
    AND s.last_seen_at + CASE
          WHEN EXISTS (SELECT 1 FROM staff_role r WHERE r.person_id = p.id)
          THEN interval '15 minutes' ELSE interval '30 minutes' END > public.fairway_now()
    AND p.ended_at IS NULL
$$;

-- The traders at which the person has a role now.
CREATE FUNCTION fairway_own() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT coalesce(array_agg(a.trader_id), '{}') FROM appointment a
  WHERE a.person_id = public.fairway_person() AND a.state = 'active'
$$;

-- The traders in reach: one's own, and those that have let one of them act under a delegation in
-- force. What else may bring a trader into reach is another branch of this query, and only here.
CREATE FUNCTION fairway_reach() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT coalesce(array_agg(trader_id), '{}') FROM (
    SELECT unnest(public.fairway_own()) AS trader_id
    UNION
    SELECT d.trader_id FROM delegation d
    WHERE d.broker_id = ANY (public.fairway_own()) AND d.state = 'active'
      AND d.valid_from <= public.fairway_now() AND d.valid_until > public.fairway_now()
  ) AS near
$$;

-- Traders that have invited the person, whose verified address is what the invitation was sent to.
CREATE FUNCTION fairway_invited() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT coalesce(array_agg(a.trader_id), '{}')
  FROM appointment a JOIN person p ON p.email = a.invited_email::citext
  WHERE p.id = public.fairway_person() AND p.mail_verified_at IS NOT NULL
    AND a.state = 'invited'
$$;

-- Traders that the person has registered and at which nobody has any role yet.
CREATE FUNCTION fairway_founded() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT coalesce(array_agg(t.id), '{}') FROM trader t
  WHERE t.registered_by = public.fairway_person()
    AND NOT EXISTS (SELECT 1 FROM appointment a WHERE a.trader_id = t.id)
$$;

-- The person and whoever has or had a role at a trader of theirs.
CREATE FUNCTION fairway_colleagues() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT array_agg(id) FROM (
    SELECT public.fairway_person() AS id
    UNION
    SELECT a.person_id FROM appointment a
    WHERE a.trader_id = ANY (public.fairway_own()) AND a.person_id IS NOT NULL
  ) AS known
$$;

-- What a claim meets elsewhere, in a word and without a row: 'none', 'rival', or 'open' when a
-- reviewer is asked about it already. Only for a trader in reach that claims the same itself.
CREATE FUNCTION fairway_rivalry(claimed_scheme text, claimed_key text, claimant uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT CASE
    WHEN NOT EXISTS (
      SELECT 1 FROM trader_identifier i
      WHERE i.scheme = claimed_scheme AND i.lookup_key = claimed_key AND i.trader_id = claimant
        AND i.state = 'claimed' AND claimant = ANY (public.fairway_reach())) THEN 'none'
    WHEN EXISTS (
      SELECT 1 FROM identifier_conflict c
      WHERE c.scheme = claimed_scheme AND c.lookup_key = claimed_key AND c.state = 'open')
      THEN 'open'
    WHEN EXISTS (
      SELECT 1 FROM trader_identifier i
      WHERE i.scheme = claimed_scheme AND i.lookup_key = claimed_key AND i.trader_id <> claimant
        AND i.state IN ('claimed', 'verified')) THEN 'rival'
    ELSE 'none' END
$$;

-- Isolate one table, in one line of its migration: `row_rule` says which rows the portal's role
-- may see, `also` what must hold besides of a row that it writes. `{reach}` stands for the traders
-- in reach, `{own}` for those without delegations. The application's other parts go on as before.
CREATE FUNCTION fairway_isolate(
  target regclass, row_rule text DEFAULT 'trader_id = ANY ({reach})', also text DEFAULT 'true',
  written text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  -- In a subquery the function is called once for a statement, not once for a row.
  reach constant text := '(SELECT fairway_reach())::uuid[]';
  own constant text := '(SELECT fairway_own())::uuid[]';
BEGIN
  -- `written` takes the place of `row_rule` for new rows that only later come into reach.
  written := replace(replace(coalesce(written, row_rule), '{reach}', reach), '{own}', own);
  row_rule := replace(replace(row_rule, '{reach}', reach), '{own}', own);
  also := replace(replace(also, '{reach}', reach), '{own}', own);
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY application ON %s TO fairway_app USING (true) WITH CHECK (true)',
    target);
  EXECUTE format('CREATE POLICY portal ON %s TO fairway_portal USING (%s) WITH CHECK ((%s) AND (%s))',
    target, row_rule, written, also);
END $$;

CREATE OR REPLACE FUNCTION fairway_protect(target regclass, privileges text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER require_principal BEFORE INSERT OR UPDATE OR DELETE ON %s '
    'FOR EACH STATEMENT EXECUTE FUNCTION fairway_require_principal()', target);
  EXECUTE format('GRANT %s ON %s TO fairway_app, fairway_portal', privileges, target);
END $$;
"""
NAMES = (
    "fairway_now()",
    "fairway_person()",
    "fairway_own()",
    "fairway_reach()",
    "fairway_invited()",
    "fairway_founded()",
    "fairway_colleagues()",
    "fairway_rivalry(text, text, uuid)",
    "fairway_isolate(regclass, text, text, text)",
)

OWN_TRADER = (
    "agreement",
    "application",
    "application_return",
    "application_snapshot",
    "assessment",
    "batch",
    "bond",
    "casework_case",
    "contact",
    "criterion_review",
    "determination",
    "document",
    "document_revision",
    "eligibility_check",
    "filing",
    "information_request",
    "register_change",
    "register_entry",
    "site",
    "trader_identifier",
)
# A row that refers to another row of a trader refers to one of the same trader: a foreign key
# is checked past every policy, so the rule for writing asks again.
PARENTS = {
    "agreement": {"application_id": "application"},
    "application": {"assessment_id": "assessment", "check_id": "eligibility_check"},
    "application_return": {"application_id": "application"},
    "application_snapshot": {"application_id": "application"},
    "answer": {"assessment_id": "assessment"},
    "answer_evidence": {
        "assessment_id": "assessment",
        "document_revision_id": "document_revision",
    },
    "answer_revision": {"assessment_id": "assessment"},
    "assessment_section": {"assessment_id": "assessment"},
    "casework_case": {"application_id": "application"},
    "criterion_review": {"case_id": "casework_case"},
    "document_revision": {"document_id": "document"},
    "filing": {"batch_id": "batch"},
    "filing_fault": {"batch_id": "batch"},
    "information_request": {"case_id": "casework_case", "application_id": "application"},
    "register_entry": {"determination_id": "determination"},
    "returned_point": {"application_id": "application"},
    "task_reply": {"application_id": "application"},
}
OWN_PERSON = ("authenticator", "oidc_subject", "one_time_link", "passkey", "recovery_code", "web_session")
# The portal's role has no business with these at all.
CLOSED = (
    "client_assertion",
    "decision",
    "identifier_conflict",
    "policy_version",
    "rate_count",
    "token_denial",
)
READ_BY_FUNCTIONS = (
    "appointment",
    "delegation",
    "identifier_conflict",
    "person",
    "staff_role",
    "trader",
    "trader_identifier",
    "web_session",
)
ISOLATED = sorted(
    {
        *OWN_TRADER,
        *PARENTS,
        *OWN_PERSON,
        *CLOSED,
        *READ_BY_FUNCTIONS,
        "audit_event",
        "message",
        "security_event",
    }
)


def isolate(table, rule, also="true", written=None):
    rule, also, written = (
        one.replace("'", "''") for one in (rule, also, rule if written is None else written)
    )
    op.execute(f"SELECT fairway_isolate('{table}', '{rule}', '{also}', '{written}')")


def within(table):
    """The rows that a row of the table refers to are visible, so of a trader in reach."""
    rules = [
        f"EXISTS (SELECT 1 FROM {parent} AS parent WHERE parent.id = {table}.{column})"
        for column, parent in PARENTS.get(table, {}).items()
    ]
    return " AND ".join(rules) or "true"


def upgrade():
    op.execute("GRANT USAGE ON SCHEMA public, procrastinate TO fairway_portal")
    # Everything that the application may do, but what the list above closes.
    op.execute(
        """
        DO $$
        DECLARE given record;
        BEGIN
          FOR given IN
            SELECT format('%I.%I', table_schema, table_name) AS name, privilege_type AS kind
            FROM information_schema.role_table_grants
            WHERE grantee = 'fairway_app' AND table_schema IN ('public', 'procrastinate')
              AND (table_schema = 'public' OR privilege_type IN ('SELECT', 'INSERT', 'UPDATE'))
          LOOP
            EXECUTE format('GRANT %s ON %s TO fairway_portal', given.kind, given.name);
          END LOOP;
          FOR given IN
            SELECT c.table_name AS name, string_agg(quote_ident(c.column_name), ', ') AS kind
            FROM information_schema.role_column_grants c
            WHERE c.grantee = 'fairway_app' AND c.table_schema = 'public'
              AND c.privilege_type = 'UPDATE'
            GROUP BY c.table_name
          LOOP
            EXECUTE format('GRANT UPDATE (%s) ON public.%I TO fairway_portal', given.kind, given.name);
          END LOOP;
        END $$
        """
    )
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO fairway_portal")
    for table in CLOSED:
        op.execute(f"REVOKE ALL ON {table} FROM fairway_portal")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON staff_role FROM fairway_portal")
    # A claim that meets another's is told to the agency, and not even read back.
    op.execute("GRANT INSERT ON identifier_conflict TO fairway_portal")
    op.execute("REVOKE SELECT, UPDATE ON message FROM fairway_portal")
    op.execute(FUNCTIONS)
    for name in NAMES[1:-1]:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO fairway_portal, fairway_app")
    for table in OWN_TRADER:
        isolate(table, "trader_id = ANY ({reach})", within(table))
    for table in sorted(set(PARENTS) - set(OWN_TRADER)):
        isolate(table, within(table))
    for table in OWN_PERSON:
        isolate(table, "person_id = (SELECT fairway_person())")
    isolate(
        "trader",
        "id = ANY ({reach}) OR id = ANY ((SELECT fairway_invited())::uuid[])"
        " OR id = ANY ((SELECT fairway_founded())::uuid[])",
        written="id = ANY ({reach}) OR registered_by = (SELECT fairway_person())",
    )
    isolate("person", "id = ANY ((SELECT fairway_colleagues())::uuid[])")
    isolate("staff_role", "person_id = (SELECT fairway_person())")
    isolate("security_event", "person_id = (SELECT fairway_person())")
    for table in ("access_record", "api_client", "client_credential"):
        isolate(table, "trader_id = ANY ({own})")
    isolate("delegation", "trader_id = ANY ({own}) OR broker_id = ANY ({own})")
    isolate("message", "true")
    # Hashes of everybody's events; what they are hashes of stands elsewhere.
    op.execute("REVOKE ALL ON log_pending, log_salt FROM fairway_portal")
    op.execute("REVOKE INSERT ON log_leaf, log_node, log_checkpoint FROM fairway_portal")
    for table in CLOSED:
        isolate(table, "true" if table == "identifier_conflict" else "false")
    isolate(
        "appointment",
        "trader_id = ANY ({own}) OR person_id = (SELECT fairway_person())"
        " OR (state = 'invited' AND trader_id = ANY ((SELECT fairway_invited())::uuid[])"
        " AND lower(invited_email) = (SELECT lower(p.email::text) FROM person p"
        " WHERE p.id = (SELECT fairway_person())))",
        "trader_id = ANY ({own}) OR (role = 'officer' AND state = 'active'"
        " AND trader_id = ANY (fairway_founded()))",
    )
    isolate(
        "audit_event",
        "trader_id = ANY ({own}) OR acting_trader_id = ANY ({own})"
        " OR person_id = (SELECT fairway_person())",
        written="trader_id IS NULL OR trader_id = ANY ({reach})"
        " OR trader_id = ANY (fairway_founded())",
    )
    # The functions run as the owner, whom FORCE keeps out of every other table.
    for table in READ_BY_FUNCTIONS:
        op.execute(f"CREATE POLICY functions ON {table} FOR SELECT TO CURRENT_USER USING (true)")
    # Only the person itself is changed, whoever else is known by name.
    op.execute(
        "CREATE POLICY oneself ON person AS RESTRICTIVE FOR UPDATE TO fairway_portal"
        " USING (id = (SELECT fairway_person()))"
    )
    op.execute("CREATE POLICY nobody ON person AS RESTRICTIVE FOR INSERT TO fairway_portal"
               " WITH CHECK (false)")


def downgrade():
    op.execute(
        """
        DO $$
        DECLARE found record;
        BEGIN
          FOR found IN SELECT polname, polrelid::regclass AS target FROM pg_policy LOOP
            EXECUTE format('DROP POLICY %I ON %s', found.polname, found.target);
            EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', found.target);
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', found.target);
          END LOOP;
        END $$
        """
    )
    for name in reversed(NAMES):
        op.execute(f"DROP FUNCTION {name}")
    op.execute(
        """
        CREATE OR REPLACE FUNCTION fairway_protect(target regclass, privileges text) RETURNS void
        LANGUAGE plpgsql AS $$
        BEGIN
          EXECUTE format('CREATE TRIGGER require_principal BEFORE INSERT OR UPDATE OR DELETE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION fairway_require_principal()', target);
          EXECUTE format('GRANT %s ON %s TO fairway_app', privileges, target);
        END $$
        """
    )
    for schema in ("public", "procrastinate"):
        for kind in ("TABLES", "SEQUENCES"):
            op.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM fairway_portal")
        op.execute(f"REVOKE USAGE ON SCHEMA {schema} FROM fairway_portal")
