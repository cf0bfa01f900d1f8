"""The ways in which a transaction could run for somebody else, each refused."""

import pytest
from sqlalchemy import event, text

from app.authz.actor import system_actor
from app.db.session import (
    BoundSession,
    Principal,
    UnboundPrincipalError,
    make_engine,
    transaction,
)
from tests.factories.identity import make_person, sign_in

ADA = Principal("person:ada", "token of ada")
BEN = Principal("person:ben", "token of ben")
BOUND = text("SELECT current_setting('app.principal', true), current_setting('app.session', true)")


def test_a_session_never_changes_its_principal(engine):
    with BoundSession(engine, ADA) as session:
        session.execute(BOUND)
        session.rollback()
        session.info["principal"] = BEN
        with pytest.raises(UnboundPrincipalError, match="one principal"):
            session.execute(BOUND)
        with pytest.raises(AttributeError):
            session.principal = BEN


def test_each_transaction_of_a_session_is_bound_again(engine):
    with BoundSession(engine, ADA) as session:
        assert tuple(session.execute(BOUND).one()) == ("person:ada", "token of ada")
        session.commit()
        assert tuple(session.execute(BOUND).one()) == ("person:ada", "token of ada")


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "autocommit"])
def test_an_engine_that_commits_by_itself_is_refused(app_url, level):
    with pytest.raises(UnboundPrincipalError, match="autocommit"):
        make_engine(app_url, isolation_level=level)


def test_a_connection_that_commits_by_itself_is_refused(engine):
    loose = engine.execution_options(isolation_level="AUTOCOMMIT")
    with pytest.raises(UnboundPrincipalError, match="autocommit"), transaction(loose, ADA) as db:
        db.execute(BOUND)


@pytest.mark.parametrize("name", ["app.principal", "app.session"])
def test_a_setting_left_on_a_pooled_connection_is_found(app_url, name):
    single = make_engine(app_url, pool_size=1, max_overflow=0)
    try:
        with single.connect() as connection:
            connection.execute(
                text("SELECT set_config(:name, 'left behind', false)"), {"name": name}
            )
            connection.commit()
        with (
            pytest.raises(UnboundPrincipalError, match="still bound"),
            transaction(single, ADA) as db,
        ):
            db.execute(BOUND)
    finally:
        single.dispose()


def test_one_connection_serves_two_people_in_turn(app_url):
    single = make_engine(app_url, pool_size=1, max_overflow=0)
    try:
        for who in (ADA, BEN, ADA):
            with transaction(single, who) as db:
                assert tuple(db.execute(BOUND).one()) == (who.name, who.session)
    finally:
        single.dispose()


def test_a_second_principal_within_one_transaction_is_refused(engine):
    with engine.connect() as connection, connection.begin():
        with BoundSession(connection, ADA) as session, session.begin():
            session.execute(BOUND)
        # The savepoint was released, and with it the setting would have stayed for the next.
        with (
            pytest.raises(UnboundPrincipalError, match="still bound"),
            BoundSession(connection, BEN) as session,
        ):
            session.execute(BOUND)


def test_the_token_is_never_printed():
    assert "token of ada" not in repr(ADA)


def test_the_database_is_told_the_cookie_and_not_the_id_of_its_row(client, work_as, engine):
    with work_as(system_actor("test")) as work:
        person = make_person(work)
    session_id = sign_in(client, person)
    cookie = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    told = []

    def note(_connection, _cursor, _statement, parameters, *_):
        if isinstance(parameters, dict) and "sid" in parameters:
            told.append((parameters["name"], parameters["sid"]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        client.get("/")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    of_person = {sid for name, sid in told if name.startswith("person:")}
    assert of_person == {cookie.value}
    assert str(session_id) not in str(told)
