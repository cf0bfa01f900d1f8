"""One look-up instead of two for each filing that is written, and no row of a file filed twice.

A filing's trader is its batch's, and the batch's trader is a trader: so the pair says all.
"""

from contextlib import contextmanager

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade():
    op.create_unique_constraint("uq_filing_batch_id_file_row", "filing", ["batch_id", "file_row"])
    op.drop_index("ix_filing_batch_id_file_row", "filing")
    # The owner reads what is there already, which the policies keep from it otherwise.
    with read():
        op.create_foreign_key(
            "fk_filing_batch_id_trader_id",
            "filing",
            "batch",
            ["batch_id", "trader_id"],
            ["id", "trader_id"],
        )
    op.drop_constraint("fk_filing_batch_id", "filing", type_="foreignkey")
    op.drop_constraint("fk_filing_trader_id", "filing", type_="foreignkey")


def downgrade():
    with read():
        op.create_foreign_key("fk_filing_trader_id", "filing", "trader", ["trader_id"], ["id"])
        op.create_foreign_key("fk_filing_batch_id", "filing", "batch", ["batch_id"], ["id"])
    op.drop_constraint("fk_filing_batch_id_trader_id", "filing", type_="foreignkey")
    op.create_index("ix_filing_batch_id_file_row", "filing", ["batch_id", "file_row"])
    op.drop_constraint("uq_filing_batch_id_file_row", "filing", type_="unique")


@contextmanager
def read():
    for force in ("NO FORCE", "FORCE"):
        for table in ("filing", "batch", "trader"):
            op.execute(f"ALTER TABLE {table} {force} ROW LEVEL SECURITY")
        if force == "NO FORCE":
            yield
