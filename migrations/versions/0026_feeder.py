"""What the feeder listens to, and the record of look-ups that is written in batches."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# A notification only hastens what the feeder's poll finds anyway, so it carries nothing.
LISTENED = """
CREATE FUNCTION fairway_tell_feeders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END $$;
CREATE TRIGGER tell_feeders AFTER INSERT ON register_change
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_tell_feeders('fairway_register');
CREATE TRIGGER tell_feeders AFTER UPDATE OF state, scopes ON api_client
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_tell_feeders('fairway_clients');
CREATE TRIGGER tell_feeders AFTER INSERT OR UPDATE OF expires_at, revoked_at ON client_credential
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_tell_feeders('fairway_clients');
CREATE TRIGGER tell_feeders AFTER INSERT ON token_denial
  FOR EACH STATEMENT EXECUTE FUNCTION fairway_tell_feeders('fairway_clients');
"""
TABLES = ("register_change", "api_client", "client_credential", "token_denial")


def upgrade():
    op.create_table(
        "lookup_record",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("trader_id", sa.Uuid),
        sa.Column("seq", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_lookup_record"),
    )
    op.create_index("ix_lookup_record_subject_at", "lookup_record", ["subject", "at"])
    op.create_index("ix_lookup_record_client_id_at", "lookup_record", ["client_id", "at"])
    # COPY does not go through row policies, so this table has none: the portal's role, which they
    # bind, cannot so much as see it.
    op.execute("SELECT fairway_append_only('lookup_record')")
    op.execute("REVOKE ALL ON lookup_record FROM fairway_portal")
    op.execute(LISTENED)


def downgrade():
    for table in TABLES:
        op.execute(f"DROP TRIGGER tell_feeders ON {table}")
    op.execute("DROP FUNCTION fairway_tell_feeders()")
    op.drop_table("lookup_record")
