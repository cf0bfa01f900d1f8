"""Who looks after a section of an assessment, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade():
    # Together with the column, because a check of rows afterwards stops at the table's row policies.
    op.execute(
        "ALTER TABLE assessment_section ADD COLUMN owner_id uuid"
        " CONSTRAINT fk_assessment_section_owner_id REFERENCES person (id)"
    )
    op.add_column("assessment_section", sa.Column("due_on", sa.Date))
    op.execute(
        "GRANT UPDATE (owner_id, due_on) ON assessment_section TO fairway_app, fairway_portal"
    )


def downgrade():
    op.drop_column("assessment_section", "due_on")
    op.drop_column("assessment_section", "owner_id")
