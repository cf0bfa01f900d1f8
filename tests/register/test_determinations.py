"""Two signatures: the way through, every refusal, the race, and SQL when the rule is bypassed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import AgencyRole, system_actor
from app.kernel.errors import (
    ConflictError,
    DomainError,
    IllegalTransitionError,
    NotAllowedError,
    NotReadyError,
)
from app.kernel.ids import new_id
from app.register import queries, service
from app.register.models import Determination
from app.register.programme import Status
from tests.conftest import NOON
from tests.factories.register import (
    REVIEWER,
    SECURITY,
    SUPERVISOR,
    approve,
    decide,
    make_partner,
    make_trader,
    propose,
    staff,
    suspend_urgently,
)


def standing(work_as, trader_id, at=NOON):
    with work_as(system_actor("test")) as work:
        return queries.standing_of(work.session, trader_id, SECURITY, valid_at=at)


def tags(work_as, subject_id):
    with work_as(system_actor("test")) as work:
        return list(
            work.session.scalars(
                select(AuditEvent.tag)
                .where(AuditEvent.subject_id == subject_id)
                .order_by(AuditEvent.id)
            )
        )


def state(work_as, determination_id):
    with work_as(system_actor("test")) as work:
        return work.session.get_one(Determination, determination_id).state


def test_a_proposal_changes_nothing(work_as):
    trader_id = make_trader(work_as)
    determination_id = propose(work_as, trader_id, "certify", tier=1)
    assert standing(work_as, trader_id) is None
    assert tags(work_as, determination_id) == [EventTag.DETERMINATION_PROPOSED]


def test_the_second_signature_enters_the_standing(work_as):
    trader_id = make_trader(work_as)
    determination_id = decide(work_as, trader_id, "certify", tier=1)
    found = standing(work_as, trader_id)
    assert (found.status, found.tier, found.effective_from) == (Status.CERTIFIED, 1, NOON)
    assert found.determination_id == determination_id
    assert tags(work_as, determination_id) == [
        EventTag.DETERMINATION_PROPOSED,
        EventTag.DETERMINATION_APPROVED,
    ]
    with work_as(system_actor("test")) as work:
        determination = work.session.get_one(Determination, determination_id)
        event = work.session.scalars(
            select(AuditEvent).where(AuditEvent.tag == EventTag.DETERMINATION_APPROVED)
        ).one()
        head = queries.head(work.session, now=NOON)
        assert event.data["seq"] == determination.seq == head.seq
        assert determination.reference == "DT-2026-00001"


def test_the_way_through_all_moves(work_as, clock):
    trader_id = make_partner(work_as, tier=2)
    path = [
        ("validate", {"tier": 3}, (Status.VALIDATED, 3, ())),
        (
            "restrict",
            {"restrictions": ("front-of-line",)},
            (Status.VALIDATED, 3, ("front-of-line",)),
        ),
        ("suspend", {}, (Status.SUSPENDED, 3, ("front-of-line",))),
        ("reinstate", {}, (Status.VALIDATED, 3, ("front-of-line",))),
        ("lift-restriction", {"restrictions": ("front-of-line",)}, (Status.VALIDATED, 3, ())),
        ("lower-tier", {"tier": 1}, (Status.CERTIFIED, 1, ())),
        ("remove", {}, (Status.REMOVED, None, ())),
        ("certify", {"tier": 1}, (Status.CERTIFIED, 1, ())),
        ("withdraw", {}, (Status.WITHDRAWN, None, ())),
        ("reject", None, None),
    ]
    for move, wish, expected in path:
        clock.advance(timedelta(days=1))
        if wish is None:
            with pytest.raises(NotReadyError):
                propose(work_as, trader_id, move)
            continue
        decide(work_as, trader_id, move, **wish)
        found = standing(work_as, trader_id, clock.now())
        assert (found.status, found.tier, found.restrictions) == expected


def test_nobody_signs_their_own_proposal(work_as):
    both = staff(AgencyRole.SUPERVISOR)
    trader_id = make_trader(work_as)
    determination_id = propose(work_as, trader_id, "certify", tier=1, by=both)
    with pytest.raises(NotAllowedError):
        approve(work_as, determination_id, by=both)
    with pytest.raises(NotAllowedError), work_as(both) as work:
        service.decline(work, work.session.get_one(Determination, determination_id), reason="No.")
    assert standing(work_as, trader_id) is None
    assert state(work_as, determination_id) == "proposed"


def test_a_reviewer_may_propose_but_not_sign(work_as):
    trader_id = make_trader(work_as)
    determination_id = propose(work_as, trader_id, "certify", tier=1)
    with pytest.raises(NotAllowedError):
        approve(work_as, determination_id, by=staff(AgencyRole.REVIEWER))


@pytest.mark.parametrize("role", [AgencyRole.AUDITOR, AgencyRole.PROGRAMME_MANAGER])
def test_others_may_not_propose(work_as, role):
    trader_id = make_trader(work_as)
    with pytest.raises(NotAllowedError):
        propose(work_as, trader_id, "certify", tier=1, by=staff(role))
    with pytest.raises(NotAllowedError):
        suspend_urgently(work_as, trader_id, by=staff(role))


def test_sql_refuses_self_approval_when_the_rule_is_bypassed(work_as, monkeypatch):
    both = staff(AgencyRole.SUPERVISOR)
    trader_id = make_trader(work_as)
    determination_id = propose(work_as, trader_id, "certify", tier=1, by=both)
    monkeypatch.setattr("app.register.service.proposals.require_second_person", lambda *_: None)
    # A reaction that reads makes the session write first, so the refusal may come from there.
    with pytest.raises((ConflictError, IntegrityError)) as refused, work_as(both) as work:
        service.approve(work, work.session.get_one(Determination, determination_id))
    assert "ck_determination_two_people" in str(refused.value) + str(refused.value.__cause__)
    assert standing(work_as, trader_id) is None


BEGUN_AS_SIGNED = """
INSERT INTO determination SELECT (d).* FROM (
  SELECT jsonb_populate_record(t, jsonb_build_object(
    'id', gen_random_uuid(), 'reference', 'x', 'state', 'approved',
    'decided_by', CAST(:me AS text), 'decided_at', now(), 'seq', 1)) AS d
  FROM determination t) s
