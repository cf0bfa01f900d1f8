"""Credentials of API clients become rows; clients get states, quotas and an idle time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ADDED = ("warned_at", "woken_at", "revoked_at")
# The name that the naming convention made of the one in migration 0002.
PROOF = "ck_api_client_ck_api_client_one_proof"
# The guard refuses a write that names no principal, a migration's too.
AS_MIGRATION = "SELECT set_config('app.principal', 'system:migration', true)"


def upgrade():
    op.execute(AS_MIGRATION)
    op.add_column(
        "api_client", sa.Column("state", sa.Text, nullable=False, server_default="active")
    )
    for column in ("per_minute", "per_day"):
        op.add_column("api_client", sa.Column(column, sa.BigInteger))
    for column in ADDED:
        op.add_column("api_client", sa.Column(column, INSTANT))
    # Until now the only suspension was for good.
    op.execute(
        "UPDATE api_client SET state = 'revoked', revoked_at = suspended_at, suspended_at = NULL"
        " WHERE suspended_at IS NOT NULL"
    )
    op.alter_column("api_client", "state", server_default=None)
    op.create_check_constraint(
        op.f("ck_api_client_state"), "api_client", "state IN ('active', 'suspended', 'revoked')"
    )
    op.create_check_constraint(
        op.f("ck_api_client_quota"), "api_client", "per_minute > 0 AND per_day > 0"
    )
    op.create_unique_constraint("uq_api_client_id_trader_id", "api_client", ["id", "trader_id"])
    op.create_table(
        "client_credential",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("api_client_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid),
        sa.Column("secret_hash", sa.Text),
        sa.Column("jwk", JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("expires_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.Column("last_used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_client_credential"),
        sa.ForeignKeyConstraint(
            ["api_client_id"], ["api_client.id"], name="fk_client_credential_api_client_id"
        ),
        sa.ForeignKeyConstraint(
            ["api_client_id", "trader_id"],
            ["api_client.id", "api_client.trader_id"],
            name="fk_client_credential_api_client_id_trader_id",
        ),
        sa.CheckConstraint(
            "(secret_hash IS NULL) <> (jwk IS NULL)",
            name=op.f("ck_client_credential_one_proof"),
        ),
    )
    op.create_index("ix_client_credential_api_client_id", "client_credential", ["api_client_id"])
    op.execute(
        "INSERT INTO client_credential"
        " (id, api_client_id, trader_id, secret_hash, jwk, created_at, last_used_at)"
        " SELECT gen_random_uuid(), id, trader_id, secret_hash, jwk, created_at, last_used_at"
        " FROM api_client"
    )
    op.drop_constraint(op.f(PROOF), "api_client", type_="check")
    op.drop_column("api_client", "secret_hash")
    op.drop_column("api_client", "jwk")
    op.execute("SELECT fairway_protect('client_credential', 'SELECT, INSERT, UPDATE')")


def downgrade():
    op.execute(AS_MIGRATION)
    op.add_column("api_client", sa.Column("secret_hash", sa.Text))
    op.add_column("api_client", sa.Column("jwk", JSONB))
    # One of several credentials can stay: the newest that lives, else the newest.
    op.execute(
        "UPDATE api_client SET secret_hash = kept.secret_hash, jwk = kept.jwk,"
        " suspended_at = CASE WHEN api_client.state = 'active' AND kept.live THEN NULL"
        " ELSE coalesce(api_client.revoked_at, api_client.suspended_at, now()) END"
        " FROM (SELECT DISTINCT ON (api_client_id) api_client_id, secret_hash, jwk, live"
        "   FROM (SELECT *, revoked_at IS NULL AND coalesce(expires_at > now(), true) AS live"
        "         FROM client_credential) AS each"
        "   ORDER BY api_client_id, live DESC, created_at DESC, id DESC) AS kept"
        " WHERE kept.api_client_id = api_client.id"
    )
    op.drop_table("client_credential")
    op.create_check_constraint(
        op.f(PROOF), "api_client", "(secret_hash IS NULL) <> (jwk IS NULL)"
    )
    op.drop_constraint("uq_api_client_id_trader_id", "api_client", type_="unique")
    for column in ("state", "per_minute", "per_day", *ADDED):
        op.drop_column("api_client", column)
