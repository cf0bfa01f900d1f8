"""Each surface connects as its own role, which can become nobody else."""

import json

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.cli import handover
from app.cli.handover import HANDOVER, OF_SURFACE, OF_WORKER, Handed, hand_over, handed_over
from app.cli.runtime import Runtime, logins_of_server, setting_of
from app.config import LOGINS, Settings
from app.db.embedded.databases import APP, OWNER, SUPER
from app.db.embedded.databases import PARTS as NAMES
from app.db.session import (
    PARTS,
    Principal,
    Role,
    UnboundPrincipalError,
    logins_of,
    make_engines,
    transaction,
)

WHO = text("SELECT session_user, current_user, current_setting('role')")
EVERYBODY = (APP, OWNER, SUPER, *NAMES)


def test_the_roles_are_the_same_everywhere():
    assert set(NAMES) == {str(one) for one in PARTS}
    assert {setting_of(one) for one in PARTS} == set(LOGINS)


@pytest.mark.parametrize("role", PARTS)
def test_a_transaction_is_that_of_its_roles_own_login(serving, role):
    with transaction(serving, Principal("system:test", role=role)) as db:
        assert tuple(db.execute(WHO).one()) == (role, role, role)


@pytest.mark.parametrize("role", PARTS)
@pytest.mark.parametrize(
    "how", ["SET ROLE {}", "SET SESSION AUTHORIZATION {}", "SELECT set_config('role', '{}', false)"]
)
def test_a_login_can_become_nobody_else(serving, role, how):
    with transaction(serving, Principal("system:test", role=role)) as db:
        for other in {*EVERYBODY, "pg_read_all_data"} - {str(role)}:
            point = db.begin_nested()
            with pytest.raises(DBAPIError) as refused:
                db.execute(text(how.format(other)))
            assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege), other
            point.rollback()


@pytest.mark.parametrize("role", PARTS)
@pytest.mark.parametrize(
    "back",
    ["RESET ROLE", "SET ROLE NONE", "RESET SESSION AUTHORIZATION", "RESET ALL", "DISCARD ALL"],
)
def test_going_back_leads_to_the_same_role(serving, role, back):
    """An injected statement may end the transaction first; what follows is no wider."""
    engine = logins_of(serving)[role]
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        raw.rollback()
        raw.autocommit = True
        raw.execute(back)
        assert raw.execute("SELECT session_user, current_user").fetchone() == (role, role)
        connection.invalidate()


def test_nothing_that_serves_runs_as_the_commands(serving, engine, app):
    forgotten = Principal("system:test")
    with pytest.raises(UnboundPrincipalError, match="command"), transaction(serving, forgotten):
        pass
    with transaction(engine, forgotten) as db:
        assert db.execute(WHO).one().session_user == APP
    assert app.extensions["fairway"].engine is serving


@pytest.mark.parametrize("surface", OF_SURFACE)
def test_a_surface_holds_the_logins_of_its_own_actors_alone(login_urls, surface):
    engine = make_engines({one: login_urls[one] for one in OF_SURFACE[surface]})
    try:
        for role in Role:
            who = Principal("system:test", role=role)
            if role in OF_SURFACE[surface]:
                with transaction(engine, who) as db:
                    assert db.execute(WHO).one().current_user == role
            else:
                with pytest.raises(UnboundPrincipalError), transaction(engine, who):
                    pass
    finally:
        engine.dispose()
    assert (Role.CONSOLE in OF_SURFACE[surface]) == (surface in {"console", "all"})
    assert Role.WORKER not in OF_SURFACE[surface]


def test_a_process_is_handed_no_address_but_its_own(
    engine, settings, app_url, login_urls, monkeypatch
):
    run = Runtime(settings, app_url, "the owner's address", engine, login_urls)
    value = hand_over(run, OF_WORKER, fed=True)
    assert json.loads(value) == {"urls": {"fairway_worker": login_urls[Role.WORKER]}, "map": True}
    monkeypatch.setenv(HANDOVER, value)
    monkeypatch.setattr(handover, "read_settings", lambda: settings)
    handed = handed_over()
    assert handed == Handed(handed.settings, {Role.WORKER: login_urls[Role.WORKER]}, fed=True)
    with pytest.raises(KeyError):
        handed.engine(OF_SURFACE["portal"])
    assert app_url not in hand_over(run, OF_SURFACE["all"])


def test_one_address_serves_every_role_as_before(app_url):
    """A server of one's own with FAIRWAY_DATABASE_URL alone: roles are taken, one pool is kept."""
    given = Settings(database_url=app_url)
    engine = make_engines(logins_of_server(given, app_url))
    try:
        assert len({id(one) for one in logins_of(engine).values()}) == 1
        for role in PARTS:
            with transaction(engine, Principal("system:test", role=role)) as db:
                assert tuple(db.execute(WHO).one()) == (APP, role, role)
        with pytest.raises(UnboundPrincipalError), transaction(engine, Principal("system:test")):
            pass
    finally:
        engine.dispose()


def test_each_address_is_a_setting_of_its_own(app_url, login_urls):
    some = {Role.PORTAL: login_urls[Role.PORTAL], Role.CONSOLE: login_urls[Role.CONSOLE]}
    given = Settings(database_url=app_url, **{setting_of(one): url for one, url in some.items()})
    wanted = {**dict.fromkeys(PARTS, app_url), **some}
    assert logins_of_server(given, app_url) == wanted
    with pytest.raises(ValueError, match="need FAIRWAY_DATABASE_URL"):
        Settings(database_portal_url=app_url)