"""
SIGNED = "UPDATE determination SET seq = 1, decided_at = now(), version = version + 1, "


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (SIGNED + "state = 'approved', decided_by = :other", "in another name"),
        (SIGNED + "state = 'approved'", "ck_determination_decided"),
        (SIGNED + "state = 'countersigned', decided_by = :me", "does not go from"),
        ("UPDATE determination SET state = 'withdrawn', decided_at = now()", "in another name"),
        ("UPDATE determination SET state = 'proposed'", "does not go from"),
        ("UPDATE determination SET tier = 3", "stays as it was proposed"),
        ("UPDATE determination SET trader_id = gen_random_uuid()", "stays as it was proposed"),
        (BEGUN_AS_SIGNED, "does not begin as"),
    ],
)
def test_sql_keeps_determinations_as_they_were_signed(work_as, statement, refusal):
    trader_id = make_trader(work_as)
    propose(work_as, trader_id, "certify", tier=1)
    person, other = staff(AgencyRole.SUPERVISOR), new_id()
    names = {"me": person.person_id, "other": other}
    given = {name: value for name, value in names.items() if f":{name}" in statement}
    with pytest.raises(IntegrityError, match=refusal), work_as(person) as work:
        work.session.execute(text(statement), given)


def test_nobody_proposes_in_another_name(work_as):
    trader_id = make_trader(work_as)
    stranger = staff(AgencyRole.REVIEWER)
    with pytest.raises(ConflictError) as refused, work_as(REVIEWER) as work:
        service.propose(
            replace(work, actor=stranger),
            trader_id,
            programme=SECURITY,
            move="certify",
            tier=1,
            reason_code="criteria-met",
            reason_text="All criteria are met.",
        )
    assert "in another name" in str(refused.value.__cause__)


def test_a_decided_determination_is_not_decided_again(work_as):
    trader_id = make_trader(work_as)
    determination_id = decide(work_as, trader_id, "certify", tier=1)
    for verb in (
        service.approve,
        service.countersign,
        lambda work, one: service.decline(work, one, reason="Too late."),
    ):
        with pytest.raises(IllegalTransitionError), work_as(SUPERVISOR) as work:
            verb(work, work.session.get_one(Determination, determination_id))


def test_declining_needs_a_reason_and_changes_no_standing(work_as):
    trader_id = make_trader(work_as)
    determination_id = propose(work_as, trader_id, "certify", tier=1)
    with pytest.raises(NotReadyError), work_as(SUPERVISOR) as work:
        service.decline(work, work.session.get_one(Determination, determination_id), reason=" ")
    with work_as(SUPERVISOR) as work:
        service.decline(
            work, work.session.get_one(Determination, determination_id), reason="Not yet."
        )
    assert standing(work_as, trader_id) is None
    assert tags(work_as, determination_id)[1:] == [EventTag.DETERMINATION_DECLINED]


def test_only_the_proposer_takes_a_proposal_back(work_as):
    trader_id = make_trader(work_as)
    determination_id = propose(work_as, trader_id, "certify", tier=1)
    with pytest.raises(NotAllowedError), work_as(SUPERVISOR) as work:
        service.withdraw_proposal(work, work.session.get_one(Determination, determination_id))
    with work_as(REVIEWER) as work:
        service.withdraw_proposal(work, work.session.get_one(Determination, determination_id))
    assert tags(work_as, determination_id)[1:] == [EventTag.DETERMINATION_WITHDRAWN]
    # The same can now be proposed anew.
    propose(work_as, trader_id, "certify", tier=1)


def test_the_same_proposal_waits_once(work_as):
    trader_id = make_trader(work_as)
    key = new_id()
    first = propose(work_as, trader_id, "certify", tier=1, key=key)
    assert propose(work_as, trader_id, "certify", tier=1, key=key) == first == key
    with pytest.raises(ConflictError):
        propose(work_as, trader_id, "certify", tier=1)
    with pytest.raises(ConflictError):
        propose(work_as, trader_id, "certify", tier=1, key=key, by=SUPERVISOR)


def test_nothing_else_is_entered_than_was_proposed(work_as, clock):
    trader_id = make_partner(work_as, tier=2)
    upward = propose(work_as, trader_id, "validate", tier=3)
    restricting = propose(work_as, trader_id, "restrict", restrictions=("risk-score",))
    decide(work_as, trader_id, "suspend")
    for determination_id in (upward, restricting):
        with pytest.raises(ConflictError):
            approve(work_as, determination_id)
        assert state(work_as, determination_id) == "proposed"
    assert standing(work_as, trader_id).status is Status.SUSPENDED


def test_a_grant_starts_at_its_signature_when_its_date_has_passed(work_as, clock):
    trader_id = make_trader(work_as)
    determination_id = propose(
        work_as, trader_id, "certify", tier=1, effective_from=NOON + timedelta(days=1)
    )
    clock.advance(timedelta(days=3))
    approve(work_as, determination_id)
    assert standing(work_as, trader_id, NOON + timedelta(days=2)) is None
    assert standing(work_as, trader_id, clock.now()).effective_from == clock.now()


def test_a_later_taking_outlives_a_grant_and_an_older_promise_does_not(work_as, clock):
    day = timedelta(days=1)
    trader_id = make_partner(work_as, tier=2)
    decide(work_as, trader_id, "validate", tier=3, effective_from=NOON + 5 * day)
    decide(work_as, trader_id, "remove", effective_from=NOON + 10 * day)
    clock.advance(day)
    decide(work_as, trader_id, "restrict", restrictions=("front-of-line",))
    for days, expected in [
        (0, (Status.VALIDATED, 2, ())),
        (1, (Status.VALIDATED, 2, ("front-of-line",))),
        (6, (Status.VALIDATED, 2, ("front-of-line",))),
        (10, (Status.REMOVED, None, ())),
    ]:
        found = standing(work_as, trader_id, NOON + days * day)
        assert (found.status, found.tier, found.restrictions) == expected


def test_an_urgent_suspension_holds_at_once_and_stands_without_its_second_signature(work_as, clock):
    trader_id = make_partner(work_as, tier=2)
    determination_id = suspend_urgently(work_as, trader_id)
    assert standing(work_as, trader_id).status is Status.SUSPENDED
    assert tags(work_as, determination_id) == [EventTag.PARTNER_SUSPENDED_URGENTLY]

    def overdue():
        with work_as(system_actor("test")) as work:
            return [one.id for one in queries.breaches(work.session, clock.now())]

    clock.advance(timedelta(hours=23, minutes=59))
    assert overdue() == []
    clock.advance(timedelta(minutes=1))
    assert overdue() == [determination_id]
    assert standing(work_as, trader_id, clock.now()).status is Status.SUSPENDED
    with pytest.raises(NotAllowedError), work_as(REVIEWER) as work:
        service.countersign(work, work.session.get_one(Determination, determination_id))
    with work_as(SUPERVISOR) as work:
        service.countersign(work, work.session.get_one(Determination, determination_id))
    assert overdue() == []
    assert tags(work_as, determination_id)[1:] == [EventTag.SUSPENSION_COUNTERSIGNED]
    assert standing(work_as, trader_id, clock.now()).status is Status.SUSPENDED


def test_a_supervisor_does_not_countersign_their_own_urgent_suspension(work_as, monkeypatch):
    trader_id = make_partner(work_as)
    determination_id = suspend_urgently(work_as, trader_id, by=SUPERVISOR)
    with pytest.raises(NotAllowedError), work_as(SUPERVISOR) as work:
        service.countersign(work, work.session.get_one(Determination, determination_id))
    monkeypatch.setattr("app.register.service.urgency.require_second_person", lambda *_: None)
    with (
        pytest.raises((ConflictError, IntegrityError)) as refused,
        work_as(SUPERVISOR) as work,
    ):
        service.countersign(work, work.session.get_one(Determination, determination_id))
    assert "ck_determination_two_people" in str(refused.value) + str(refused.value.__cause__)
    assert state(work_as, determination_id) == "in_force"


def test_the_command_line_suspends_in_the_name_of_its_account(work_as):
    trader_id = make_partner(work_as)

    def suspend(**more):
        with work_as(system_actor("cli")) as work:
            return service.suspend_urgently(
                work,
                trader_id,
                programme=SECURITY,
                reason_code="seizure",
                reason_text="Found today.",
                **more,
            ).id

    with pytest.raises(NotAllowedError):
        suspend()
    determination_id = suspend(os_account="operator")
    with work_as(SUPERVISOR) as work:
        service.countersign(work, work.session.get_one(Determination, determination_id))
    assert state(work_as, determination_id) == "countersigned"


def test_of_two_who_decide_at_once_exactly_one_wins(work_as):
    """200 races: approve against approve, and approve against decline."""
    trader_id = make_partner(work_as, tier=3)
    pair = [staff(AgencyRole.SUPERVISOR), staff(AgencyRole.SUPERVISOR)]
    together = threading.Barrier(2)

    def sign(actor, determination_id, verb):
        try:
            with work_as(actor) as work:
                determination = work.session.get_one(Determination, determination_id)
                together.wait(10)
                if verb == "approve":
                    service.approve(work, determination)
                else:
                    service.decline(work, determination, reason="No.")
        except DomainError as error:
            return type(error)
        return verb

    restricted = False
    with ThreadPoolExecutor(2) as pool:
        for race in range(200):
            move = "lift-restriction" if restricted else "restrict"
            determination_id = propose(work_as, trader_id, move, restrictions=("risk-score",))
            verbs = ("approve", "approve" if race % 2 else "decline")
            outcomes = list(pool.map(sign, pair, [determination_id] * 2, verbs))
            assert sorted(map(str, outcomes)) in (
                sorted([str(IllegalTransitionError), "approve"]),
                sorted([str(IllegalTransitionError), "decline"]),
            )
            approved = "approve" in outcomes
            restricted = restricted != approved
            decided = tags(work_as, determination_id)[1:]
            assert decided == [f"determination:{'approved' if approved else 'declined'}"]
    with work_as(system_actor("test")) as work:
        expected = ("risk-score",) if restricted else ()
        found = queries.standing_of(work.session, trader_id, SECURITY, valid_at=NOON)
        assert found.restrictions == expected
