"""Rows of several sides in every isolated table, made from the catalogue and never committed.

Each side is a company or a person. The values come from the types and the foreign keys of the
columns, so that a new table is populated, attacked and mutated from its first migration on. Triggers,
foreign keys and checks are out of the way: what refuses here is a row policy and nothing else.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.authz.actor import DelegationScope
from app.identity import scopes as identity_scopes

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=9), NOW + timedelta(days=9)

COMPANIES = ("a", "b", "k", "j", "f")
"""A and its competitor B, K that is A's broker, J that invited somebody, F that was just registered."""
PEOPLE = (*COMPANIES, *"cdestvwy")
"""Of the companies one each; C and, until lately, D and E of A too; S and T of the agency; V of nobody;
Y whom J invited, and W whom it invited under an address that nobody verified."""
Row = dict[str, Any]
SCOPES = sorted(frozenset().union(*identity_scopes.SCOPES.values()))
DELEGATED = sorted(one.value for one in DelegationScope)


def uuid_of(*words: str) -> UUID:
    return UUID(md5(":".join(words).encode(), usedforsecurity=False).hexdigest())


def hash_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    kind: str
    required: bool


@dataclass
class Table:
    """What the catalogue says of a table, and its rows by side."""

    name: str
    key: tuple[str, ...] = ()
    columns: dict[str, Column] = field(default_factory=dict)
    references: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Column to (table, column); `bound` are those of a key that holds the trader too."""
    bound: set[str] = field(default_factory=set)
    unique: set[str] = field(default_factory=set)
    rows: dict[str, Row] = field(default_factory=dict)
    """By label."""

    def key_of(self, row: Row) -> tuple[str, ...]:
        return tuple(str(row[name]) for name in self.key)

    def label_of(self, key: tuple[str, ...]) -> str:
        return next(label for label, row in self.rows.items() if self.key_of(row) == key)

    def of(self, sides: set[str]) -> set[str]:
        """The labels of the sides' rows: a label begins with the side, and `-` is nobody's."""
        return {label for label in self.rows if sides == {"all"} or label[0] in sides}


_COLUMNS = text("""
SELECT c.relname AS table_name, a.attname AS name, format_type(a.atttypid, NULL) AS type,
       t.typcategory AS kind, a.attnotnull AS required
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity AND a.attgenerated = ''
ORDER BY c.relname, a.attnum
""")
_KEYS = text("""
SELECT i.indrelid::regclass::text AS table_name, i.indisprimary AS primary_key,
       array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum)) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
GROUP BY i.indexrelid, i.indrelid, i.indisprimary
""")
_FOREIGN = text("""
SELECT k.conrelid::regclass::text AS table_name, k.confrelid::regclass::text AS target,
       array_agg(a.attname::text ORDER BY n.at) AS columns,
       array_agg(b.attname::text ORDER BY n.at) AS targets
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid AND c.relrowsecurity,
     LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS n(one, other, at),
     pg_attribute a, pg_attribute b
WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
  AND a.attrelid = k.conrelid AND a.attnum = n.one AND b.attrelid = k.confrelid AND b.attnum = n.other
