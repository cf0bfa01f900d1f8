"""Webhooks: who is told of changes of the register, the keys, and what came of each delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = {
    "webhook": "SELECT, INSERT, UPDATE",
    "webhook_key": "SELECT, INSERT, UPDATE",
    "webhook_delivery": "SELECT, INSERT, UPDATE, DELETE",
    "webhook_attempt": "SELECT, INSERT, DELETE",
}

# What was registered stays so, and what was told is told again in the same words.
GUARD = """
CREATE FUNCTION fairway_guard_webhook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.name, NEW.address, NEW.created_at, NEW.created_by_name)
     IS DISTINCT FROM ROW(OLD.name, OLD.address, OLD.created_at, OLD.created_by_name)
     OR NEW.handed < OLD.handed THEN
    RAISE EXCEPTION 'a webhook keeps its address, and goes on' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON webhook
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_webhook();
CREATE FUNCTION fairway_guard_webhook_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(NEW.webhook_id, NEW.kind, NEW.after, NEW.seq, NEW.body)
     IS DISTINCT FROM ROW(OLD.webhook_id, OLD.kind, OLD.after, OLD.seq, OLD.body) THEN
    RAISE EXCEPTION 'a delivery is sent again as it was' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON webhook_delivery
  FOR EACH ROW EXECUTE FUNCTION fairway_guard_webhook_delivery();
"""


def check(table, name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade():
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("handed", sa.BigInteger, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("failing_since", INSTANT),
        sa.Column("delivered_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
        check("webhook", "state", "state IN ('active', 'parked', 'removed')"),
        check("webhook", "failing", "(failing_since IS NULL) = (failures = 0)"),
    )
    op.create_index(
        "ix_webhook_due_at", "webhook", ["due_at"], postgresql_where=sa.text("state = 'active'")
    )
    op.create_table(
        "webhook_key",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("webhook_id", sa.Uuid, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_key"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name="fk_webhook_key_webhook_id"),
    )
    op.create_index("ix_webhook_key_webhook_id", "webhook_key", ["webhook_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("webhook_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", INSTANT),
        sa.Column("parked_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_delivery"),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name="fk_webhook_delivery_webhook_id"
        ),
        check("webhook_delivery", "order", "after <= seq"),
        check(
            "webhook_delivery",
            "end",
            "pending OR delivered_at IS NOT NULL OR parked_at IS NOT NULL",
        ),
    )
    op.create_index(
        "ix_webhook_delivery_webhook_id_created_at", "webhook_delivery", ["webhook_id", "created_at"]
    )
    op.create_index(
        "ix_webhook_delivery_pending",
        "webhook_delivery",
        ["webhook_id"],
        postgresql_where=sa.text("pending"),
    )
    op.create_table(
        "webhook_attempt",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("delivery_id", sa.Uuid, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("status", sa.BigInteger),
        sa.Column("fault", sa.Text),
        sa.Column("took_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempt"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_delivery.id"], name="fk_webhook_attempt_delivery_id"
        ),
        check("webhook_attempt", "outcome", "(status IS NULL) <> (fault IS NULL)"),
    )
    op.create_index("ix_webhook_attempt_delivery_id_at", "webhook_attempt", ["delivery_id", "at"])
    op.execute(GUARD)
    for table, privileges in TABLES.items():
        op.execute(f"SELECT fairway_protect('{table}', '{privileges}')")
        # The agency's alone: of traders and programs none has any business with them.
        op.execute(f"REVOKE ALL ON {table} FROM fairway_portal")
        op.execute(f"SELECT fairway_isolate('{table}', 'false')")


def downgrade():
    for table in ("webhook_attempt", "webhook_delivery", "webhook_key", "webhook"):
        op.drop_table(table)
    op.execute("DROP FUNCTION fairway_guard_webhook_delivery()")
    op.execute("DROP FUNCTION fairway_guard_webhook()")
