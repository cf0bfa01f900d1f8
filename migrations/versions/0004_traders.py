"""The tables of app.traders: companies, identifiers, bonds, sites, contacts, appointments."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "trader",
    "trader_identifier",
    "identifier_conflict",
    "bond",
    "site",
    "contact",
    "appointment",
)


def key(table):
    return sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def reference(table, column, target):
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def one_of(table, column, *values):
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def check(table, name, rule):
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def address():
    return [
        sa.Column(name, sa.Text, nullable=False)
        for name in ("country", "address_line", "city", "region", "postal_code")
    ]


def upgrade():
    create_trader()
    create_identifiers()
    create_profile()
    create_appointment()
    for table in TABLES:
        op.execute(f"SELECT fairway_protect('{table}', 'SELECT, INSERT, UPDATE')")


def create_trader():
    op.create_table(
        "trader",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("entity_type", sa.Text, nullable=False),
        *address(),
        sa.Column("office_country", sa.Text),
        sa.Column("imported_within_year", sa.Boolean),
        sa.Column("registered_by", sa.Uuid),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        key("trader"),
        reference("trader", "registered_by", "person"),
        one_of(
            "trader",
            "entity_type",
            "importer",
            "broker",
            "carrier",
            "consolidator",
            "manufacturer",
            "exporter",
            "third_party_logistics",
            "terminal_operator",
        ),
    )


def create_identifiers():
    op.create_table(
        "trader_identifier",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("value_encrypted", sa.LargeBinary),
        sa.Column("lookup_key", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("contested", sa.Boolean, nullable=False),
        sa.Column("claimed_at", INSTANT, nullable=False),
        sa.Column("claimed_by", sa.Uuid),
        sa.Column("verified_at", INSTANT),
        sa.Column("verified_by", sa.Uuid),
        sa.Column("refused_at", INSTANT),
        sa.Column("refused_by", sa.Uuid),
        sa.Column("refusal_reason", sa.Text),
        sa.Column("withdrawn_at", INSTANT),
        key("trader_identifier"),
        reference("trader_identifier", "trader_id", "trader"),
        reference("trader_identifier", "claimed_by", "person"),
        reference("trader_identifier", "verified_by", "person"),
        reference("trader_identifier", "refused_by", "person"),
        one_of("trader_identifier", "state", "claimed", "verified", "refused", "withdrawn"),
        check("trader_identifier", "one_value", "num_nonnulls(value, value_encrypted) = 1"),
    )
    # One holder of a verified identifier. A take-on from another system may bring in two; both
    # are then contested, and the status API answers "not active" until a reviewer has decided.
    op.create_index(
        "uq_trader_identifier_verified",
        "trader_identifier",
        ["scheme", "lookup_key"],
        unique=True,
        postgresql_where=sa.text("state = 'verified' AND NOT contested"),
    )
    op.create_index(
        "uq_trader_identifier_live",
        "trader_identifier",
        ["trader_id", "scheme", "lookup_key"],
        unique=True,
        postgresql_where=sa.text("state IN ('claimed', 'verified')"),
    )
    op.create_index(
        "ix_trader_identifier_scheme_lookup_key", "trader_identifier", ["scheme", "lookup_key"]
    )
    op.create_table(
        "identifier_conflict",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("lookup_key", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT),
        sa.Column("resolved_by", sa.Uuid),
        sa.Column("kept_identifier_id", sa.Uuid),
        sa.Column("reason", sa.Text),
        key("identifier_conflict"),
        reference("identifier_conflict", "resolved_by", "person"),
        reference("identifier_conflict", "kept_identifier_id", "trader_identifier"),
        one_of("identifier_conflict", "state", "open", "resolved"),
    )
    op.create_index(
        "uq_identifier_conflict_open",
        "identifier_conflict",
        ["scheme", "lookup_key"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def create_profile():
    op.create_table(
        "bond",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("surety", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("activity_code", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        key("bond"),
        reference("bond", "trader_id", "trader"),
        one_of("bond", "kind", "continuous", "single"),
        check("bond", "amount", "amount > 0"),
        check("bond", "dates", "valid_until >= valid_from"),
    )
    op.create_index("ix_bond_trader_id", "bond", ["trader_id"])
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        *address(),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.Column("version", sa.BigInteger, nullable=False),
        key("site"),
        reference("site", "trader_id", "trader"),
    )
    op.create_index("ix_site_trader_id", "site", ["trader_id"])
    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("is_primary", sa.Boolean, nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.Column("version", sa.BigInteger, nullable=False),
        key("contact"),
        reference("contact", "trader_id", "trader"),
        one_of("contact", "position", "officer", "employee", "adviser"),
        check("contact", "primary", "NOT is_primary OR position <> 'adviser'"),
    )
    op.create_index("ix_contact_trader_id", "contact", ["trader_id"])
    op.create_index(
        "uq_contact_primary",
        "contact",
        ["trader_id"],
        unique=True,
        postgresql_where=sa.text("is_primary AND removed_at IS NULL"),
    )


def create_appointment():
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("trader_id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("invited_email", sa.Text),
        sa.Column("token_hash", sa.Text),
        sa.Column("invited_at", INSTANT),
        sa.Column("invited_by", sa.Uuid),
        sa.Column("expires_at", INSTANT),
        sa.Column("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.Uuid),
        sa.Column("version", sa.BigInteger, nullable=False),
        key("appointment"),
        reference("appointment", "trader_id", "trader"),
        reference("appointment", "person_id", "person"),
        reference("appointment", "invited_by", "person"),
        reference("appointment", "ended_by", "person"),
        one_of("appointment", "role", "officer", "preparer", "viewer"),
        one_of("appointment", "state", "invited", "active", "ended"),
        check("appointment", "person", "state <> 'active' OR person_id IS NOT NULL"),
    )
    op.create_index(
        "uq_appointment_active",
        "appointment",
        ["trader_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_appointment_invited",
        "appointment",
        ["trader_id", "invited_email"],
        unique=True,
        postgresql_where=sa.text("state = 'invited'"),
    )
    op.create_index("uq_appointment_token_hash", "appointment", ["token_hash"], unique=True)
    op.create_index("ix_appointment_person_id", "appointment", ["person_id"])


def downgrade():
    for table in reversed(TABLES):
        op.drop_table(table)
