"""No transaction without a principal, neither here nor in the database."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, InternalError, ProgrammingError
from sqlalchemy.orm import Session

from app.db.base import UtcDateTime
from app.db.references import next_reference
from app.db.session import Principal, UnboundPrincipalError, transaction

INSERT = "INSERT INTO reference_counter (kind, year, last) VALUES (:kind, 2026, 1)"
TEST = Principal("system:test")


def test_a_session_without_a_principal_cannot_begin(engine):
    with Session(engine) as session, pytest.raises(UnboundPrincipalError):
        session.execute(text("SELECT 1"))


def test_an_empty_principal_is_none(engine):
    with pytest.raises(UnboundPrincipalError), transaction(engine, Principal("")) as session:
        session.execute(text("SELECT 1"))


def test_the_database_refuses_a_write_that_went_past_the_session(engine):
    with pytest.raises(ProgrammingError, match="no principal"), engine.begin() as connection:
        connection.execute(text(INSERT), {"kind": "X"})


def test_the_principal_ends_with_its_transaction(engine):
    with transaction(engine, TEST) as session:
        name = session.execute(text("SELECT current_setting('app.principal', true)")).scalar_one()
        assert name == "system:test"
    with engine.connect() as connection:
        left = connection.execute(text("SELECT current_setting('app.principal', true)"))
        assert left.scalar_one() in (None, "")


def test_a_read_only_transaction_cannot_write(engine):
    with (
        pytest.raises(InternalError, match="read-only"),
        transaction(engine, TEST, read_only=True) as session,
    ):
        session.execute(text(INSERT), {"kind": "X"})


def test_the_application_is_neither_owner_nor_superuser(engine):
    with transaction(engine, TEST) as session:
        role = session.execute(
            text(
                "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
                " WHERE rolname = current_user"
            )
        ).one()
        owned = session.execute(
            text("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")
        ).scalar_one()
    assert tuple(role) == (False, False, False, False)
    assert owned == 0


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit_event SET tag = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"],
)
def test_the_record_is_append_only_even_for_its_owner(engine, cluster, database, change):
    owner = create_engine(cluster.owner_url(database))
    try:
        with pytest.raises(IntegrityError, match="append-only"), owner.begin() as connection:
            connection.execute(text(change))
    finally:
        owner.dispose()


def test_naive_instants_are_refused():
    kind = UtcDateTime()
    with pytest.raises(ValueError, match="naive"):
        kind.process_bind_param(datetime(2026, 1, 1), None)  # noqa: DTZ001 - that is the point.
    aware = datetime(2026, 1, 1, tzinfo=UTC)
    assert kind.process_bind_param(aware, None) == aware


def test_references_are_dense_and_roll_back_with_their_reason(engine):
    with transaction(engine, TEST) as session:
        assert next_reference(session, "TST", 2026) == "TST-2026-00001"

    def given_back():
        with transaction(engine, TEST) as session:
            next_reference(session, "TST", 2026)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        given_back()
    with transaction(engine, TEST) as session:
        assert next_reference(session, "TST", 2026) == "TST-2026-00002"
