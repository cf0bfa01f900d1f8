"""People, sessions, one-time links, API clients, and the counters that slow guessing down."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade():
    # Part of the embedded server already; a trusted extension on any other.
    op.execute("CREATE EXTENSION IF NOT EXISTS citext")
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("email", CITEXT, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("mail_verified_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("email", name="uq_person_email"),
    )
    op.execute("SELECT fairway_protect('person', 'SELECT, INSERT, UPDATE')")

    op.create_table(
        "staff_role",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "role", name="pk_staff_role"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_staff_role_person_id"),
        sa.CheckConstraint(
            "role IN ('reviewer', 'supervisor', 'programme_manager', 'auditor')",
            name="ck_staff_role_role",
        ),
    )
    op.execute("SELECT fairway_protect('staff_role', 'SELECT, INSERT, DELETE')")

    op.create_table(
        "web_session",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("fresh_at", INSTANT),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
        sa.UniqueConstraint("token_hash", name="uq_web_session_token_hash"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_web_session_person_id"),
    )
    op.create_index("ix_web_session_person_id", "web_session", ["person_id"])
    op.create_index("ix_web_session_expires_at", "web_session", ["expires_at"])
    op.execute("SELECT fairway_protect('web_session', 'SELECT, INSERT, UPDATE, DELETE')")

    op.create_table(
        "one_time_link",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("email", CITEXT),
        sa.Column("role", sa.Text),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_link"),
        sa.UniqueConstraint("token_hash", name="uq_one_time_link_token_hash"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_one_time_link_person_id"),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (email IS NULL)", name="ck_one_time_link_one_addressee"
        ),
        sa.CheckConstraint(
            "(email IS NULL) = (role IS NULL)", name="ck_one_time_link_role_by_mail"
        ),
    )
    op.create_index(
        "ix_one_time_link_person_id_purpose", "one_time_link", ["person_id", "purpose"]
    )
    op.execute("SELECT fairway_protect('one_time_link', 'SELECT, INSERT, UPDATE')")

    op.create_table(
        "api_client",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text),
        sa.Column("jwk", JSONB),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("trader_id", sa.Uuid),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.Column("suspended_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_api_client"),
        sa.UniqueConstraint("client_id", name="uq_api_client_client_id"),
        sa.CheckConstraint(
            "(secret_hash IS NULL) <> (jwk IS NULL)", name="ck_api_client_one_proof"
        ),
    )
    op.create_index(
        "ix_api_client_trader_id",
        "api_client",
        ["trader_id"],
        postgresql_where=sa.text("trader_id IS NOT NULL"),
    )
    op.execute("SELECT fairway_protect('api_client', 'SELECT, INSERT, UPDATE')")

    op.create_table(
        "token_denial",
        sa.Column("jti", sa.Text, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_token_denial"),
    )
    op.create_index("ix_token_denial_expires_at", "token_denial", ["expires_at"])
    op.execute("SELECT fairway_protect('token_denial', 'SELECT, INSERT, DELETE')")

    op.create_table(
        "client_assertion",
        sa.Column("client_id", sa.Uuid, nullable=False),
        sa.Column("jti", sa.Text, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti", name="pk_client_assertion"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_client.id"], name="fk_client_assertion_client_id"
        ),
    )
    op.create_index("ix_client_assertion_expires_at", "client_assertion", ["expires_at"])
    op.execute("SELECT fairway_protect('client_assertion', 'SELECT, INSERT, DELETE')")

    op.create_table(
        "rate_count",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_count"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_rate_count_expires_at", "rate_count", ["expires_at"])
    op.execute("SELECT fairway_protect('rate_count', 'SELECT, INSERT, UPDATE, DELETE')")


def downgrade():
    for table in (
        "rate_count",
        "client_assertion",
        "token_denial",
        "api_client",
        "one_time_link",
        "web_session",
        "staff_role",
        "person",
    ):
        op.drop_table(table)
