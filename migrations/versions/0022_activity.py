"""Under which delegation somebody looked; and the record read over all traders."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("audit_event", "security_event", "access_record")


def upgrade():
    # The leaf of an older record leaves them out, as it does every null, and stays as it was.
    for name in ("acting_trader_id", "delegation_id"):
        op.add_column("access_record", sa.Column(name, sa.Uuid))
    for table in TABLES:
        op.create_index(f"ix_{table}_at_id", table, ["at", "id"])


def downgrade():
    for table in TABLES:
        op.drop_index(f"ix_{table}_at_id", table)
    for name in ("delegation_id", "acting_trader_id"):
        op.drop_column("access_record", name)
