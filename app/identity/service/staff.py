"""The agency's own people: invited by an operator, in by a link, from then on by a passkey alone.

The password that they choose opens nothing. It is the second half of the link: whoever reads the
letter of an invitation, or of a way back, cannot use it without the password (M-22-09).
"""

from app.audit.tags import EventTag
from app.authz.actor import AgencyRole
from app.identity import queries, rules, session_store
from app.identity.models import LinkPurpose, OneTimeLink, Person, StaffRole
from app.identity.passwords import hash_password, verify_password
from app.identity.service.links import LinkSpentError, make_link, use_link
from app.kernel.errors import NotReadyError, Problem
from app.notifications.service import send
from app.work import Work

ROLE_NAMES = {
    AgencyRole.REVIEWER: "reviewer",
    AgencyRole.SUPERVISOR: "supervisor",
    AgencyRole.PROGRAMME_MANAGER: "programme manager",
    AgencyRole.AUDITOR: "auditor",
}


def invite_staff(work: Work, email: str, role: AgencyRole, *, site: str) -> tuple[OneTimeLink, str]:
    """Invite an address to a role at the agency; gives the link's row and its address.

    In order: the link, good for seven days; the letter. Records `STAFF_INVITED`.
    """
    link, token = make_link(
        work, LinkPurpose.JOIN_STAFF, lasts=rules.JOIN_WITHIN, email=email, role=role.value
    )
    work.session.flush()
    address = f"{site}/join/{token}"
    send(work, to=email, template="join-staff", role=ROLE_NAMES[role], link=address)
    work.record(EventTag.STAFF_INVITED, link, role=role)
    return link, address


def join_staff(work: Work, token: str, *, name: str, password: str) -> Person:
    """Accept an invitation: a new person with this name and password, or a known one's new role.

    A known person keeps name and password and gives the latter as proof. Errors:
    `LinkSpentError`; `NotReadyError` beside `password`. Records `PERSON_SIGNED_UP` for a new
    person and `STAFF_APPOINTED`. Every other session of the person ends, since a role asks for
    more than some of them began by.
    """
    link = use_link(work, token, LinkPurpose.JOIN_STAFF)
    email, role = link.email or "", AgencyRole(link.role or "")
    person = queries.person_by_email(work.session, email)
    if person is None:
        problems = rules.password_problems(password, email=email, name=name)
        if problems:
            raise NotReadyError(problems)
        person = Person(
            id=work.new_id(),
            name=name,
            email=email,
            password_hash=hash_password(password),
            mail_verified_at=work.now,
            created_at=work.now,
        )
        work.session.add(person)
        work.session.flush()
        work.record(EventTag.PERSON_SIGNED_UP, person)
    elif person.ended_at is not None:
        raise LinkSpentError
    elif not verify_password(person.password_hash, password):
        raise NotReadyError(
            [Problem("This is not the right password.", field="password", code="wrong-password")]
        )
    elif person.mail_verified_at is None:
        person.mail_verified_at = work.now
    give_role(work, person, role)
    session_store.end_of_person(work.session, person.id, work.now, keep=work.actor.session_id)
    return person


def give_role(work: Work, person: Person, role: AgencyRole) -> None:
    """Give a person a role at the agency; giving it twice is once. Records `STAFF_APPOINTED`."""
    if role in queries.agency_roles(work.session, person.id):
        return
    work.session.add(StaffRole(person_id=person.id, role=role.value, given_at=work.now))
    work.session.flush()
    work.record(EventTag.STAFF_APPOINTED, person, role=role)
