"""The identities at OpenID Providers by which people sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "oidc_subject",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oidc_subject"),
        sa.UniqueConstraint("issuer", "subject", name="uq_oidc_subject_issuer_subject"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_oidc_subject_person_id"),
    )
    op.create_index("ix_oidc_subject_person_id", "oidc_subject", ["person_id"])
    # Who an identity opens is never altered: it is taken away, and given anew by a proof.
    op.execute("SELECT fairway_protect('oidc_subject', 'SELECT, INSERT, DELETE')")


def downgrade():
    op.drop_table("oidc_subject")
