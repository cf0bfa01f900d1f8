"""The function that lets an application go on looks for temporary tables last, as all do."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

NAME = "fairway_guard_moved_application()"


def upgrade():
    op.execute(f"ALTER FUNCTION {NAME} SET search_path = pg_catalog, public, pg_temp")


def downgrade():
    op.execute(f"ALTER FUNCTION {NAME} RESET search_path")
