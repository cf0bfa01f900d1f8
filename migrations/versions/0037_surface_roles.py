"""Rights of their own for the agency's people, for jobs, and for what is asked before anybody is known.

With them nothing that serves needs `fairway_app`, which is for an operator's commands from here on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

FUNCTIONS = """
-- The member of the agency's staff to whom the transaction's token belongs, else nobody. As for
-- pages: what can be phished opens nothing here, and neither does a trader's provider.
CREATE FUNCTION fairway_staff() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT p.id
  FROM web_session s JOIN person p ON p.id = s.person_id
  WHERE s.token_hash = encode(sha256(convert_to(
          nullif(current_setting('app.session', true), ''), 'UTF8')), 'hex')
    AND s.revoked_at IS NULL
    AND s.expires_at > public.fairway_now()
    AND s.last_seen_at + interval '15 minutes' > public.fairway_now()
    AND s.method IN ('passkey', 'oidc', 'demo')
    AND s.data -> 'oidc' ->> 'side' IS DISTINCT FROM 'trader'
    AND p.ended_at IS NULL
    AND EXISTS (SELECT FROM staff_role r WHERE r.person_id = p.id)
$$;
"""
ALLOW = """
CREATE OR REPLACE FUNCTION fairway_allow(
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
    %(console)s
    ELSE '{}'::jsonb END;
  word record;
BEGIN
  written := coalesce(written, row_rule);
  FOR word IN SELECT key, value FROM jsonb_each_text(words) LOOP
    row_rule := replace(row_rule, '{' || word.key || '}', word.value);
    written := replace(written, '{' || word.key || '}', word.value);
  END LOOP;
  IF row_rule LIKE '%%{%%' OR written LIKE '%%{%%' THEN
    RAISE EXCEPTION 'a rule for %% on %% has a word that the role does not know', who, target;
  END IF;
  EXECUTE format('REVOKE ALL ON %%s FROM %%s', target, grantee);
  EXECUTE format('GRANT %%s ON %%s TO %%s', privileges, target, grantee);
  EXECUTE format('DROP POLICY IF EXISTS %%I ON %%s', who, target);
  IF (SELECT relrowsecurity FROM pg_class WHERE oid = target) THEN
    EXECUTE format('CREATE POLICY %%I ON %%s TO %%s USING (%%s) WITH CHECK (%%s)',
      who, target, grantee, row_rule, written);
  ELSIF row_rule <> 'true' OR written <> 'true' THEN
    RAISE EXCEPTION '%% is not isolated, so a rule for its rows would not hold', target;
  END IF;
END $$;
"""
KNOWS_STAFF = """WHEN 'console' THEN '{"agency": "((SELECT fairway_staff()) IS NOT NULL)",
                          "me": "(SELECT fairway_staff())"}'::jsonb"""