GROUP BY k.oid ORDER BY array_length(k.conkey, 1)
""")
_CHECKS = text("""
SELECT conrelid::regclass::text AS table_name, quote_ident(conname) AS name FROM pg_constraint
WHERE contype IN ('c', 'x') AND connamespace = 'public'::regnamespace AND conrelid <> 0
""")


def read_catalogue(connection: Connection) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for row in connection.execute(_COLUMNS):
        table = tables.setdefault(row.table_name, Table(row.table_name))
        table.columns[row.name] = Column(row.name, row.type, row.kind, row.required)
    for row in connection.execute(_KEYS):
        if row.primary_key:
            tables[row.table_name].key = tuple(row.columns)
        tables[row.table_name].unique |= set(row.columns)
    for row in connection.execute(_FOREIGN):
        table = tables[row.table_name]
        for column, target in zip(row.columns, row.targets, strict=True):
            table.references.setdefault(column, (row.target, target))
            if "trader_id" in row.columns:
                table.bound.add(column)
    for table in tables.values():
        name_owners(table)
    return tables


def name_owners(table: Table) -> None:
    """Columns that name a company, a person or a program without a foreign key do so by name."""
    table.bound.discard("trader_id")
    for name in ("trader_id", "acting_trader_id"):
        if name in table.columns:
            table.references[name] = ("trader", "id")
    if "person_id" in table.columns:
        table.references.setdefault("person_id", ("person", "id"))
    if "client_id" in table.columns and table.columns["client_id"].type == "uuid":
        table.references.setdefault("client_id", ("api_client", "id"))


def overrides(table: str, side: str) -> Row:
    """What makes of a filled row one that tells something to the policies."""
    token = hash_of(f"token of {side}")
    found: dict[str, Row] = {
        "appointment": {"role": "officer", "state": "active", "invited_email": None},
        "delegation": {
            "state": "active" if side == "a" else "proposed",
            "broker_id": uuid_of("trader", "k" if side == "a" else "nobody"),
            "valid_from": EARLIER,
            "valid_until": LATER,
            "scopes": list(DELEGATED),
            "authority_revision_id": uuid_of("document_revision", "a") if side == "a" else None,
            "proposed_side": "trader",
            "proposed_by": uuid_of("person", side),
        },
        "web_session": {
            "token_hash": token,
            "last_seen_at": NOW,
            "expires_at": LATER,
            "revoked_at": None,
            "method": "passkey",
        },
        "person": {
            "ended_at": EARLIER if side == "e" else None,
            "email": f"{side}@example.com",
            "mail_verified_at": None if side == "w" else EARLIER,
        },
        "api_client": {"state": "active", "revoked_at": None, "scopes": list(SCOPES)},
        "client_credential": {"revoked_at": None, "expires_at": None},
        "issued_token": {"token_hash": token, "expires_at": LATER, "scopes": list(SCOPES)},
        "trader": {"registered_by": uuid_of("person", side)},
        "catalogue_publication": {"state": "published" if side == "a" else "proposed"},
        "consent": {
            "state": "given" if side == "a" else "asked",
            "asker_id": uuid_of("trader", "nobody"),
        },
        "audit_event": {"acting_trader_id": None, "actor_kind": "person", "subject_kind": "x"},
        "staff_role": {"role": "reviewer"},
        "trader_identifier": {"state": "withdrawn"},
    }
    return found.get(table, {})


def value_of(column: Column, side: str, table: str) -> object:
    """A value of the column's type; `None` where it may be, so that only what matters is said."""
    if not column.required:
        return None
    number = 1 + PEOPLE.index(side)
    by_type: dict[str, object] = {
        "uuid": uuid_of(table, column.name, side),
        "jsonb": Jsonb({}),
        "bytea": f"{table} {column.name} {side}".encode(),
        "timestamp with time zone": EARLIER,
        "date": EARLIER.date(),
        "boolean": False,
        "tstzrange": "empty",
    }
    if column.type in by_type:
        return by_type[column.type]
    if column.kind == "A":
        return []
    if column.kind == "N":
        return number
    return f"{table} {column.name} {side}"


def has_side(table: Table, side: str) -> bool:
    """Whether the side has a row: a company in all tables, a person in those of persons."""
    if table.name == "staff_role":
        return side in {"s", "t"}
    if side == "f" and table.name == "appointment":
        return False
    if side in COMPANIES:
        return True
    targets = {target for target, _ in table.references.values()} - {"api_client"}
    return table.name == "person" or ("person_id" in table.columns and targets == {"person"})


def cell(tables: dict[str, Table], table: Table, column: Column, side: str) -> object:
    """What the side's row says in the column: its own id, or that of the side's row it refers to."""
    if column.name == "id" and column.type == "uuid":
        return uuid_of(table.name, side)
    target = table.references.get(column.name)
    told = column.required or column.name in {"trader_id", "person_id", "client_id"}
    if target is not None and told and target[0] in tables.keys() - {table.name}:
        other = tables[target[0]]
        return cell(tables, other, other.columns[target[1]], side)
    return value_of(column, side, table.name)


def make_row(table: Table, side: str, tables: dict[str, Table]) -> Row:
    filled = {column.name: cell(tables, table, column, side) for column in table.columns.values()}
    return filled | overrides(table.name, side)


def insert(connection: Connection, table: Table, row: Row) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f"CAST(:{name} AS {table.columns[name].type})" for name in row)
    connection.execute(text(f"INSERT INTO {table.name} ({names}) VALUES ({values})"), row)  # noqa: S608


def put(connection: Connection, table: Table, label: str, row: Row) -> Row:
    insert(connection, table, row)
    table.rows[label] = row
    return row


def build(connection: Connection) -> dict[str, Table]:
    """Populate every isolated table within the connection's transaction."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    tables = read_catalogue(connection)
    for row in connection.execute(_CHECKS).all():
        connection.execute(text(f"ALTER TABLE {row.table_name} DROP CONSTRAINT {row.name}"))
    for table in tables.values():
        for side in PEOPLE:
            if has_side(table, side):
                put(connection, table, side, make_row(table, side, tables))
    return tables
