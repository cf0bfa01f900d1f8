"""The agency puts a new officer in the place of those who have gone: by two people, at once."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.identity.models import Person, WebSession
from app.kernel.errors import (
    ConflictError,
    IllegalTransitionError,
    NotAllowedError,
    NotReadyError,
)
from app.notifications.models import Message
from app.successions import service
from app.successions.models import Succession
from app.successions.workflow import Fate, Ground
from app.traders import queries as traders
from app.traders import service as trader_service
from app.traders.models import Appointment, Trader
from tests.factories.casework import make_staff
from tests.factories.identity import make_person, sign_in
from tests.factories.successions import approve_officer, as_staff, propose_officer
from tests.factories.traders import acting, add_contact, appoint_person, make_trader

SYSTEM = system_actor("test")


@pytest.fixture
def cast(work_as, client):
    """A company with an officer who is signed in, a preparer, a contact; three at the agency."""
    with work_as(SYSTEM) as work:
        officer = make_person(work, name="Old Hand", email="old@example.com")
        preparer = make_person(work, name="Pia Prep", email="pia@example.com")
        trader = make_trader(work, officer)
        appoint_person(work, trader, officer, preparer, TraderRole.PREPARER)
        contact = add_contact(acting(work, officer), trader)
        found = SimpleNamespace(
            trader_id=trader.id,
            officer=officer,
            preparer=preparer,
            contact=contact.email,
            reviewer=make_staff(work, name="Rita Reads"),
            supervisor=make_staff(work, AgencyRole.SUPERVISOR, "Sam Signs"),
            second=make_staff(work, AgencyRole.SUPERVISOR, "Sue Second"),
        )
    sign_in(client, found.officer)
    return found


@pytest.fixture
def proposed(cast, work_as):
    with work_as(SYSTEM) as work:
        return propose_officer(work, cast.trader_id, cast.reviewer).id


def get(work, succession_id):
    return work.session.get_one(Succession, succession_id)


def letters_to(work, template="succession"):
    return {
        one.recipient for one in work.session.scalars(select(Message)) if one.template == template
    }


def tags(work, trader_id):
    found = work.session.scalars(
        select(AuditEvent).where(AuditEvent.trader_id == trader_id).order_by(AuditEvent.id)
    )
    return [one.tag for one in found]


def test_a_proposal_changes_nothing_and_is_told_at_once(cast, proposed, work_as, client):
    with work_as(SYSTEM) as work:
        assert [one.name for one in traders.officers_of(work.session, cast.trader_id)] == [
            "Old Hand"
        ]
        assert letters_to(work) == {"old@example.com", "pia@example.com", cast.contact}
        assert tags(work, cast.trader_id)[-2:] == [
            "succession:evidence-stored",
            "succession:proposed",
        ]
        bodies = [one.body for one in work.session.scalars(select(Message))]
        assert not any("Rita" in one for one in bodies)
    assert client.get(f"/traders/{cast.trader_id}/overview").status_code == 200


def test_two_signatures_relieve_the_officer_and_invite_the_new_one(
    cast, proposed, work_as, client, clock
):
    with work_as(SYSTEM) as work:
        [token] = approve_officer(work, get(work, proposed), cast.supervisor)
    with work_as(SYSTEM) as work:
        assert traders.officers_of(work.session, cast.trader_id) == []
        sessions = work.session.scalars(
            select(WebSession).where(WebSession.person_id == cast.officer.id)
        ).all()
        assert len(sessions) >= 1
        assert all(one.revoked_at is not None for one in sessions)
        invitation, _ = traders.invitation(work.session, token)
        assert invitation.role is TraderRole.OFFICER
        assert invitation.expires_at == clock.at + timedelta(days=14)
        assert letters_to(work) == {"old@example.com", "pia@example.com", cast.contact}
        assert letters_to(work, "officer-invitation") == {"nia.castell@example.com"}
        assert tags(work, cast.trader_id)[-3:] == [
            "appointment:ended-by-agency",
            "appointment:invited-by-agency",
            "succession:approved",
        ]
    # The old cookie opens nothing from the next request on.
    assert client.get(f"/traders/{cast.trader_id}/overview").status_code == 303
    with work_as(SYSTEM) as work:
        nia = make_person(work, name="Nia Castell", email="nia.castell@example.com")
        found = work.session.get_one(Appointment, get(work, proposed).appointment_id)
        trader_service.accept_appointment(acting(work, nia), found)
    with work_as(SYSTEM) as work:
        assert [one.name for one in traders.officers_of(work.session, cast.trader_id)] == [
            "Nia Castell"
        ]


def test_the_proposer_never_signs(cast, work_as):
    with work_as(SYSTEM) as work:
        found = propose_officer(work, cast.trader_id, cast.supervisor)
        with pytest.raises(NotAllowedError, match="second person"):
            approve_officer(work, found, cast.supervisor)
        with pytest.raises(NotAllowedError, match="second person"):
            service.decline(as_staff(work, cast.supervisor), found, reason="No.")
        with pytest.raises(NotAllowedError, match="supervisor"):
            approve_officer(work, found, cast.reviewer)
        approve_officer(work, found, cast.second)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (
            (
                "UPDATE succession SET state = 'approved', decided_by = proposed_by,"
                " decided_at = now(), appointment_id = (SELECT id FROM appointment LIMIT 1)"
            ),
            "two_people",
        ),
        ("UPDATE succession SET officer_email = 'mallory@example.com'", "as it was proposed"),
        ("UPDATE succession SET leaving = '{}', ground = 'nobody'", "as it was proposed"),
        ("UPDATE succession SET state = 'declined', decided_at = now()", "decided"),
        ("DELETE FROM succession", "permission denied"),
    ],
)
def test_the_database_holds_to_it_too(proposed, engine, work_as, statement, why):
    with pytest.raises(DBAPIError, match=why), work_as(SYSTEM) as work:
        work.session.execute(text(statement))


def test_nobody_signs_in_another_name_in_sql(cast, proposed, work_as):
    with work_as(SYSTEM) as work:
        actor = as_staff(work, cast.supervisor).actor
    with pytest.raises(DBAPIError, match="another name"), work_as(actor) as work:
        work.session.execute(
            text(
                "UPDATE succession SET state = 'declined', decided_by = :second,"
                " decided_at = proposed_at"
            ),
            {"second": cast.second.id},
        )


def test_what_was_decided_stays_so(cast, proposed, work_as):
    with work_as(SYSTEM) as work:
        service.decline(as_staff(work, cast.supervisor), get(work, proposed), reason="Not shown.")
        with pytest.raises(IllegalTransitionError):
            approve_officer(work, get(work, proposed), cast.second)
        assert traders.officers_of(work.session, cast.trader_id)
    with pytest.raises(DBAPIError, match="decided stays"), work_as(SYSTEM) as work:
        work.session.execute(text("UPDATE succession SET state = 'withdrawn', decided_by = NULL"))


def test_officers_who_have_changed_since_are_not_replaced(cast, proposed, work_as):
    """The one who was said to have gone has appointed somebody: there is nobody to replace."""
    with work_as(SYSTEM) as work:
        joined = work.session.scalars(
            select(Appointment).where(Appointment.person_id == cast.preparer.id)
        ).one()
        trader_service.change_role(
            acting(work, cast.officer), joined, role=TraderRole.OFFICER, version=joined.version
        )
    with work_as(SYSTEM) as work, pytest.raises(ConflictError, match="have changed"):
        approve_officer(work, get(work, proposed), cast.supervisor)


def test_who_works_on_goes_on_as_preparer_and_a_preparer_is_raised(cast, work_as):
    with work_as(SYSTEM) as work:
        found = propose_officer(
            work,
            cast.trader_id,
            cast.reviewer,
            ground=Ground.NO_AUTHORITY,
            fate=Fate.PREPARE,
            officer_name="Pia Prep",
            officer_email="pia@example.com",
        )
        assert approve_officer(work, found, cast.supervisor) == []
    with work_as(SYSTEM) as work:
        roles = {
            person.name: traders.appointments_of(work.session, person.id)[cast.trader_id]
            for person in (cast.officer, cast.preparer)
        }
        assert roles == {"Old Hand": TraderRole.PREPARER, "Pia Prep": TraderRole.OFFICER}
        assert letters_to(work, "officer-raised") == {"pia@example.com"}


def test_invitations_of_the_one_who_goes_end_as_well(cast, proposed, work_as):
    with work_as(SYSTEM) as work:
        trader = work.session.get_one(Trader, cast.trader_id)
        invitation = trader_service.appoint(
            acting(work, cast.officer),
            trader,
            key=work.new_id(),
            email="friend@example.com",
            role=TraderRole.OFFICER,
            link=lambda token: token,
        )
    with work_as(SYSTEM) as work:
        approve_officer(work, get(work, proposed), cast.supervisor)
        assert work.session.get_one(Appointment, invitation.id).state == "ended"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ground": Ground.NOBODY}, "ground"),
        ({"fate": Fate.PREPARE}, "fate"),
        ({"reason": " "}, "reason"),
        ({"officer_email": "nobody"}, "officer_email"),
        ({"officer_email": "old@example.com"}, "officer_email"),
        ({"officer_name": ""}, "officer_name"),
    ],
)
def test_what_cannot_be_proposed(cast, work_as, changes, field):
    with pytest.raises(NotReadyError) as refused, work_as(SYSTEM) as work:
        propose_officer(work, cast.trader_id, cast.reviewer, **changes)
    assert [one.field for one in refused.value.problems] == [field]


def test_nobody_of_the_agency_becomes_an_officer(cast, work_as):
    with pytest.raises(NotReadyError, match="agency"), work_as(SYSTEM) as work:
        propose_officer(work, cast.trader_id, cast.reviewer, officer_email=cast.supervisor.email)


def test_only_one_waits_and_only_the_proposer_takes_it_back(cast, proposed, work_as):
    with work_as(SYSTEM) as work:
        with pytest.raises(ConflictError):
            propose_officer(work, cast.trader_id, cast.supervisor)
        with pytest.raises(NotAllowedError):
            service.withdraw(as_staff(work, cast.supervisor), get(work, proposed))
        service.withdraw(as_staff(work, cast.reviewer), get(work, proposed))
        service.withdraw(as_staff(work, cast.reviewer), get(work, proposed))
    with work_as(SYSTEM) as work:
        assert tags(work, cast.trader_id).count("succession:withdrawn") == 1
        propose_officer(work, cast.trader_id, cast.supervisor)


def test_the_last_officer_still_cannot_leave_alone(cast, work_as):
    with work_as(SYSTEM) as work:
        [(appointment, _)] = traders.officer_appointments(work.session, cast.trader_id)
        with pytest.raises(NotReadyError, match="only officer"):
            trader_service.end_appointment(acting(work, cast.officer), appointment)


def test_no_officer_at_all_is_a_ground_of_its_own(cast, work_as):
    with work_as(SYSTEM) as work:
        person = work.session.get_one(Person, cast.officer.id)
        assert trader_service.end_everywhere(work, person) == [cast.trader_id]
    with work_as(SYSTEM) as work:
        found = propose_officer(work, cast.trader_id, cast.reviewer, ground=Ground.NOBODY)
        assert len(approve_officer(work, found, cast.supervisor)) == 1
