"""How a session began, and what else than a password a person proves themselves with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade():
    op.execute("SET LOCAL app.principal = 'system:migration'")
    op.add_column("web_session", sa.Column("method", sa.Text))
    # Nobody knows by which proof an older session began, so it counts as the weakest.
    op.execute("UPDATE web_session SET method = 'password' WHERE person_id IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_web_session_method_of_person"),
        "web_session",
        "(person_id IS NULL) = (method IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_web_session_method"),
        "web_session",
        "method IN ('password', 'invitation', 'password+totp', 'password+recovery-code', 'passkey',"
        " 'oidc', 'demo')",
    )

    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("transports", ARRAY(sa.Text), nullable=False),
        sa.Column("aaguid", sa.Text, nullable=False),
        sa.Column("multi_device", sa.Boolean, nullable=False),
        sa.Column("backed_up", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_passkey"),
        sa.UniqueConstraint("credential_id", name="uq_passkey_credential_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_passkey_person_id"),
    )
    op.create_index("ix_passkey_person_id", "passkey", ["person_id"])
    op.execute("SELECT fairway_protect('passkey', 'SELECT, INSERT, UPDATE, DELETE')")

    op.create_table(
        "authenticator",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authenticator"),
        sa.UniqueConstraint("person_id", name="uq_authenticator_person_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_authenticator_person_id"),
    )
    op.execute("SELECT fairway_protect('authenticator', 'SELECT, INSERT, UPDATE, DELETE')")

    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
        sa.UniqueConstraint(
            "person_id", "code_hash", name="uq_recovery_code_person_id_code_hash"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_recovery_code_person_id"),
    )
    op.execute("SELECT fairway_protect('recovery_code', 'SELECT, INSERT, UPDATE, DELETE')")


def downgrade():
    for table in ("recovery_code", "authenticator", "passkey"):
        op.drop_table(table)
    op.drop_column("web_session", "method")
