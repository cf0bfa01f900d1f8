"""Migrations: in sequence, reversible, equal to the models, and every table guarded."""

import ast
import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from app.db.embedded import Cluster
from app.db.migrate import downgrade, upgrade
from app.tables import Base

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"


def test_names_are_a_sequence_and_the_head_file_agrees():
    numbers = sorted(re.match(r"(\d{4})_", path.name)[1] for path in VERSIONS.glob("*.py"))
    assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)]
    assert (VERSIONS.parent / ".head").read_text().strip() == numbers[-1]


def test_migrations_never_import_the_application():
    for path in VERSIONS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not [n for n in names if n.split(".")[0] == "app"], path.name


@pytest.fixture
def spare(cluster: Cluster, request):
    name = "spare_" + re.sub(r"\W", "_", request.node.name)[:40]
    cluster.create_database(name)
    yield cluster.owner_url(name)
    cluster.drop_database(name)


@contextmanager
def connected(url: str):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def schema(url: str) -> list[tuple]:
    with connected(url) as connection:
        rows = connection.execute(
            text(
                """
                SELECT 'column', table_name, column_name, data_type || is_nullable
                FROM information_schema.columns WHERE table_schema = 'public'
                UNION ALL
                SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace
                UNION ALL
                SELECT 'index', tablename, indexname, indexdef
                FROM pg_indexes WHERE schemaname = 'public'
                UNION ALL
                SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
                FROM pg_trigger WHERE NOT tgisinternal
                UNION ALL
                SELECT 'function', proname, '', md5(prosrc)
                FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prolang <> 13
                UNION ALL
                SELECT 'grant', table_name, grantee, privilege_type
                FROM information_schema.role_table_grants
                WHERE table_schema = 'public' AND grantee = 'fairway_app'
                ORDER BY 1, 2, 3, 4
                """
            )
        ).all()
    return [tuple(row) for row in rows]


def test_up_down_up_leads_to_the_same_schema(spare):
    upgrade(spare)
    first = schema(spare)
    assert any(kind == "trigger" for kind, *_ in first)
    downgrade(spare, "base")
    left = [row for row in schema(spare) if row[1] != "alembic_version"]
    ours = [row for row in left if row[0] != "function" or row[1].startswith("fairway")]
    assert ours == []
    upgrade(spare)
    assert schema(spare) == first


def test_models_match_the_migrated_schema(spare):
    upgrade(spare)
    with connected(spare) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    # Indexes and exclusion constraints live in the migrations alone; models state shape.
    assert [d for d in differences if d[0] not in {"remove_index", "remove_constraint"}] == []


def test_every_table_refuses_a_transaction_without_a_principal(spare):
    upgrade(spare)
    with connected(spare) as connection:
        unguarded = connection.execute(
            text(
                """
                SELECT tablename FROM pg_tables
                WHERE schemaname = 'public' AND tablename <> 'alembic_version'
                  AND NOT EXISTS (
                    SELECT 1 FROM pg_trigger
                    WHERE tgrelid = format('public.%I', tablename)::regclass
                      AND tgname = 'require_principal')
                """
            )
        ).scalars()
        assert list(unguarded) == []
        excess = connection.execute(
            text(
                """
                SELECT table_name, privilege_type FROM information_schema.role_table_grants
                WHERE grantee = 'fairway_app' AND table_schema = 'public'
                  AND privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES')
                """
            )
        ).all()
        assert excess == []
        owned = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE tableowner = 'fairway_app'")
        ).all()
        assert owned == []


ROWS = """
INSERT INTO api_client (id, client_id, name, secret_hash, jwk, scopes, created_at, suspended_at)
VALUES
  (gen_random_uuid(), 'fw-secret', 'a', 'abc', NULL, '{status:read}', now(), NULL),
  (gen_random_uuid(), 'fw-key', 'b', NULL, '{"kty": "OKP"}', '{status:read}', now(), NULL),
  (gen_random_uuid(), 'fw-gone', 'c', 'def', NULL, '{status:read}', now(), now())
"""
BEFORE = (
    "SELECT client_id, secret_hash, jwk ->> 'kty', suspended_at IS NOT NULL FROM api_client"
    " ORDER BY client_id"
)
AFTER = (
    "SELECT client_id, secret_hash, jwk ->> 'kty', state = 'revoked' FROM api_client"
    " JOIN client_credential ON api_client_id = api_client.id ORDER BY client_id"
)
AS_TEST = "SELECT set_config('app.principal', 'system:test', false)"


def test_credentials_of_clients_go_up_and_down_with_their_rows(spare):
    path = next(VERSIONS.glob("*_client_credentials.py"))
    before = f"{int(path.name[:4]) - 1:04d}"
    upgrade(spare, before)

    def run(*statements):
        with connected(spare) as connection:
            connection.execute(text(AS_TEST))
            rows = [connection.execute(text(one)) for one in statements][-1]
            found = [tuple(row) for row in rows] if rows.returns_rows else []
            connection.commit()
        return found

    run(ROWS)
    first = run(BEFORE)
    assert first == [
        ("fw-gone", "def", None, True),
        ("fw-key", None, "OKP", False),
        ("fw-secret", "abc", None, False),
    ]
    upgrade(spare, path.name[:4])
    assert run(AFTER) == first
    # A newer credential that lives is the one that stays, an ended one never replaces it, and a
    # client that has only ended ones is out.
    run(
        "INSERT INTO client_credential (id, api_client_id, secret_hash, created_at, revoked_at)"
        " SELECT gen_random_uuid(), id, 'newer', now() + interval '1 hour', NULL FROM api_client"
        " WHERE client_id = 'fw-secret' UNION ALL"
        " SELECT gen_random_uuid(), id, 'ended', now() + interval '2 hours', now() FROM api_client"
        " WHERE client_id = 'fw-secret'",
        "UPDATE client_credential SET expires_at = now() - interval '1 hour' WHERE jwk IS NOT NULL",
    )
    downgrade(spare, before)
    assert run(BEFORE) == [
        ("fw-gone", "def", None, True),
        ("fw-key", None, "OKP", True),
        ("fw-secret", "newer", None, False),
    ]
