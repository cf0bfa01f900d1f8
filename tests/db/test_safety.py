"""`fairway doctor` and `fairway db check` name every login that reaches past its role."""

from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, text

from app.cli import operations
from app.cli.runtime import RefusedError, Runtime
from app.db import safety
from app.db.session import PARTS, Role
from tests.guards.test_row_security import OF_NOBODY, OF_PROGRAMS, OF_THE_LOG


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER ROLE fairway_portal SUPERUSER", "is a superuser"),
        ("ALTER ROLE fairway_portal BYPASSRLS", "has BYPASSRLS"),
        ("ALTER ROLE fairway_portal CREATEROLE", "may make roles"),
        ("ALTER ROLE fairway_portal REPLICATION", "may replicate"),
        ("ALTER TABLE site OWNER TO fairway_portal", "owns 1 tables"),
        ("GRANT CREATE ON SCHEMA public TO fairway_portal", "may create tables"),
        ("GRANT fairway_worker TO fairway_portal", "may become fairway_worker"),
        ("GRANT fairway_owner TO fairway_portal", "may become fairway_owner"),
        ("CREATE ROLE other; GRANT other TO fairway_portal", "may become other"),
        ("SELECT", None),
    ],
)
def test_what_a_login_can_do_past_its_role_is_said(super_engine, change, said):
    with super_engine.connect() as connection:
        connection.execute(text(change))
        connection.execute(text("SET LOCAL SESSION AUTHORIZATION fairway_portal"))
        found = list(safety.of_login(connection, may_be=frozenset({"fairway_portal"})))
        connection.rollback()
    if said is None:
        assert found == []
    else:
        assert any(said in one for one in found), found
        assert all("fairway_portal" in one for one in found)


@pytest.mark.parametrize("part", PARTS)
def test_every_login_of_the_embedded_database_is_bound(login_urls, app_url, part):
    assert list(safety.findings(app_url, {part: login_urls[part]})) == []


def test_a_login_that_cannot_take_its_role_is_said(login_urls, app_url):
    [found] = safety.findings(app_url, {Role.CONSOLE: login_urls[Role.PORTAL]})
    assert "fairway_portal cannot act as fairway_console" in found


@pytest.mark.parametrize("wanting", ["NO FORCE", "DISABLE"])
def test_a_table_whose_rows_are_not_kept_apart_is_said(super_engine, wanting):
    with super_engine.connect() as connection:
        assert list(safety.of_tables(connection)) == []
        connection.execute(text(f"ALTER TABLE site {wanting} ROW LEVEL SECURITY"))
        assert list(safety.of_tables(connection)) == [
            "The table site lacks FORCE ROW LEVEL SECURITY."
        ]
        connection.execute(text("CREATE TABLE forgotten (id int)"))
        assert any("forgotten" in one for one in safety.of_tables(connection))
        connection.rollback()


def test_the_tables_without_row_security_are_those_under_review():
    listed = {"alembic_version", *OF_NOBODY, *OF_PROGRAMS, *OF_THE_LOG}
    assert listed == safety.WITHOUT_ROW_SECURITY


def test_a_missing_role_is_said_with_what_makes_it(super_engine):
    with super_engine.connect() as connection:
        assert safety.missing_roles(connection) == []
        connection.execute(text("ALTER ROLE fairway_entry RENAME TO somebody"))
        assert safety.missing_roles(connection) == ["fairway_entry"]
        connection.rollback()
    assert all(f"CREATE ROLE {one} " in safety.making_roles() for one in safety.ROLES)


@pytest.fixture
def command(engine, settings, app_url, login_urls, monkeypatch):
    """`command(doctor)` prints what it finds of an installation with these logins."""

    def run(which, logins=login_urls):
        @contextmanager
        def here(**_):
            yield Runtime(settings, app_url, None, engine, logins)

        monkeypatch.setattr(operations, "runtime", here)
        return CliRunner().invoke(which)

    return run


BOTH = pytest.mark.parametrize("which", [operations.doctor, operations.check])


@BOTH
def test_an_installation_in_order_is_told_so(command, which):
    result = command(which)
    assert result.exit_code == 0, result.output
    assert "Wrong" not in result.output
    assert "Weaker" not in result.output


@BOTH
def test_a_table_without_force_stops_both(command, which, super_engine):
    try:
        with super_engine.begin() as connection:
            connection.execute(text("ALTER TABLE site NO FORCE ROW LEVEL SECURITY"))
        result = command(which)
    finally:
        with super_engine.begin() as connection:
            connection.execute(text("ALTER TABLE site FORCE ROW LEVEL SECURITY"))
    assert isinstance(result.exception, RefusedError)
    assert "The table site lacks FORCE" in result.output


@BOTH
def test_serving_as_the_owner_or_as_the_superuser_stops_both(command, which, login_urls, app_url):
    for name, said in (("fairway_super", "is a superuser"), ("fairway_owner", "owns")):
        mighty = make_url(app_url).set(username=name).render_as_string(hide_password=False)
        result = command(which, {**login_urls, Role.CONSOLE: mighty})
        assert isinstance(result.exception, RefusedError), name
        assert f"{name} {said}" in result.output


def test_one_login_for_everything_works_and_the_doctor_says_what_is_weaker(command, app_url):
    result = command(operations.doctor, dict.fromkeys(PARTS, app_url))
    assert result.exit_code == 0
    for part in PARTS:
        assert f"{part} has no login of its own" in result.output
        assert f"FAIRWAY_DATABASE_{part.name}_URL" in result.output
