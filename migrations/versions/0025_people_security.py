"""What an officer sees of how the company's people sign in: counts and dates, through two functions."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Factors, sessions and security events are their person's own. An officer of the company is told
# what the company's safety hangs on and no more: kinds and counts, never a key, an address, a
# browser, another company, nor anything from before the person began here.
FUNCTIONS = """
-- Whether the transaction's person is an officer of the trader now.
CREATE FUNCTION fairway_is_officer(of_trader uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT EXISTS (SELECT FROM appointment a
                 WHERE a.trader_id = of_trader AND a.person_id = public.fairway_person()
                   AND a.role = 'officer' AND a.state = 'active')
$$;

CREATE FUNCTION fairway_people_security(of_trader uuid) RETURNS TABLE (
  person_id uuid, passkeys bigint, authenticators bigint, providers bigint,
  signed_in_at timestamptz, sessions bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT a.person_id,
    (SELECT count(*) FROM passkey k WHERE k.person_id = a.person_id),
    (SELECT count(*) FROM authenticator t WHERE t.person_id = a.person_id),
    (SELECT count(*) FROM oidc_subject o WHERE o.person_id = a.person_id),
    (SELECT max(e.at) FROM security_event e
     WHERE e.person_id = a.person_id AND e.tag = 'sign-in:succeeded'),
    (SELECT count(*) FROM web_session s
     WHERE s.person_id = a.person_id AND s.revoked_at IS NULL
       AND s.method NOT IN ('password', 'invitation')
       AND s.expires_at > public.fairway_now()
       AND s.last_seen_at + interval '30 minutes' > public.fairway_now())
  FROM appointment a
  WHERE a.trader_id = of_trader AND a.state = 'active' AND public.fairway_is_officer(of_trader)
$$;

CREATE FUNCTION fairway_people_events(of_trader uuid, since timestamptz, most bigint)
RETURNS TABLE (at timestamptz, person_id uuid, tag text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH people AS (
    SELECT a.person_id, greatest(a.started_at, since) AS since FROM appointment a
    WHERE a.trader_id = of_trader AND a.state = 'active' AND public.fairway_is_officer(of_trader)
  )
  SELECT * FROM (
    SELECT e.at, e.person_id, e.tag FROM security_event e JOIN people p USING (person_id)
    WHERE e.at >= p.since
      AND e.tag IN ('sign-in:failed', 'sign-in:locked', 'second-factor:failed', 'step-up:failed',
                    'recovery-code:used', 'reset:requested', 'provider:refused')
    UNION ALL
    SELECT e.at, e.person_id, e.tag FROM audit_event e JOIN people p USING (person_id)
    WHERE e.at >= p.since AND e.trader_id IS NULL
      AND e.tag IN ('person:password-changed', 'person:came-back', 'identity:linked',
                    'identity:unlinked', 'passkey:added', 'passkey:removed',
                    'authenticator:added', 'authenticator:removed', 'recovery-code:renewed')
  ) AS found
  ORDER BY found.at DESC, found.tag LIMIT most
$$;
"""
NAMES = (
    "fairway_is_officer(uuid)",
    "fairway_people_security(uuid)",
    "fairway_people_events(uuid, timestamptz, bigint)",
)
# The functions run as the owner, whom FORCE keeps out of every table that no policy opens.
READ_BY_FUNCTIONS = ("audit_event", "authenticator", "oidc_subject", "passkey", "security_event")


def upgrade():
    op.execute(FUNCTIONS)
    for name in NAMES:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO fairway_portal")
    for table in READ_BY_FUNCTIONS:
        op.execute(f"CREATE POLICY functions ON {table} FOR SELECT TO CURRENT_USER USING (true)")


def downgrade():
    for table in READ_BY_FUNCTIONS:
        op.execute(f"DROP POLICY functions ON {table}")
    for name in reversed(NAMES):
        op.execute(f"DROP FUNCTION {name}")
