"""The guards that every table gets, the record, references, and the job queue's schema."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GUARDS = """
-- A transaction that has not said on whose behalf it runs writes nothing.
CREATE FUNCTION fairway_require_principal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('app.principal', true), '') = '' THEN
    RAISE EXCEPTION 'no principal is bound to this transaction'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END $$;

-- What was recorded stays as it was recorded, for the owner of the table too.
CREATE FUNCTION fairway_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Every migration that creates a table calls this once for it: the principal guard, and the
-- application role's privileges, named one by one.
CREATE FUNCTION fairway_protect(target regclass, privileges text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER require_principal BEFORE INSERT OR UPDATE OR DELETE ON %s '
    'FOR EACH STATEMENT EXECUTE FUNCTION fairway_require_principal()', target);
  EXECUTE format('GRANT %s ON %s TO fairway_app', privileges, target);
END $$;

CREATE FUNCTION fairway_append_only(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
    'FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse_change()', target);
  PERFORM fairway_protect(target, 'SELECT, INSERT');
END $$;
"""


def upgrade():
    op.execute("GRANT USAGE ON SCHEMA public TO fairway_app")
    op.execute(GUARDS)
    op.execute("GRANT SELECT ON alembic_version TO fairway_app")
    op.create_table(
        "reference_counter",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("year", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "year", name="pk_reference_counter"),
    )
    op.execute("SELECT fairway_protect('reference_counter', 'SELECT, INSERT, UPDATE')")
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("client_id", sa.Uuid),
        sa.Column("trader_id", sa.Uuid),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    op.create_index("ix_audit_event_trader_id_at", "audit_event", ["trader_id", "at"])
    op.create_index("ix_audit_event_subject_id_at", "audit_event", ["subject_id", "at"])
    op.execute("SELECT fairway_append_only('audit_event')")
    op.create_table(
        "security_event",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("client_id", sa.Uuid),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_security_event"),
    )
    op.create_index("ix_security_event_person_id_at", "security_event", ["person_id", "at"])
    op.execute("SELECT fairway_append_only('security_event')")
    op.create_table(
        "access_record",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("client_id", sa.Uuid),
        sa.Column("trader_id", sa.Uuid),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_record"),
    )
    op.create_index("ix_access_record_trader_id_at", "access_record", ["trader_id", "at"])
    op.execute("SELECT fairway_append_only('access_record')")

    # The job queue lives in a schema of its own: its tables are the library's, not ours.
    op.execute("CREATE SCHEMA procrastinate")
    op.execute("SET LOCAL search_path TO procrastinate, public")
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute("SET LOCAL search_path TO public")
    op.execute("GRANT USAGE ON SCHEMA procrastinate TO fairway_app")
    for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        op.execute(f"GRANT ALL ON ALL {kind} IN SCHEMA procrastinate TO fairway_app")


def downgrade():
    op.execute("DROP SCHEMA procrastinate CASCADE")
    for table in ("access_record", "security_event", "audit_event", "reference_counter"):
        op.drop_table(table)
    for function in (
        "fairway_append_only(regclass)",
        "fairway_protect(regclass, text)",
        "fairway_refuse_change()",
        "fairway_require_principal()",
    ):
        op.execute(f"DROP FUNCTION {function}")
