"""Delegations, and who acted for whom in events, batches and filings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

# The last line: whatever the application does, no event of a person or program under a delegation
# is written once it is over. The row stays locked until the transaction ends.
LIVE = """
CREATE FUNCTION fairway_require_live_delegation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.delegation_id IS NULL OR NEW.subject_kind = 'delegation'
     OR NEW.actor_kind NOT IN ('person', 'client') THEN
    RETURN NEW;
  END IF;
  PERFORM 1 FROM delegation WHERE id = NEW.delegation_id AND state = 'active'
    AND trader_id = NEW.trader_id AND broker_id = NEW.acting_trader_id
    AND valid_from <= NEW.at AND valid_until > NEW.at FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the delegation is not in force' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER require_live_delegation BEFORE INSERT ON audit_event
  FOR EACH ROW EXECUTE FUNCTION fairway_require_live_delegation();
"""


def check(name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_delegation_{name}"))


def upgrade():
    op.create_unique_constraint(
        "uq_document_revision_trader_id_id", "document_revision", ["trader_id", "id"]
    )
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("trader_name", sa.Text, nullable=False),
        sa.Column("broker_id", sa.Uuid, nullable=False),
        sa.Column("broker_name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=False),
        sa.Column("authority_revision_id", sa.Uuid),
        sa.Column("proposed_side", sa.Text, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("proposed_by", sa.Uuid, nullable=False),
        sa.Column("accepted_at", INSTANT),
        sa.Column("accepted_by", sa.Uuid),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.Uuid),
        sa.Column("ended_side", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_delegation"),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_delegation_{column}")
            for column, target in (
                ("trader_id", "trader.id"),
                ("broker_id", "trader.id"),
                ("proposed_by", "person.id"),
                ("accepted_by", "person.id"),
                ("ended_by", "person.id"),
            )
        ),
        sa.ForeignKeyConstraint(
            ["trader_id", "authority_revision_id"],
            ["document_revision.trader_id", "document_revision.id"],
            name="fk_delegation_authority",
        ),
        check("two_traders", "trader_id <> broker_id"),
        check("dates", "valid_until > valid_from"),
        check("scopes", "cardinality(scopes) > 0"),
        check(
            "known_scopes",
            "scopes <@ ARRAY['prepare', 'submit_filings', 'view_status', 'respond', 'data_only']",
        ),
        check("state", "state IN ('proposed', 'active', 'declined', 'revoked')"),
        check("proposed_side", "proposed_side IN ('trader', 'broker')"),
        check("ended_side", "ended_side IN ('trader', 'broker')"),
        check(
            "consent",
            "state <> 'active' OR (accepted_at IS NOT NULL AND accepted_by <> proposed_by"
            " AND authority_revision_id IS NOT NULL)",
        ),
    )
    op.create_index("ix_delegation_trader_id", "delegation", ["trader_id"])
    op.create_index("ix_delegation_broker_id", "delegation", ["broker_id"])
    op.execute(
        "ALTER TABLE delegation ADD CONSTRAINT ex_delegation_one_at_a_time EXCLUDE USING gist"
        " (trader_id WITH =, broker_id WITH =, tstzrange(valid_from, valid_until) WITH &&)"
        " WHERE (state = 'active')"
    )
    op.execute("SELECT fairway_protect('delegation', 'SELECT, INSERT, UPDATE')")
    for column in ("acting_trader_id", "delegation_id"):
        for table in ("audit_event", "batch"):
            op.add_column(table, sa.Column(column, sa.Uuid))
    op.add_column("filing", sa.Column("acting_trader_id", sa.Uuid))
    op.create_index(
        "ix_audit_event_acting_trader_id_at",
        "audit_event",
        ["acting_trader_id", "at"],
        postgresql_where=sa.text("acting_trader_id IS NOT NULL"),
    )
    op.execute(LIVE)


def downgrade():
    op.execute("DROP TRIGGER require_live_delegation ON audit_event")
    op.execute("DROP FUNCTION fairway_require_live_delegation()")
    op.drop_index("ix_audit_event_acting_trader_id_at", "audit_event")
    op.drop_column("filing", "acting_trader_id")
    for column in ("delegation_id", "acting_trader_id"):
        for table in ("batch", "audit_event"):
            op.drop_column(table, column)
    op.drop_table("delegation")
    op.drop_constraint("uq_document_revision_trader_id_id", "document_revision", type_="unique")
