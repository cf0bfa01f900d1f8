"""Two further roles at a trader: the outside adviser, and the person of the data alone."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = ("officer", "preparer", "viewer")


def upgrade():
    allow(*BEFORE, "consultant", "data_only")


def downgrade():
    allow(*BEFORE)


def allow(*roles):
    name = op.f("ck_appointment_role")
    listed = ", ".join(f"'{role}'" for role in roles)
    op.drop_constraint(name, "appointment", type_="check")
    op.create_check_constraint(name, "appointment", f"role IN ({listed})")
