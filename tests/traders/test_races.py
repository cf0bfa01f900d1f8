"""Requests that meet: each test runs the real services in two threads on the real database."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import system_actor
from app.db.concurrency import StaleError
from app.traders import service
from app.traders.models import Contact, Site, Trader
from app.traders.sealing import NoSealingKeyError, equip, sealer
from tests.factories import traders as factory
from tests.factories.identity import make_person


@pytest.fixture
def trader_id(work_as):
    with work_as(system_actor("test")) as work:
        return factory.make_trader(work, make_person(work)).id


@pytest.fixture
def both(work_as, trader_id):
    """Run `action(work, trader, number)` for 0 and 1 at once; gives what each returned or raised."""

    def run(action):
        barrier = threading.Barrier(2)
        outcomes = {}

        def one(number):
            try:
                with work_as(system_actor("test")) as work:
                    trader = work.session.get_one(Trader, trader_id)
                    barrier.wait(10)
                    outcomes[number] = action(work, trader, number)
            except Exception as error:  # noqa: BLE001 - the test looks at it.
                outcomes[number] = type(error)

        threads = [threading.Thread(target=one, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return [outcomes[0], outcomes[1]]

    return run


def test_the_same_form_sent_twice_at_once_adds_one_site(both, work_as, work):
    key = work.new_id()
    details = factory.site_details()
    made = both(lambda w, t, _n: service.add_site(w, t, key=key, details=details).id)
    assert made == [key, key]
    with work_as(system_actor("test")) as later:
        assert later.session.scalar(select(func.count()).select_from(Site)) == 1
        tags = later.session.scalars(select(AuditEvent.tag).where(AuditEvent.subject_id == key))
        assert list(tags) == [EventTag.SITE_ADDED]


def test_two_changes_of_one_version_let_one_through(both, work_as, trader_id):
    outcomes = both(
        lambda w, t, n: (
            service.change_company(w, t, details=factory.company(f"Name {n}"), version=1).name
        )
    )
    assert outcomes.count(StaleError) == 1
    with work_as(system_actor("test")) as later:
        trader = later.session.get_one(Trader, trader_id)
        assert trader.name in outcomes
        assert trader.version == 2


def test_two_new_primary_contacts_leave_one_primary(both, work_as):
    details = factory.contact_details()
    outcomes = both(
        lambda w, t, n: (
            service.add_contact(
                w, t, key=w.new_id(), details=replace(details, name=f"Contact {n}")
            ).name
        )
    )
    assert outcomes == ["Contact 0", "Contact 1"]
    with work_as(system_actor("test")) as later:
        primary = list(later.session.scalars(select(Contact.is_primary)))
    assert sorted(primary) == [False, True]


def test_without_a_secret_key_nothing_is_sealed(settings):
    equip(None)
    try:
        with pytest.raises(NoSealingKeyError):
            sealer()
    finally:
        equip(settings.secret_key)