AGENCY = "{agency}"
MINE = "person_id = {me}"
BY_ME = "{agency} AND proposed_by = {me}"
# The agency's people: everything is read while their session lasts; what a trader says is not
# written. Table, privileges, the rows seen, and where that differs those written.
CONSOLE = [
    ("access_record", "SELECT", AGENCY),
    ("agreement", "SELECT", AGENCY),
    ("alembic_version", "SELECT"),
    ("answer", "SELECT", AGENCY),
    ("answer_evidence", "SELECT", AGENCY),
    ("answer_revision", "SELECT", AGENCY),
    ("api_client", "SELECT, INSERT, UPDATE (per_day, per_minute, revoked_at, state, suspended_at,"
     " warned_at, woken_at)", AGENCY),
    ("application", "SELECT, UPDATE (closed_at, closed_by, outcome_reason, reopened_tasks, state,"
     " version)", AGENCY),
    ("application_return", "SELECT, INSERT", AGENCY),
    ("application_snapshot", "SELECT", AGENCY),
    ("appointment", "SELECT, INSERT, UPDATE", AGENCY),
    ("assessment", "SELECT, UPDATE (reopened_sections, state, version)", AGENCY),
    ("assessment_section", "SELECT, UPDATE (completed_at, completed_by, version)", AGENCY),
    ("audit_event", "SELECT, INSERT", AGENCY, MINE),
    ("authenticator", "SELECT, INSERT, UPDATE, DELETE", MINE),
    ("batch", "SELECT", AGENCY),
    ("batch_quality", "SELECT", AGENCY),
    ("bond", "SELECT", AGENCY),
    ("casework_case", "SELECT, UPDATE (answered_at, assignee_id, assignee_name, closed_at, outcome,"
     " snapshot_number, state, taken_at, version)", AGENCY),
    ("catalogue_publication", "SELECT, INSERT, UPDATE (decided_at, decided_by, decided_by_name,"
     " decision_note, state)", AGENCY),
    ("client_credential", "SELECT, INSERT, UPDATE (expires_at, revoked_at)", AGENCY),
    ("contact", "SELECT", AGENCY),
    ("criterion_review", "SELECT, INSERT", AGENCY, "reviewer_id = {me}"),
    ("decision", "SELECT", AGENCY),
    ("delegation", "SELECT", AGENCY),
    ("determination", "SELECT, INSERT, UPDATE (decided_at, decided_by, decided_by_name,"
     " decision_note, seq, state, version)", AGENCY),
    ("document", "SELECT, INSERT", AGENCY),
    ("document_revision", "SELECT, INSERT", AGENCY),
    ("eligibility_check", "SELECT", AGENCY),
    ("filing", "SELECT", AGENCY),
    ("filing_fault", "SELECT", AGENCY),
    ("identifier_conflict", "SELECT, UPDATE", AGENCY),
    ("information_request", "SELECT, INSERT, UPDATE (ended_at, state, version)", AGENCY),
    ("log_checkpoint", "SELECT"),
    ("log_cosignature", "SELECT"),
    ("log_leaf", "SELECT"),
    ("log_node", "SELECT"),
    ("lookup_record", "SELECT"),
    ("message", "INSERT", "false", AGENCY),
    ("oidc_subject", "SELECT, INSERT, DELETE", MINE),
    ("one_time_link", "SELECT, INSERT, UPDATE (used_at)", MINE),
    ("passkey", "SELECT, INSERT, UPDATE (last_used_at, name, sign_count), DELETE", MINE),
    ("person", "SELECT, UPDATE (password_hash)", AGENCY, "id = {me}"),
    ("plan", "SELECT", AGENCY),
    ("plan_action", "SELECT", AGENCY),
    ("policy_version", "SELECT", AGENCY),
    ("recovery_code", "SELECT, INSERT, UPDATE (used_at), DELETE", MINE),
    ("reference_counter", "SELECT, INSERT, UPDATE"),
    ("register_change", "SELECT, INSERT", AGENCY),
    ("register_entry", "SELECT, INSERT, UPDATE (recorded)", AGENCY),
    ("register_sequencer", "SELECT, INSERT, UPDATE"),
    ("returned_point", "SELECT, INSERT", AGENCY),
    ("security_event", "SELECT", AGENCY),
    ("site", "SELECT", AGENCY),
    ("staff_role", "SELECT", AGENCY),
    ("succession", "SELECT, INSERT, UPDATE (appointment_id, decided_at, decided_by,"
     " decided_by_name, decision_note, state)", AGENCY),
    ("task_reply", "SELECT", AGENCY),
    # UPDATE of a column that no page changes is what locks a row.
    ("trader", "SELECT, UPDATE (version)", AGENCY, "false"),
    ("trader_identifier", "SELECT, UPDATE (contested, refusal_reason, refused_at, refused_by, state,"
     " verified_at, verified_by, withdrawn_at)", AGENCY),
    # Whose role at a company the agency takes away is signed out; a colleague is not.
    ("web_session", "SELECT, UPDATE (data, revoked_at)",
     f"{MINE} OR ({{agency}} AND EXISTS (SELECT FROM appointment AS role"
     " WHERE role.person_id = web_session.person_id))"),
    ("webhook", "SELECT, INSERT, UPDATE", AGENCY),
    ("webhook_attempt", "SELECT", AGENCY),
    ("webhook_delivery", "SELECT, INSERT, UPDATE", AGENCY),
    ("webhook_key", "SELECT, INSERT, UPDATE (ends_at, sealed_key)", AGENCY),
]
# Jobs, the seal and the feeder have no token. They decide nothing and answer nothing: no
# determination, no answer and no person is theirs to write.
WORKER = [
    ("access_record", "SELECT"),
    ("alembic_version", "SELECT"),
    ("api_client", "SELECT, UPDATE (state, suspended_at, warned_at)"),
    ("appointment", "SELECT"),
    ("audit_event", "SELECT, INSERT", "true", "actor_kind = 'system'"),
    ("batch", "SELECT, UPDATE (accepted, faults, finished_at, kinds, lists, read, refusal, rejected,"
     " state, subtrees, total, warnings)"),
    ("batch_quality", "SELECT, INSERT, UPDATE"),
    ("client_assertion", "SELECT, DELETE"),
    ("client_credential", "SELECT"),
    # UPDATE is what locks a row; no delegation passes the rule for writing.
    ("delegation", "SELECT, UPDATE (state)", "true", "false"),
    ("consent", "SELECT, INSERT, UPDATE (ended_at, state)"),
    ("document", "SELECT"),
    ("document_revision", "SELECT, UPDATE (scan_finding, scanned_at, state)"),
    ("filing", "SELECT, INSERT"),
    ("filing_fault", "SELECT, INSERT"),
    ("follow_up_reminder", "SELECT, INSERT"),
    ("issued_token", "SELECT, DELETE"),
    ("log_checkpoint", "SELECT, INSERT"),
    ("log_cosignature", "SELECT, INSERT"),
    ("log_leaf", "SELECT, INSERT"),
    ("log_node", "SELECT, INSERT"),
    ("log_pending", "SELECT, DELETE"),
    ("log_salt", "INSERT"),
    ("log_state", "SELECT, INSERT, UPDATE"),
    ("message", "SELECT, INSERT, UPDATE (attempts, failed_at, sent_at)"),
    ("person", "SELECT"),
    ("rate_count", "SELECT, DELETE"),
    # A message is filed under a number of ours.
    ("reference_counter", "SELECT, INSERT, UPDATE"),
    ("reference_list", "SELECT"),
    ("register_change", "SELECT"),
    ("register_entry", "SELECT"),
    ("register_sequencer", "SELECT"),
    ("security_event", "SELECT"),
    ("site", "SELECT"),
    ("staff_role", "SELECT"),
    ("token_denial", "SELECT, DELETE"),
    ("trader", "SELECT"),
    ("trader_identifier", "SELECT"),
    ("verification", "SELECT, UPDATE (ended_at, holder_name, shown_at, state, told_active)"),
    ("voyage_report", "SELECT"),
    ("web_session", "SELECT (person_id, expires_at), DELETE"),
    ("webhook", "SELECT, UPDATE (delivered_at, due_at, failing_since, failures, handed, state)"),
    ("webhook_attempt", "SELECT, INSERT, DELETE"),
    ("webhook_delivery", "SELECT, INSERT, UPDATE (attempts, delivered_at, parked_at, pending),"
     " DELETE"),
    ("webhook_key", "SELECT"),
]
# Signing in, links, counters and records: the ways in of everybody, and nothing of any company but
# its name, who acts for it, and who holds an identifier.
ENTRY = [
    ("access_record", "INSERT", "false", "true"),
    ("alembic_version", "SELECT"),
    ("api_client", "SELECT, UPDATE (last_used_at)"),
    ("appointment", "SELECT, UPDATE (person_id, started_at, state, version)"),
    ("audit_event", "INSERT", "false", "client_id IS NULL"),
    ("authenticator", "SELECT, INSERT, UPDATE (last_step), DELETE"),
    ("client_assertion", "SELECT, INSERT"),
    ("client_credential", "SELECT, UPDATE (last_used_at)"),
    ("consent", "SELECT", "state = 'given'"),
    ("delegation", "SELECT"),
    ("document", "SELECT",
     "EXISTS (SELECT FROM document_revision AS seen WHERE seen.document_id = document.id)"),
    ("document_revision", "SELECT",
     "EXISTS (SELECT FROM delegation AS grounds"
     " WHERE grounds.authority_revision_id = document_revision.id)"),
    ("issued_token", "SELECT, INSERT"),
    ("log_checkpoint", "SELECT"),
    ("log_pending", "SELECT"),
    ("log_state", "SELECT"),
    ("lookup_record", "INSERT"),
    ("message", "INSERT", "false", "true"),
    ("oidc_subject", "SELECT, INSERT"),
    # An invitation to the agency is an operator's: nobody makes one here.
    ("one_time_link", "SELECT, INSERT, UPDATE (used_at)"),
    ("passkey", "SELECT, INSERT, UPDATE (last_used_at, sign_count), DELETE"),
    ("person", "SELECT, INSERT, UPDATE (mail_verified_at, name, password_hash)"),
    ("rate_count", "SELECT, INSERT, UPDATE, DELETE"),
    ("recovery_code", "SELECT, INSERT, UPDATE (used_at), DELETE"),
    ("register_change", "SELECT"),
    ("register_entry", "SELECT"),
    ("register_sequencer", "SELECT"),
    ("security_event", "INSERT", "false", "true"),
    ("staff_role", "SELECT, INSERT", "true",
     "EXISTS (SELECT FROM one_time_link AS link JOIN person AS invited ON invited.email = link.email"
     " WHERE invited.id = staff_role.person_id AND link.role = staff_role.role)"),
    ("token_denial", "SELECT, INSERT"),
    ("trader", "SELECT, UPDATE (version)", "true", "false"),
    ("trader_identifier", "SELECT"),
    ("verification", "SELECT"),
    ("web_session", "SELECT, INSERT, UPDATE (data, fresh_at, last_seen_at, revoked_at, token_hash),"
     " DELETE"),
]
RIGHTS = {"console": CONSOLE, "worker": WORKER, "entry": ENTRY}
# Two people decide, each with their own name; the row says which of them is asking.
SIGNED = ("catalogue_publication", "determination", "succession")
# What the agency alone decides was writable to a trader's person within their own reach.
NOT_A_TRADERS = {
    "application_return": "INSERT",
    "criterion_review": "INSERT",
    "determination": "INSERT, UPDATE",
    "information_request": "INSERT",
    "register_entry": "INSERT, UPDATE",
    "returned_point": "INSERT",
}


