"""A person is erased: no trace of who they were, every trace of what was done, and the log whole."""

import threading
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from app.audit import sealing
from app.audit.access import Circumstances, record_security_event
from app.audit.models import AuditEvent, LogSalt
from app.audit.tags import EventTag, SecurityTag
from app.authz.actor import AgencyRole, system_actor
from app.cli import people
from app.cli.people import person as group
from app.cli.runtime import RefusedError, Runtime
from app.db.session import transaction
from app.erasure import EMPTIED, ERASED, GONE, KEPT
from app.identity.models import Person
from app.identity.service import end_person, request_reset
from app.kernel.errors import ConflictError, NotReadyError
from app.tables import Base
from app.traders.models import Appointment
from tests.audit.conftest import READER
from tests.audit.test_log import offline
from tests.factories.identity import give_passkey, make_person, sign_in
from tests.factories.traders import acting, add_site, make_trader

SYSTEM = system_actor("test")
NAME, MAIL, ADDRESS = "Zenobia Quist", "zenobia.quist@canary.example", "203.0.113.77"


@pytest.fixture
def erase(engine, settings, app_url, monkeypatch):
    """`erase(*arguments)`: the command; gives what it printed."""

    @contextmanager
    def here():
        yield Runtime(settings, app_url, None, engine)

    monkeypatch.setattr(people, "runtime", here)

    def do(mail=MAIL, by="chief@agency.example", reason="Request 17 of 24 November"):
        result = CliRunner().invoke(group, ["erase", mail, "--by", by, "--reason", reason])
        if result.exception:
            raise result.exception
        return result.output

    return do


@pytest.fixture
def zenobia(work_as, engine, clock, client):
    """Somebody with a past: traders, sessions, letters, a refusal; and a supervisor who decides."""
    with work_as(SYSTEM) as work:
        chief = make_person(
            work, name="Cora Chief", email="chief@agency.example", roles=[AgencyRole.SUPERVISOR]
        )
        someone = make_person(work, name=NAME, email=MAIL)
        give_passkey(work, someone, name=f"Laptop of {NAME}")
        trader = make_trader(acting(work, someone), someone)
        add_site(acting(work, someone), trader)
        request_reset(work, email=MAIL, site="http://localhost")
        found = someone.id, chief.id
    record_security_event(
        engine,
        SecurityTag.ACCESS_DENIED,
        Circumstances(at=clock.now(), address=ADDRESS),
        person_id=found[0],
    )
    sign_in(client, someone)
    return found


@pytest.fixture
def retired(zenobia, super_engine):
    """The same person without the role at the trader any more."""
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE appointment SET state = 'ended'"))
    return zenobia


@pytest.fixture
def traces(super_engine):
    """Where any of the words stands, in whatever table and column, jobs included."""

    def find(*words):
        found = set()
        with super_engine.connect() as connection:
            for schema, table in connection.execute(
                text(
                    "SELECT schemaname, tablename FROM pg_tables"
                    " WHERE schemaname IN ('public', 'procrastinate')"
                )
            ).all():
                for word in words:
                    if connection.scalar(
                        text(f"SELECT count(*) FROM {schema}.{table} t WHERE t::text ILIKE :w"),
                        {"w": f"%{word}%"},
                    ):
                        found.add(table)
        return found

    return find


def test_nothing_names_the_person_and_the_log_is_whole(
    retired, erase, traces, log, tmp_path, engine
):
    person_id, chief_id = retired
    before = log.seal()
    assert traces(NAME, MAIL, ADDRESS) >= {"person", "audit_event", "security_event", "message"}
    assert erase() == "Erased.\n"
    assert traces(NAME, MAIL, ADDRESS) == set()
    assert log.faults() == []
    assert log.seal().size > before.size
    assert log.faults() == []
    assert offline(tmp_path, log.export(), log.signer.verifier) == ""
    with transaction(engine, READER, read_only=True) as session:
        told = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == EventTag.PERSON_ERASED)
        ).one()
        assert (told.subject_id, told.person_id) == (person_id, chief_id)
        assert (told.actor_name, told.data) == (
            "Cora Chief",
            {"reason": "Request 17 of 24 November"},
        )
        own = session.scalars(select(AuditEvent).where(AuditEvent.person_id == person_id)).all()
        assert {one.actor_name for one in own} == {""}
        assert not session.scalars(
            select(LogSalt).where(LogSalt.event_id.in_([one.id for one in own]))
        ).all()
        assert session.scalars(select(LogSalt)).first() is not None, "of others, salts stay"
        person = session.get(Person, person_id)
        assert person.ended_at is not None
        assert person.email.endswith(GONE)


def test_what_is_not_sealed_yet_is_erased_too(retired, erase, traces, log):
    erase()
    assert traces(NAME, MAIL, ADDRESS) == set()
    log.seal()
    assert log.faults() == []


