"""A version of a catalogue is used when two people have published it, from its day on, unaltered."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.applications.queries.content import assessment_of
from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole, system_actor
from app.catalogues import loader
from app.kernel.errors import (
    ConflictError,
    IllegalTransitionError,
    NotAllowedError,
    NotReadyError,
    UnavailableError,
)
from app.notifications.models import Message
from app.publications import queries, service
from app.publications.models import Publication
from tests.factories.applications import make_applicant, make_application
from tests.factories.casework import make_staff
from tests.factories.publications import propose_version, publish_version, shipped
from tests.factories.successions import as_staff
from tests.factories.traders import acting

SYSTEM = system_actor("test")
DAY = date(2026, 12, 1)


@pytest.fixture
def people(work_as):
    with work_as(SYSTEM) as work:
        return (
            make_staff(work, AgencyRole.PROGRAMME_MANAGER, "Lena Proposes"),
            make_staff(work, AgencyRole.SUPERVISOR, "Grace Signs"),
            make_staff(work, AgencyRole.REVIEWER, "Rita Reads"),
        )


@pytest.fixture
def proposed(people, work_as):
    with work_as(SYSTEM) as work:
        return propose_version(work, people[0]).id


def get(work, publication_id) -> Publication:
    return work.session.get_one(Publication, publication_id)


def importers_version(work, day=DAY) -> str:
    return queries.current(work.session, "security", "importer", day).version


def test_a_proposal_is_used_by_nobody_and_told_to_who_can_sign(people, proposed, work_as):
    with work_as(SYSTEM) as work:
        assert importers_version(work) == "2026.1"
        told = {
            one.recipient
            for one in work.session.scalars(select(Message))
            if one.template == "catalogue"
        }
    assert told == {people[1].email}


def test_two_people_put_a_version_into_use_from_its_day_on(people, proposed, work_as):
    with work_as(SYSTEM) as work:
        service.publish(as_staff(work, people[1]), get(work, proposed))
    with work_as(SYSTEM) as work:
        effective = get(work, proposed).effective
        assert importers_version(work, effective - timedelta(days=1)) == "2026.1"
        assert importers_version(work, effective) == "2026.2"
        tags = [
            one.tag
            for one in work.session.scalars(select(AuditEvent).order_by(AuditEvent.id))
            if one.subject_id == proposed
        ]
        assert tags == ["catalogue:proposed", "catalogue:published"]


@pytest.mark.parametrize(
    ("who", "words"), [(0, "yourself"), (2, "programme manager or a supervisor")]
)
def test_who_proposed_and_who_may_not_sign_cannot_publish(who, words, people, proposed, work_as):
    with work_as(SYSTEM) as work, pytest.raises(NotAllowedError, match=words):
        service.publish(as_staff(work, people[who]), get(work, proposed))
    with work_as(SYSTEM) as work, pytest.raises(NotAllowedError, match=words):
        service.decline(as_staff(work, people[who]), get(work, proposed), reason="No.")


def test_a_reviewer_proposes_nothing(people, work_as):
    with work_as(SYSTEM) as work, pytest.raises(NotAllowedError):
        propose_version(work, people[2])


def test_what_was_declined_or_taken_back_is_not_used_and_can_be_proposed_anew(
    people, proposed, work_as
):
    with work_as(SYSTEM) as work:
        with pytest.raises(NotReadyError):
            service.decline(as_staff(work, people[1]), get(work, proposed), reason=" ")
        service.decline(as_staff(work, people[1]), get(work, proposed), reason="Too early.")
    with work_as(SYSTEM) as work:
        assert importers_version(work) == "2026.1"
        with pytest.raises(IllegalTransitionError):
            service.publish(as_staff(work, people[1]), get(work, proposed))
        again = propose_version(work, people[0])
        service.withdraw(as_staff(work, people[0]), again)
        assert propose_version(work, people[0]).id not in {proposed, again.id}


def test_a_version_is_proposed_once(people, proposed, work_as):
    with work_as(SYSTEM) as work, pytest.raises(ConflictError):
        propose_version(work, people[1])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"effective: 2026-11-01", b"effective: 2025-11-01", "take effect after"),
        (b"class: clarified", b"class: split", "supersedes"),
        (b"security programme, version 2026.2", b"security programme, v. 2026.2", "a comma"),
    ],
)
def test_a_file_with_faults_or_other_words_is_refused(old, new, said, people, work_as):
    assert old in shipped()
    with work_as(SYSTEM) as work, pytest.raises(NotReadyError) as refused:
        propose_version(work, people[0], shipped().replace(old, new, 1))
    assert any(
        said in one.message % one.params and one.field == "file" for one in refused.value.problems
    )


def third_version() -> bytes:
    """A version after 2026.2 that no file of this installation holds: one new question."""
    raw = shipped().replace(b'version: "2026.2"', b'version: "2026.3"', 1)
    return raw.replace(b'previous: "2026.1"', b'previous: "2026.2"', 1).replace(
        b"effective: 2026-11-01", b"effective: 2026-11-02", 1
    )


def test_the_version_before_has_to_be_in_use(people, work_as):
    with work_as(SYSTEM) as work, pytest.raises(NotReadyError) as refused:
        propose_version(work, people[0], third_version())
    assert "Publish that first" in refused.value.problems[0].message


def test_new_applications_begin_with_it_and_open_ones_stay(clock, people, work_as):
    clock.at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    with work_as(SYSTEM) as work:
        early, officer = make_applicant(work)
        draft = make_application(acting(work, officer), early)
        publish_version(work, by=people[0], second=people[1])
        late, other = make_applicant(work, name="Bea Late")
        begun = make_application(acting(work, other), late)
        assert assessment_of(work.session, draft).catalogue_version == "2026.1"
        assert assessment_of(work.session, begun).catalogue_version == "2026.2"
        told = [
            one.recipient
            for one in work.session.scalars(select(Message))
            if one.template == "criteria-published"
        ]
    assert told == [officer.email]


def test_an_altered_file_is_named_and_asks_nobody(people, work_as, monkeypatch, tmp_path):
    with work_as(SYSTEM) as work:
        publish_version(work, by=people[0], second=people[1])
        assert queries.altered_here(work.session) == []
    for path in loader.SHIPPED.glob("*.yaml"):
        raw = path.read_bytes()
        (tmp_path / path.name).write_bytes(
            raw + b"# A comma.\n" if path.stem == "importer-2026.2" else raw
        )
    altered = loader.load_folder(tmp_path)
    monkeypatch.setattr(queries, "catalogues", lambda: altered)
    with work_as(SYSTEM) as work:
        assert [one.key for one in queries.altered_here(work.session)] == [("importer", "2026.2")]
        with pytest.raises(UnavailableError):
            importers_version(work)
        assert queries.current(work.session, "security", "broker", DAY).version == "2026.1"


REFUSED_IN_SQL = {
    "signing one's own": "UPDATE catalogue_publication SET state = 'published',"
    " decided_by = proposed_by, decided_by_name = 'x', decided_at = now()",
    "other words": "UPDATE catalogue_publication SET content = 'other'",
    "another hash": "UPDATE catalogue_publication SET sha256 = repeat('0', 64)",
    "another day": "UPDATE catalogue_publication SET effective = '2026-01-01'",
    "nobody's signature": "UPDATE catalogue_publication SET state = 'published', decided_at = now()",
    "deleting": "DELETE FROM catalogue_publication",
}


@pytest.mark.parametrize("what", REFUSED_IN_SQL)
def test_the_database_refuses(what, proposed, work_as, super_engine):
    del proposed
    with super_engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT set_config('app.principal', 'system:test', true)"))
        with pytest.raises(DBAPIError):
            connection.execute(text(REFUSED_IN_SQL[what]))
        connection.rollback()


def test_what_was_published_is_never_altered_in_sql(people, proposed, work_as, super_engine):
    with work_as(SYSTEM) as work:
        service.publish(as_staff(work, people[1]), get(work, proposed))
    with super_engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT set_config('app.principal', 'system:test', true)"))
        with pytest.raises(DBAPIError, match="stays as it was"):
            connection.execute(text("UPDATE catalogue_publication SET decision_note = 'Later'"))
        connection.rollback()
