"""Invitations, roles, and the officer whom a trader always keeps."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.db.concurrency import StaleError
from app.kernel.errors import ConflictError, NotAllowedError, NotReadyError
from app.notifications.models import Message
from app.traders import queries, service
from app.traders.models import Appointment
from tests.factories import traders as factory
from tests.factories.identity import make_person


@pytest.fixture
def officer(work):
    return make_person(work, name="Olga Officer")


@pytest.fixture
def trader(work, officer):
    return factory.make_trader(work, officer)


def invite(work, trader, officer, email="pat@example.com", role=TraderRole.PREPARER, key=None):
    """An invitation and the link that its letter holds."""
    links = []

    def link(token):
        links.append(token)
        return f"http://localhost/invitations/{token}"

    invitation = service.appoint(
        factory.acting(work, officer),
        trader,
        key=key or work.new_id(),
        email=email,
        role=role,
        link=link,
    )
    return invitation, links[0] if links else None


def letters(session):
    return list(session.scalars(select(Message).order_by(Message.id)))


def tags(session, subject_id):
    return list(
        session.scalars(
            select(AuditEvent.tag)
            .where(AuditEvent.subject_id == subject_id)
            .order_by(AuditEvent.id)
        )
    )


def test_an_invitation_sends_one_letter_with_the_link(work, officer, trader):
    invitation, token = invite(work, trader, officer, " Pat@Example.com ")
    (letter,) = letters(work.session)
    assert letter.recipient == "pat@example.com"
    assert f"http://localhost/invitations/{token}" in letter.body
    assert trader.name in letter.subject
    assert "Preparer" in letter.body
    assert invitation.expires_at == work.now + timedelta(days=14)
    assert token not in (invitation.token_hash or "")
    assert queries.invitation(work.session, token) == (invitation, trader)


def test_one_key_invites_and_sends_once(work, officer, trader):
    key = work.new_id()
    first, _ = invite(work, trader, officer, key=key)
    second, _ = invite(work, trader, officer, key=key)
    assert first is second
    assert len(letters(work.session)) == 1


def test_the_invited_person_takes_up_the_role(work, officer, trader):
    person = make_person(work, email="Pat@example.com")
    invitation, _ = invite(work, trader, officer)
    acting = factory.acting(work, person)
    service.accept_appointment(acting, invitation)
    service.accept_appointment(acting, invitation)
    work.session.flush()
    assert queries.appointments_of(work.session, person.id) == {trader.id: TraderRole.PREPARER}
    assert tags(work.session, invitation.id) == [
        EventTag.PERSON_INVITED,
        EventTag.APPOINTMENT_ACCEPTED,
    ]


def test_another_mail_address_cannot_accept(work, officer, trader):
    invitation, _ = invite(work, trader, officer)
    with pytest.raises(NotAllowedError):
        service.accept_appointment(factory.acting(work, make_person(work)), invitation)
    assert invitation.state == "invited"


def test_people_of_the_agency_cannot_accept(work, officer, trader):
    reviewer = make_person(work, email="pat@example.com", roles=[AgencyRole.REVIEWER])
    invitation, _ = invite(work, trader, officer)
    with pytest.raises(NotAllowedError):
        service.accept_appointment(factory.acting(work, reviewer), invitation)


@pytest.mark.parametrize(("after", "open_still"), [(timedelta(days=14), False), (None, True)])
def test_an_invitation_lapses_after_fourteen_days(work_as, clock, after, open_still):
    with work_as(system_actor("test")) as work:
        officer = make_person(work)
        trader = factory.make_trader(work, officer)
        person = make_person(work, email="pat@example.com")
        invitation, _ = invite(work, trader, officer)
    clock.advance(after or timedelta(days=14) - timedelta(seconds=1))
    with work_as(system_actor("test")) as work:
        found = work.session.get_one(Appointment, invitation.id)
        if open_still:
            service.accept_appointment(factory.acting(work, person), found)
            assert found.state == "active"
        else:
            with pytest.raises(ConflictError):
                service.accept_appointment(factory.acting(work, person), found)
            assert found.state == "invited"


def test_inviting_again_closes_the_former_link(work, officer, trader):
    first, old = invite(work, trader, officer)
    second, new = invite(work, trader, officer, role=TraderRole.VIEWER)
    assert (first.state, second.state) == ("ended", "invited")
    assert old != new
    person = make_person(work, email="pat@example.com")
    with pytest.raises(ConflictError):
        service.accept_appointment(factory.acting(work, person), first)


def test_who_has_a_role_is_not_invited_again(work, officer, trader):
    with pytest.raises(NotReadyError) as refusal:
        invite(work, trader, officer, officer.email)
    assert refusal.value.problems[0].field == "email"
    assert letters(work.session) == []


def test_one_person_acts_for_several_traders(work, officer, trader):
    other = factory.make_trader(work, make_person(work), name="Another")
    broker = make_person(work)
    factory.appoint_person(work, trader, officer, broker, TraderRole.PREPARER)
    others_officer = work.session.get_one(
        type(officer),
        work.session.scalars(
            select(Appointment.person_id).where(Appointment.trader_id == other.id)
        ).one(),
    )
    factory.appoint_person(work, other, others_officer, broker, TraderRole.VIEWER)
    work.session.flush()
    assert queries.appointments_of(work.session, broker.id) == {
        trader.id: TraderRole.PREPARER,
        other.id: TraderRole.VIEWER,
    }


def test_the_last_officer_can_neither_leave_nor_become_something_else(work, officer, trader):
    own = work.session.scalars(select(Appointment)).one()
    for attempt in (
        lambda: service.end_appointment(work, own),
        lambda: service.change_role(work, own, role=TraderRole.VIEWER, version=own.version),
    ):
        with pytest.raises(NotReadyError) as refusal:
            attempt()
        assert refusal.value.problems[0].code == "LAST_OFFICER"
    assert (own.state, own.role) == ("active", TraderRole.OFFICER)


def test_an_invited_officer_does_not_count_as_one(work, officer, trader):
    invite(work, trader, officer, role=TraderRole.OFFICER)
    own = work.session.scalars(select(Appointment).where(Appointment.person_id == officer.id)).one()
    with pytest.raises(NotReadyError):
        service.end_appointment(work, own)


def test_with_a_second_officer_the_first_can_go_and_is_out_at_once(work, officer, trader):
    second = make_person(work)
    factory.appoint_person(work, trader, officer, second, TraderRole.OFFICER)
    own = work.session.scalars(select(Appointment).where(Appointment.person_id == officer.id)).one()
    service.end_appointment(work, own)
    service.end_appointment(work, own)
    work.session.flush()
    assert queries.appointments_of(work.session, officer.id) == {}
    assert tags(work.session, own.id) == [EventTag.APPOINTMENT_ENDED]


def test_changing_a_role_records_both_and_an_older_version_changes_nothing(work, officer, trader):
    person = make_person(work)
    appointment = factory.appoint_person(work, trader, officer, person, TraderRole.VIEWER)
    work.session.flush()
    shown = appointment.version
    service.change_role(work, appointment, role=TraderRole.PREPARER, version=shown)
    work.session.flush()
    with pytest.raises(StaleError):
        service.change_role(work, appointment, role=TraderRole.OFFICER, version=shown)
    event = work.session.scalars(
        select(AuditEvent).where(AuditEvent.tag == EventTag.APPOINTMENT_CHANGED)
    ).one()
    assert event.data == {"before": "viewer", "after": "preparer"}
    service.end_appointment(work, appointment)
    with pytest.raises(ConflictError):
        service.change_role(work, appointment, role=TraderRole.OFFICER, version=appointment.version)


@pytest.mark.parametrize("way", ["end", "demote"])
def test_two_officers_who_let_each_other_go_at_once_leave_one(work_as, way):
    with work_as(system_actor("test")) as work:
        first, second = make_person(work), make_person(work)
        trader = factory.make_trader(work, first)
        factory.appoint_person(work, trader, first, second, TraderRole.OFFICER)
        work.session.flush()
        ids = list(work.session.scalars(select(Appointment.id)))
    barrier = threading.Barrier(2)
    outcomes = []

    def let_go(appointment_id):
        try:
            with work_as(system_actor("test")) as work:
                found = work.session.get_one(Appointment, appointment_id)
                barrier.wait(10)
                if way == "end":
                    service.end_appointment(work, found)
                else:
                    service.change_role(work, found, role=TraderRole.VIEWER, version=found.version)
            outcomes.append("done")
        except NotReadyError as refusal:
            outcomes.append(refusal.problems[0].code)

    threads = [threading.Thread(target=let_go, args=(one,)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["LAST_OFFICER", "done"]
    with work_as(system_actor("test")) as work:
        remaining = work.session.scalar(
            select(func.count())
            .select_from(Appointment)
            .where(queries.APPOINTMENT_STATE == "active", Appointment.role == TraderRole.OFFICER)
        )
    assert remaining == 1
