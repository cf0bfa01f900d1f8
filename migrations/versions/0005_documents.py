"""The tables of app.documents: files with an opaque owner, and their revisions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("removed_at", INSTANT),
        sa.Column("removed_by", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.ForeignKeyConstraint(["trader_id"], ["trader.id"], name="fk_document_trader_id"),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name="fk_document_created_by"),
        sa.ForeignKeyConstraint(["removed_by"], ["person.id"], name="fk_document_removed_by"),
    )
    op.create_index("ix_document_trader_id_created_at", "document", ["trader_id", "created_at"])
    op.create_index("ix_document_owner_kind_owner_id", "document", ["owner_kind", "owner_id"])
    # Whose a document is and what belongs to it never change; only its removal is written later.
    op.execute(
        "SELECT fairway_protect('document',"
        " 'SELECT, INSERT, UPDATE (title, kind, removed_at, removed_by)')"
    )
    op.create_table(
        "document_revision",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("document_id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("confidential", sa.Boolean, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("stored_at", INSTANT, nullable=False),
        sa.Column("stored_by", sa.Uuid),
        sa.Column("stored_by_name", sa.Text, nullable=False),
        sa.Column("scanned_at", INSTANT),
        sa.Column("scan_finding", sa.Text),
        sa.Column("frozen_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_document_revision"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name="fk_document_revision_document_id"
        ),
        sa.ForeignKeyConstraint(
            ["trader_id"], ["trader.id"], name="fk_document_revision_trader_id"
        ),
        sa.ForeignKeyConstraint(
            ["stored_by"], ["person.id"], name="fk_document_revision_stored_by"
        ),
        sa.UniqueConstraint("document_id", "number", name="uq_document_revision_document_id_number"),
        sa.CheckConstraint(
            "state IN ('pending', 'clean', 'infected', 'unscanned')",
            name=op.f("ck_document_revision_state"),
        ),
        sa.CheckConstraint(
            "sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_document_revision_sha256")
        ),
        sa.CheckConstraint("size > 0", name=op.f("ck_document_revision_size")),
    )
    op.create_index(
        "ix_document_revision_trader_id_stored_at", "document_revision", ["trader_id", "stored_at"]
    )
    op.create_index(
        "ix_document_revision_pending",
        "document_revision",
        ["stored_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    # What was stored is never altered: only what became known of it afterwards is written.
    op.execute(
        "SELECT fairway_protect('document_revision', 'SELECT, INSERT,"
        " UPDATE (state, scanned_at, scan_finding, frozen_at, confidential, expires_on)')"
    )


def downgrade():
    op.drop_table("document_revision")
    op.drop_table("document")
