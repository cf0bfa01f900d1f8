"""What is recorded: in the business transaction or in its own, in full, and nothing twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.audit.access import Circumstances, Seen, record_access, record_security_event
from app.audit.models import AccessRecord, AuditEvent, SecurityEvent
from app.audit.tags import EventTag, SecurityTag
from app.authz.actor import AgencyRole, system_actor
from app.work import Work, move
from tests.factories.identity import make_person
from tests.factories.traders import acting, add_identifier, make_trader

SYSTEM = system_actor("test")


def every(work_as, model):
    with work_as(SYSTEM) as work:
        return work.session.scalars(select(model).order_by(model.id)).all()


def test_an_event_names_actor_trader_subject_and_request(work_as, clock):
    with work_as(SYSTEM) as work:
        officer = make_person(work)
        own = acting(work, officer)
        own.request_id = "r1"
        trader = make_trader(own, officer)
        claim = add_identifier(Work(work.session, own.actor, clock.now(), request_id="r1"), trader)
    event = next(one for one in every(work_as, AuditEvent) if one.subject_id == claim.id)
    assert event.tag == EventTag.IDENTIFIER_CLAIMED
    assert (event.person_id, event.actor_name) == (officer.id, officer.name)
    assert event.trader_id == trader.id
    assert event.subject_kind == "trader_identifier"
    assert (event.at, event.request_id) == (clock.now(), "r1")


def test_a_move_tells_from_where_to_where_and_runs_its_reactions(work_as):
    seen = []
    with work_as(SYSTEM) as work:
        trader = make_trader(work, make_person(work))
        claim = add_identifier(work, trader)
        reacting = Work(
            work.session,
            work.actor,
            work.now,
            reactions={EventTag.IDENTIFIER_VERIFIED: (lambda _, event: seen.append(event.tag),)},
        )
        event = move(reacting, claim, "verify", scheme=claim.scheme)
    assert event.data == {"before": "claimed", "after": "verified", "scheme": "ior"}
    assert seen == [EventTag.IDENTIFIER_VERIFIED]


def test_an_error_in_a_reaction_undoes_the_change_and_its_event(work_as):
    def refuse(_work, _event):
        raise RuntimeError

    with work_as(SYSTEM) as work:
        claim = add_identifier(work, make_trader(work, make_person(work)))
    before = len(every(work_as, AuditEvent))

    def attempt():
        with work_as(SYSTEM) as work:
            found = work.session.merge(claim)
            reacting = Work(
                work.session,
                work.actor,
                work.now,
                reactions={EventTag.IDENTIFIER_VERIFIED: (refuse,)},
            )
            move(reacting, found, "verify")

    with pytest.raises(RuntimeError):
        attempt()
    assert len(every(work_as, AuditEvent)) == before
    with work_as(SYSTEM) as work:
        assert work.session.merge(claim, load=True).state == "claimed"


def test_data_becomes_json_whatever_it_was(work_as, clock):
    with work_as(SYSTEM) as work:
        person = make_person(work)
        event = work.record(
            EventTag.PERSON_MAIL_VERIFIED,
            person,
            at=clock.now(),
            role=AgencyRole.AUDITOR,
            who=person.id,
            several=frozenset({"b", "a"}),
            nested={"ids": (person.id,)},
            nothing=None,
        )
    kept = next(one for one in every(work_as, AuditEvent) if one.id == event.id)
    assert kept.data == {
        "at": clock.now().isoformat(),
        "role": "auditor",
        "who": str(person.id),
        "several": ["a", "b"],
        "nested": {"ids": [str(person.id)]},
    }


def test_security_and_access_records_outlive_a_rollback(engine, work_as, clock):
    circumstances = Circumstances(at=clock.now() + timedelta(1), address="127.0.0.1")

    def refused():
        with work_as(SYSTEM) as work:
            make_person(work)
            record_security_event(engine, SecurityTag.ACCESS_DENIED, circumstances)
            record_access(
                engine, SYSTEM, [Seen("case", "CS-1"), Seen("case", "CS-2")], circumstances
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        refused()
    assert [one.tag for one in every(work_as, SecurityEvent)] == [SecurityTag.ACCESS_DENIED]
    assert {one.subject for one in every(work_as, AccessRecord)} == {"CS-1", "CS-2"}
    assert every(work_as, AuditEvent) == []
