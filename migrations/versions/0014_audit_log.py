"""The tamper-evident log: what waits to be sealed, leaves, inner nodes, checkpoints, salts."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SEALED = ("audit_event", "security_event", "access_record")

WAIT = """
-- Written by the database itself in the transaction of the event, so no way of writing passes it by.
-- SECURITY DEFINER: the application may not add here, or it could have something sealed twice.
CREATE FUNCTION fairway_wait_for_seal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.log_pending (event_id, kind) SELECT id, TG_TABLE_NAME FROM written;
  RETURN NULL;
END $$;
"""


def upgrade():
    op.create_table(
        "log_pending",
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_log_pending"),
    )
    op.execute("SELECT fairway_protect('log_pending', 'SELECT, DELETE')")
    op.create_table(
        "log_leaf",
        sa.Column("idx", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("commitment", sa.LargeBinary),
        sa.PrimaryKeyConstraint("idx", name="pk_log_leaf"),
        sa.UniqueConstraint("event_id", name="uq_log_leaf_event_id"),
    )
    op.execute("SELECT fairway_append_only('log_leaf')")
    op.create_table(
        "log_node",
        sa.Column("level", sa.BigInteger, nullable=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name="pk_log_node"),
    )
    op.execute("SELECT fairway_append_only('log_node')")
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoint"),
    )
    op.execute("SELECT fairway_append_only('log_checkpoint')")
    op.create_table(
        "log_salt",
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_log_salt"),
    )
    op.execute("SELECT fairway_protect('log_salt', 'SELECT, INSERT')")
    op.execute(WAIT)
    for table in SEALED:
        op.execute(
            f"CREATE TRIGGER wait_for_seal AFTER INSERT ON {table} REFERENCING NEW TABLE AS written"
            " FOR EACH STATEMENT EXECUTE FUNCTION fairway_wait_for_seal()"
        )
        # What was recorded before there was a log is sealed as well.
        op.execute(f"SELECT set_config('app.principal', 'system:migration', true)")
        op.execute(f"INSERT INTO log_pending (event_id, kind) SELECT id, '{table}' FROM {table}")


def downgrade():
    for table in SEALED:
        op.execute(f"DROP TRIGGER wait_for_seal ON {table}")
    op.execute("DROP FUNCTION fairway_wait_for_seal()")
    for table in ("log_salt", "log_checkpoint", "log_node", "log_leaf", "log_pending"):
        op.drop_table(table)
