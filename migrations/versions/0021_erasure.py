"""Let names be erased from what was recorded, and nothing else, and only after the erasure is recorded."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NAMING = {"audit_event": "actor_name", "security_event": "address"}
FUNCTIONS = """
-- Nobody changes what was recorded, the tables' owner included; the application alone may try to
-- erase, and the next function looks at each row.
CREATE FUNCTION fairway_refuse_all_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR current_user <> 'fairway_app' THEN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;

-- The one change of a recorded row: what names a person becomes empty, and an event says that it did.
CREATE FUNCTION fairway_only_erase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(NEW) - TG_ARGV[0] IS DISTINCT FROM to_jsonb(OLD) - TG_ARGV[0]
    OR to_jsonb(NEW) ->> TG_ARGV[0] <> ''
    OR NOT EXISTS (SELECT FROM public.audit_event e
                   WHERE e.subject_id = OLD.person_id AND e.tag = 'person:erased') THEN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- What opens a commitment goes after the name that it was of, never before.
CREATE FUNCTION fairway_keep_salt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM public.audit_event e WHERE e.id = OLD.event_id AND e.actor_name = ''
    UNION ALL
    SELECT FROM public.security_event s WHERE s.id = OLD.event_id AND s.address = '') THEN
    RAISE EXCEPTION 'the name of event % is not erased', OLD.event_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END $$;
"""


def upgrade():
    op.execute(FUNCTIONS)
    for table, column in NAMING.items():
        op.execute(f"DROP TRIGGER refuse_change ON {table}")
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse_all_but_erasure()"
        )
        op.execute(
            f"CREATE TRIGGER only_erase BEFORE UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION fairway_only_erase('{column}')"
        )
        op.execute(f"GRANT UPDATE ({column}) ON {table} TO fairway_app")
    op.execute("GRANT DELETE ON log_salt, one_time_link, message TO fairway_app")
    op.execute(
        "CREATE TRIGGER keep_salt BEFORE DELETE ON log_salt"
        " FOR EACH ROW EXECUTE FUNCTION fairway_keep_salt()"
    )


def downgrade():
    op.execute("DROP TRIGGER keep_salt ON log_salt")
    op.execute("REVOKE DELETE ON log_salt, one_time_link, message FROM fairway_app")
    for table, column in NAMING.items():
        op.execute(f"REVOKE UPDATE ({column}) ON {table} FROM fairway_app")
        op.execute(f"DROP TRIGGER only_erase ON {table}")
        op.execute(f"DROP TRIGGER refuse_change ON {table}")
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse_change()"
        )
    op.execute("DROP FUNCTION fairway_refuse_all_but_erasure()")
    op.execute("DROP FUNCTION fairway_only_erase()")
    op.execute("DROP FUNCTION fairway_keep_salt()")
