"""Two people at the same moment: one is first, the other is told so, and nothing happens twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole, system_actor
from app.casework.models import Case
from app.register.models import Determination, RegisterEntry
from tests.factories.casework import make_case, make_recommended, make_staff, post, signed_in


def at_once(clients, address):
    """The same form from several browsers, sent at the same moment."""
    barrier = threading.Barrier(len(clients))

    def send(client):
        barrier.wait()
        return post(client, address)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(send, clients))


def test_one_of_four_reviewers_takes_the_case_and_the_others_learn_who(app, work_as):
    with work_as(system_actor("test")) as work:
        names = ["Dana Whitlock", "Samir Haddad", "Ola Nowak", "Kim Reed"]
        people = [make_staff(work, name=name) for name in names]
        case, _ = make_case(work)
        case_id = case.id
    answers = at_once(
        [signed_in(app, person) for person in people], f"/console/cases/{case_id}/take"
    )
    assert sorted(one.status_code for one in answers) == [303, 409, 409, 409]
    with work_as(system_actor("test")) as work:
        case = work.session.get_one(Case, case_id)
        winner = case.assignee_name
        taken = work.session.scalars(
            select(AuditEvent).where(
                AuditEvent.subject_id == case_id, AuditEvent.tag == "case:taken"
            )
        ).all()
    assert len(taken) == 1
    for one in answers:
        if one.status_code == 409:
            assert f"{winner} took case CS-2026-00001" in one.text


def test_two_supervisors_sign_one_determination_once(app, work_as):
    with work_as(system_actor("test")) as work:
        reviewer = make_staff(work)
        bosses = [
            make_staff(work, AgencyRole.SUPERVISOR, name) for name in ("Grace Obuya", "Ivo Marsh")
        ]
        _, determination = make_recommended(work, reviewer)
        determination_id = determination.id
    answers = at_once(
        [signed_in(app, person) for person in bosses],
        f"/console/determinations/{determination_id}/approve",
    )
    assert sorted(one.status_code for one in answers) == [303, 409]
    with work_as(system_actor("test")) as work:
        assert work.session.get_one(Determination, determination_id).state == "approved"
        assert len(work.session.scalars(select(RegisterEntry)).all()) == 1
