"""Look-ups in bulk: written as blocks, made rows of afterwards by the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

# No role may take a block away: this function alone does, in the transaction that makes its rows.
UNFOLD = """
CREATE FUNCTION fairway_unfold_lookups(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  taken integer;
BEGIN
  WITH gone AS (
    DELETE FROM lookup_block WHERE id IN (
      SELECT id FROM lookup_block ORDER BY id LIMIT most FOR UPDATE SKIP LOCKED)
    RETURNING *
  ), made AS (
    INSERT INTO lookup_record (at, client_id, subject, answer, trader_id, seq)
    SELECT g.at, g.client_id, left(one, 64),
           CASE substr(one, 65, 1) WHEN 'a' THEN 'active' WHEN 'n' THEN 'not_active'
             WHEN 'u' THEN 'not_a_partner' WHEN 'm' THEN 'malformed' END,
           nullif(substr(one, 67), '')::uuid,
           CASE WHEN substr(one, 65, 1) <> 'm' THEN g.seq END
    FROM gone g, LATERAL string_to_table(g.looked_up, ',') WITH ORDINALITY AS x(one, place)
    ORDER BY g.id, x.place
  )
  SELECT count(*) INTO taken FROM gone;
  RETURN taken;
END $$;
REVOKE ALL ON FUNCTION fairway_unfold_lookups FROM public;
GRANT EXECUTE ON FUNCTION fairway_unfold_lookups TO fairway_worker, fairway_app;
"""


def upgrade():
    op.create_table(
        "lookup_block",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Uuid, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("looked_up", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lookup_block"),
    )
    # Hashes do not become shorter, and trying costs what the block is there to save.
    op.execute("ALTER TABLE lookup_block ALTER COLUMN looked_up SET STORAGE EXTERNAL")
    op.execute("SELECT fairway_protect('lookup_block', 'SELECT, INSERT')")
    op.execute("REVOKE ALL ON lookup_block FROM fairway_portal")
    op.execute("SELECT fairway_allow('entry', 'lookup_block', 'INSERT')")
    op.execute("SELECT fairway_allow('console', 'lookup_block', 'SELECT')")
    op.execute(UNFOLD)


def downgrade():
    # What waits is not lost; a migration has no principal.
    for table in ("lookup_block", "lookup_record"):
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER require_principal")
    op.execute("SELECT fairway_unfold_lookups(2147483647)")
    op.execute("ALTER TABLE lookup_record ENABLE TRIGGER require_principal")
    op.execute("DROP FUNCTION fairway_unfold_lookups")
    op.drop_table("lookup_block")