def allow(who, table, privileges, rule="true", written=None):
    op.get_bind().execute(
        sa.text("SELECT fairway_allow(:who, CAST(:table AS regclass), :may, :rule, :written)"),
        {"who": who, "table": table, "may": privileges, "rule": rule, "written": written},
    )


def upgrade():
    op.execute("SET LOCAL check_function_bodies = off")
    op.execute(FUNCTIONS)
    op.execute("REVOKE EXECUTE ON FUNCTION fairway_staff() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION fairway_staff() TO fairway_console")
    op.execute(ALLOW % {"console": KNOWS_STAFF})
    for who, rows in RIGHTS.items():
        op.execute(f"GRANT USAGE ON SCHEMA public, procrastinate TO fairway_{who}")
        op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO fairway_{who}")
        for row in rows:
            allow(who, *row)
    for table in SIGNED:
        op.execute(
            f"CREATE POLICY proposer ON {table} AS RESTRICTIVE FOR INSERT TO fairway_console"
            " WITH CHECK (proposed_by = (SELECT fairway_staff()))"
        )
        op.execute(
            f"CREATE POLICY signer ON {table} AS RESTRICTIVE FOR UPDATE TO fairway_console"
            " USING (true) WITH CHECK (decided_by IS NULL OR decided_by = (SELECT fairway_staff()))"
        )
    op.execute(
        "CREATE POLICY inviter ON one_time_link AS RESTRICTIVE FOR INSERT TO fairway_entry"
        " WITH CHECK (role IS NULL)"
    )
    for table, privileges in NOT_A_TRADERS.items():
        op.execute(f"REVOKE {privileges} ON {table} FROM fairway_portal")
    # A job is put into the queue and not read again; the worker alone takes it out.
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA procrastinate FROM fairway_portal")
    for who in ("portal", "console", "entry"):
        op.execute(f"GRANT INSERT, SELECT (id) ON procrastinate.procrastinate_jobs TO fairway_{who}")
        op.execute(f"GRANT INSERT ON procrastinate.procrastinate_events TO fairway_{who}")
    op.execute("GRANT SELECT (status) ON procrastinate.procrastinate_jobs TO fairway_entry")
    op.execute("GRANT SELECT ON procrastinate.procrastinate_workers TO fairway_entry")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate"
        " TO fairway_worker"
    )


def downgrade():
    op.execute(
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA procrastinate TO fairway_portal"
    )
    for table, privileges in NOT_A_TRADERS.items():
        op.execute(f"GRANT {privileges} ON {table} TO fairway_portal")
    op.execute("DROP POLICY inviter ON one_time_link")
    for table in SIGNED:
        op.execute(f"DROP POLICY proposer ON {table}")
        op.execute(f"DROP POLICY signer ON {table}")
    for who, rows in RIGHTS.items():
        for row in rows:
            op.execute(f"DROP POLICY IF EXISTS {who} ON {row[0]}")
        for schema in ("public", "procrastinate"):
            for kind in ("TABLES", "SEQUENCES"):
                op.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM fairway_{who}")
            op.execute(f"REVOKE USAGE ON SCHEMA {schema} FROM fairway_{who}")
    op.execute(ALLOW % {"console": ""})
    op.execute("DROP FUNCTION fairway_staff()")