def test_a_sealer_at_work_is_waited_for(retired, erase, log, engine, signer, copies, clock):
    """Between its reading of a name and its keeping of the salt nothing may be erased."""
    order, begun = [], threading.Event()

    def go_on(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO log_leaf"):
            begun.set()
            eraser.join(1)  # It has not come to its end: it waits for us.
            order.append("sealed" if eraser.is_alive() else "overtaken")

    def rub_out():
        begun.wait(20)
        erase()
        order.append("erased")

    eraser = threading.Thread(target=rub_out)
    event.listen(engine, "before_cursor_execute", go_on)
    eraser.start()
    try:
        sealing.seal(engine, signer, copies, now=clock.now())
    finally:
        event.remove(engine, "before_cursor_execute", go_on)
        eraser.join()
    assert order == ["sealed", "erased"]
    assert log.faults() == []


def test_who_may_not_be_erased_and_who_may_not_decide(zenobia, erase, work_as):
    with pytest.raises(ConflictError, match="End the roles"):
        erase()
    with pytest.raises(NotReadyError):
        erase(reason="  ")
    with pytest.raises(RefusedError, match="Nobody with the address"):
        erase(mail="nobody@canary.example")
    with work_as(SYSTEM) as work:
        make_person(work, email="trader@canary.example")
        left = make_person(work, email="left@agency.example", roles=[AgencyRole.AUDITOR])
        end_person(work, left)
    for who in ("trader@canary.example", "left@agency.example", "nobody@agency.example"):
        with pytest.raises(RefusedError, match="cannot decide this"):
            erase(by=who)
    with pytest.raises(RefusedError, match="cannot decide this"):
        erase(mail="chief@agency.example")
    with work_as(SYSTEM) as work:
        assert work.session.get(Person, zenobia[0]).name == NAME
        assert [one.state for one in work.session.scalars(select(Appointment))] == ["active"]


def test_an_erased_address_is_free_and_the_person_cannot_be_erased_again(retired, erase, work_as):
    erase()
    with pytest.raises(ConflictError, match="erased already"):
        erase(mail=f"{retired[0]}@{GONE}")
    with work_as(SYSTEM) as work:
        assert make_person(work, email=MAIL).id != retired[0]


def test_the_database_lets_no_name_go_without_the_record(retired, engine, log, super_engine):
    log.seal()
    for sql in (
        "UPDATE audit_event SET actor_name = ''",
        "UPDATE audit_event SET actor_name = 'Somebody'",
        "UPDATE security_event SET address = ''",
        "UPDATE audit_event SET tag = 'x:y'",
        "DELETE FROM audit_event",
        "DELETE FROM log_salt",
    ):
        with pytest.raises(DBAPIError), transaction(engine, READER) as session:
            session.execute(text(sql))
    assert log.faults() == []


def test_after_the_record_only_that_persons_names_and_only_to_nothing(
    retired, erase, engine, super_engine
):
    erase()
    for sql in (
        "UPDATE audit_event SET actor_name = 'x' WHERE person_id = :one",
        "UPDATE audit_event SET actor_name = '' WHERE person_id = :other",
        "DELETE FROM log_salt",
    ):
        if "log_salt" in sql:
            with super_engine.begin() as connection:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                connection.execute(
                    text(
                        "INSERT INTO log_salt SELECT id, '' FROM audit_event WHERE actor_name <> ''"
                    )
                )
        values = {"one": retired[0], "other": retired[1]}
        with pytest.raises(DBAPIError), transaction(engine, READER) as session:
            session.execute(text(sql), values)

    def by_a_superuser():
        with super_engine.begin() as connection:
            connection.execute(text("SELECT set_config('app.principal', 'system:test', true)"))
            connection.execute(text("UPDATE audit_event SET actor_name = '', tag = 'x:y'"))

    with pytest.raises(DBAPIError, match="append-only"):
        by_a_superuser()


def test_a_superuser_that_erases_without_a_record_is_found(zenobia, log, tamper):
    log.seal()
    tamper("UPDATE audit_event SET actor_name = '' WHERE person_id = :id", id=zenobia[0])
    tamper(
        "DELETE FROM log_salt USING audit_event e WHERE e.id = event_id AND e.person_id = :id",
        id=zenobia[0],
    )
    found = log.faults()
    assert found
    assert all(one.endswith("its name was erased, and no event says by whom.") for one in found)


def test_every_column_that_may_name_a_person_is_decided_about():
    """A new column of that kind fails here, until somebody has said what becomes of it."""
    others = {
        ("api_client", "name"),  # A program.
        ("answer_workbook", "filename"),
        ("batch", "filename"),
        ("document_revision", "filename"),
        ("contact", "email"),  # What a trader says of its contacts; the trader changes it.
        ("contact", "name"),
        ("contact", "phone"),
        ("colleague_comment", "broker_name"),
        ("consent", "asker_name"),
        ("consent", "trader_name"),
        ("delegation", "broker_name"),
        ("delegation", "trader_name"),
        ("reference_list", "filename"),
        ("site", "name"),
        ("trader", "name"),
        ("verification", "holder_name"),
        ("verification", "trader_name"),
        # A part of a filing's record, and of a program's: who it was stands in their events alone.
        ("voyage_report", "told_by_name"),
        ("webhook", "created_by_name"),
        ("webhook", "address"),
        ("webhook", "name"),
        ("person", "email"),  # Emptied as objects.
        ("person", "name"),
    }
    listed = {*EMPTIED, *KEPT, *others}
    found = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        if table.name not in ERASED
        for column in table.columns
        if column.name.endswith(("name", "email", "address", "recipient", "user_agent", "phone"))
    }
    assert found == listed
    belongs = {
        table.name
        for table in Base.metadata.tables.values()
        if any(key.target_fullname == "person.id" for key in table.foreign_keys)
        and {"person_id"} & set(table.columns.keys())
    }
    facts = {"appointment", "application_snapshot", "eligibility_check", "task_reply"}
    assert belongs - facts <= set(ERASED)
