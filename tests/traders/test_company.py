"""Registering a trader, changing its profile, and what the record says of it."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import AgencyRole, TraderRole
from app.db.concurrency import StaleError
from app.kernel.errors import NotAllowedError, NotFoundError, NotReadyError
from app.traders import queries, service
from app.traders.kinds import EntityType, Position
from app.traders.models import Contact, Site, Trader
from tests.factories import traders as factory
from tests.factories.identity import make_person


def tags(session, subject_id=None):
    """The tags of the record, of one subject if named, in the order of writing."""
    statement = select(AuditEvent.tag).order_by(AuditEvent.id)
    if subject_id is not None:
        statement = statement.where(AuditEvent.subject_id == subject_id)
    return list(session.scalars(statement))


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def officer(work):
    return make_person(work, name="Olga Officer")


@pytest.fixture
def trader(work, officer):
    return factory.make_trader(work, officer)


def test_who_registers_a_trader_becomes_its_officer(work, officer, trader):
    assert queries.appointments_of(work.session, officer.id) == {trader.id: TraderRole.OFFICER}
    assert tags(work.session, trader.id) == [EventTag.TRADER_REGISTERED]
    assert trader.version == 1


def test_registering_twice_with_one_key_makes_one_trader(work, officer):
    key = work.new_id()
    acting = factory.acting(work, officer)
    first, second = (
        service.register_trader(
            acting, key=key, entity_type=EntityType.BROKER, details=factory.company()
        )
        for _ in range(2)
    )
    assert first is second
    assert count(work.session, Trader) == 1
    assert tags(work.session).count(EventTag.TRADER_REGISTERED) == 1


def test_a_key_that_somebody_else_used_gives_a_trader_of_ones_own(work, officer, trader):
    other = make_person(work)
    made = service.register_trader(
        factory.acting(work, other),
        key=trader.id,
        entity_type=EntityType.BROKER,
        details=factory.company("Other"),
    )
    assert made.id != trader.id
    assert trader.id not in queries.appointments_of(work.session, other.id)


def test_people_of_the_agency_cannot_register_a_trader(work):
    reviewer = make_person(work, roles=[AgencyRole.REVIEWER])
    with pytest.raises(NotAllowedError):
        factory.make_trader(work, reviewer)


def test_malformed_details_register_nothing(work, officer):
    with pytest.raises(NotReadyError) as refusal:
        factory.make_trader(work, officer, postal_code="none")
    assert [p.field for p in refusal.value.problems] == ["postal_code"]
    assert count(work.session, Trader) == 0


def test_a_change_records_the_names_of_its_fields_and_no_values(work, trader):
    service.change_company(
        work, trader, details=factory.company("New Name Ltd", city="Carson"), version=1
    )
    work.session.flush()
    event = work.session.scalars(
        select(AuditEvent).where(AuditEvent.tag == EventTag.TRADER_PROFILE_CHANGED)
    ).one()
    assert event.data == {"fields": ["city", "name"]}
    assert event.trader_id == trader.id
    assert trader.version == 2


def test_an_older_version_changes_nothing(work, trader):
    service.change_company(work, trader, details=factory.company("Second"), version=1)
    work.session.flush()
    with pytest.raises(StaleError):
        service.change_company(work, trader, details=factory.company("Third"), version=1)
    assert trader.name == "Second"


def test_the_same_values_again_are_no_change_and_no_conflict(work, trader):
    for _ in range(2):
        service.change_company(work, trader, details=factory.company("Second"), version=1)
        work.session.flush()
    assert tags(work.session, trader.id) == [
        EventTag.TRADER_REGISTERED,
        EventTag.TRADER_PROFILE_CHANGED,
    ]


def test_a_profile_is_complete_when_everything_is_there(work, trader):
    today = work.now.date()
    assert queries.profile_gaps_of(work.session, trader, today)
    factory.complete_profile(work, trader)
    work.session.flush()
    assert queries.profile_gaps_of(work.session, trader, today) == []


def test_a_refused_identifier_leaves_the_gap_open(work, trader):
    factory.complete_profile(work, trader)
    (identifier,) = queries.identifiers_of(work.session, trader.id)
    service.refuse_identifier(work, identifier, reason="The letter names another company.")
    gaps = queries.profile_gaps_of(work.session, trader, work.now.date())
    assert [gap.code for gap in gaps] == ["IDENTIFIER_MISSING"]


@pytest.mark.parametrize(
    ("add", "details"),
    [
        (service.add_site, factory.site_details()),
        (service.add_contact, factory.contact_details()),
        (service.record_bond, factory.bond_details()),
    ],
)
def test_adding_twice_with_one_key_adds_one(work, trader, add, details):
    key = work.new_id()
    first, second = (add(work, trader, key=key, details=details) for _ in range(2))
    assert first is second
    assert first.id == key
    work.session.flush()
    assert len(tags(work.session, key)) == 1


def test_a_removed_site_is_gone_for_everybody_but_the_record(work, trader, officer):
    site = factory.add_site(work, trader)
    work.session.flush()
    service.remove_site(work, site, version=site.version)
    service.remove_site(work, site, version=1)
    work.session.flush()
    assert list(work.session.scalars(queries.sites_of(trader.id))) == []
    with pytest.raises(NotFoundError):
        queries.visible_row(work, Site, trader, site.id)
    assert tags(work.session, site.id) == [EventTag.SITE_ADDED, EventTag.SITE_REMOVED]


def test_a_new_primary_contact_takes_the_place_of_the_former(work, trader):
    first = factory.add_contact(work, trader, "First")
    second = factory.add_contact(work, trader, "Second")
    work.session.flush()
    assert (first.is_primary, second.is_primary) == (False, True)
    details = replace(factory.contact_details("First"), is_primary=True)
    service.change_contact(work, first, details=details, version=first.version)
    work.session.flush()
    assert (first.is_primary, second.is_primary) == (True, False)


def test_an_adviser_cannot_be_the_primary_contact(work, trader):
    details = replace(factory.contact_details(), position=Position.ADVISER)
    with pytest.raises(NotReadyError) as refusal:
        service.add_contact(work, trader, key=work.new_id(), details=details)
    assert refusal.value.problems[0].field == "is_primary"
    assert count(work.session, Contact) == 0


def test_a_row_of_another_trader_is_absent(work, trader):
    other = factory.make_trader(work, make_person(work), name="Other")
    site = factory.add_site(work, other)
    work.session.flush()
    with pytest.raises(NotFoundError):
        queries.visible_row(work, Site, trader, site.id)
