"""The contract's status answer: every doubt resolves downward, and any past one is reproduced."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.authz.actor import system_actor
from app.db.session import Principal, transaction
from app.kernel.errors import UnavailableError
from app.kernel.identifiers import MalformedIdentifierError, Scheme, parse
from app.register import queries, service
from app.register.answer import AnsweredIdentifier, Verdict
from app.register.programme import PROGRAMMES, Status
from app.traders import sealing
from app.traders.models import Trader, TraderIdentifier
from app.traders.service import refuse_identifier, take_on_identifier
from tests.conftest import NOON
from tests.factories.register import (
    SECURITY,
    decide,
    make_partner,
    make_trader,
    propose,
    statements,
    suspend_urgently,
)

DAY = timedelta(days=1)
IOR = "12-345678900"
GLN = "9501101530003"


@pytest.fixture(autouse=True)
def _secret(settings):
    sealing.equip(settings.secret_key)


@pytest.fixture
def ask(engine, clock):
    def answer(scheme="ior", value=IOR, **more):
        with transaction(engine, Principal("client:test"), read_only=True) as session:
            return queries.answer(session, scheme, value, now=clock.now(), **more)

    return answer


def test_an_active_partner(work_as, ask):
    trader_id = make_partner(work_as, f"ior:{IOR}", tier=3)
    found = ask()
    assert found.answer is Verdict.ACTIVE
    assert found.identifier == AnsweredIdentifier("ior", IOR)
    assert found.partner_id == trader_id
    assert (found.as_of, found.next_change_at, found.data_age_ms) == (NOON, None, 0)
    (standing,) = found.standings
    assert (standing.programme, standing.tier, standing.status) == (SECURITY, 3, "validated")
    assert standing.benefits == PROGRAMMES[SECURITY].benefits_of(3)
    assert (standing.effective_from, standing.effective_until) == (NOON, None)
    with work_as(system_actor("test")) as work:
        head = queries.head(work.session, now=NOON)
    assert (found.seq, found.known_at) == (head.seq, head.at)


def test_a_restricted_benefit_is_not_among_the_benefits(work_as, ask):
    trader_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    decide(work_as, trader_id, "restrict", restrictions=("front-of-line",))
    (standing,) = ask().standings
    assert standing.restrictions == ("front-of-line",)
    assert "front-of-line" not in standing.benefits
    assert len(standing.benefits) == len(PROGRAMMES[SECURITY].benefits_of(2)) - 1


@pytest.mark.parametrize(
    ("moves", "status"),
    [
        (["suspend"], Status.SUSPENDED),
        (["suspend", "remove"], Status.REMOVED),
        (["withdraw"], Status.WITHDRAWN),
    ],
)
def test_a_partner_whose_standing_was_taken_is_not_active(work_as, ask, moves, status):
    trader_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    for move in moves:
        decide(work_as, trader_id, move)
    found = ask()
    assert (found.answer, found.partner_id) == (Verdict.NOT_ACTIVE, trader_id)
    (standing,) = found.standings
    assert (standing.status, standing.tier, standing.benefits) == (status, None, ())


def test_an_urgent_suspension_is_in_the_very_next_answer(work_as, ask):
    trader_id = make_partner(work_as, f"ior:{IOR}")
    before = ask()
    suspend_urgently(work_as, trader_id)
    after = ask(min_seq=before.seq + 1)
    assert (before.answer, after.answer) == (Verdict.ACTIVE, Verdict.NOT_ACTIVE)
    assert after.seq == before.seq + 1


def test_a_proposal_alone_is_no_answer(work_as, ask):
    trader_id = make_trader(work_as, f"ior:{IOR}")
    propose(work_as, trader_id, "certify", tier=1)
    assert ask().answer is Verdict.NOT_A_PARTNER
    assert ask().partner_id is None


def test_an_identifier_that_nobody_holds(ask):
    found = ask()
    assert (found.answer, found.partner_id, found.standings) == (Verdict.NOT_A_PARTNER, None, ())
    assert (found.seq, found.known_at) == (0, NOON)


@pytest.mark.parametrize("value", ["12-3456789", "12-345678900 suffix", "", "0" * 400])
def test_a_malformed_identifier_has_no_answer(ask, value):
    with pytest.raises(MalformedIdentifierError):
        ask(value=value)


def test_an_unknown_scheme_has_no_answer(ask):
    with pytest.raises(ValueError, match="no such identifier scheme"):
        ask(scheme="passport")


def test_no_part_of_an_identifier_and_no_other_scheme_matches(work_as, ask):
    make_partner(work_as, f"ior:{IOR}")
    assert ask(value="12-345678901").answer is Verdict.NOT_A_PARTNER
    assert ask(scheme="ein", value="12-3456789").answer is Verdict.NOT_A_PARTNER


def test_only_verified_identifiers_count(work_as, ask):
    trader_id = make_partner(work_as, f"ior:{IOR}")
    assert ask().answer is Verdict.ACTIVE
    with work_as(system_actor("test")) as work:
        held = work.session.scalars(
            select(TraderIdentifier).where(TraderIdentifier.trader_id == trader_id)
        ).one()
        refuse_identifier(work, held, reason="It names another company.")
        service.note_identifier_change(work, trader_id)
    assert ask().answer is Verdict.NOT_A_PARTNER


def test_an_identifier_that_two_hold_is_not_active_and_both_learn_of_it(work_as, ask):
    first = make_partner(work_as, f"ior:{IOR}")
    second = make_partner(work_as)
    with work_as(system_actor("cli")) as work:
        before = queries.head(work.session, now=NOON).seq
        trader = work.session.get_one(Trader, second)
        take_on_identifier(work, trader, scheme=Scheme.IOR, text=IOR)
        service.note_identifier_change(work, second)
        changed, _ = queries.changes(work.session, after=before, limit=10, now=NOON)
        assert {one.trader_id for one in changed} >= {first, second}
    found = ask()
    assert (found.answer, found.partner_id, found.standings) == (Verdict.NOT_ACTIVE, None, ())


def test_a_change_due_at_an_instant_is_seen_from_that_instant_on(work_as, ask, clock):
    trader_id = make_trader(work_as, f"ior:{IOR}")
    due = NOON + 5 * DAY
    decide(work_as, trader_id, "certify", tier=1, effective_from=due)
    early = ask()
    assert (early.answer, early.next_change_at) == (Verdict.NOT_A_PARTNER, due)
    clock.at = due - timedelta(microseconds=1)
    assert ask().answer is Verdict.NOT_A_PARTNER
    clock.at = due
    found = ask()
    assert (found.answer, found.next_change_at, found.seq) == (Verdict.ACTIVE, None, early.seq)


def test_a_grant_that_will_end_says_when(work_as, ask, clock):
    trader_id = make_partner(work_as, f"ior:{IOR}")
    decide(work_as, trader_id, "remove", effective_from=NOON + DAY)
    found = ask()
    assert found.answer is Verdict.ACTIVE
    assert found.next_change_at == found.standings[0].effective_until == NOON + DAY
    clock.advance(DAY)
    assert ask().answer is Verdict.NOT_ACTIVE


def test_past_answers_are_reproduced_as_they_were_given(work_as, ask, clock):
    trader_id = make_trader(work_as, f"ior:{IOR}")
    given = [ask()]
    for move, wish in [
        ("certify", {"tier": 1}),
        ("validate", {"tier": 3, "effective_from": NOON + 4 * DAY}),
        ("restrict", {"restrictions": ("risk-score",)}),
        ("suspend", {}),
        ("reinstate", {}),
        ("correct", {"status": Status.REMOVED, "effective_from": NOON}),
    ]:
        clock.advance(DAY)
        decide(work_as, trader_id, move, **wish)
        given.append(ask())
    assert [one.answer for one in given] == [
        "not_a_partner",
        "active",
        "active",
        "active",
        "not_active",
        "active",
        "not_active",
    ]
    for one in given:
        again = ask(valid_at=one.as_of, known_at=one.known_at)
        assert (again.answer, again.standings) == (one.answer, one.standings)
        assert (again.as_of, again.known_at) == (one.as_of, one.known_at)


def test_nothing_is_known_later_than_the_newest_change(work_as, ask):
    make_partner(work_as, f"ior:{IOR}")
    now = ask()
    assert ask(known_at=NOON + 9 * DAY).known_at == now.known_at
    assert ask(known_at=NOON - DAY).answer is Verdict.NOT_A_PARTNER


def test_a_change_not_reached_is_unavailable(work_as, ask):
    make_partner(work_as, f"ior:{IOR}")
    seq = ask().seq
    assert ask(min_seq=seq).answer is Verdict.ACTIVE
    with pytest.raises(UnavailableError) as refused:
        ask(min_seq=seq + 1)
    assert refused.value.code == "not-yet"


def test_one_programme_alone(work_as, ask):
    make_partner(work_as, f"ior:{IOR}")
    assert ask(programme=SECURITY).answer is Verdict.ACTIVE
    assert ask(programme="trade-compliance").answer is Verdict.NOT_A_PARTNER


def test_a_social_security_number_is_found_and_never_shown(work_as, ask):
    make_partner(work_as, "ior:219-09-9998")
    found = ask(value="219-09-9998")
    assert found.answer is Verdict.ACTIVE
    assert found.identifier.value == "***-**-9998"
    assert "219" not in repr(found)


def test_ten_thousand_identifiers_take_one_statement_and_keep_their_order(work_as, engine):
    make_partner(work_as, f"ior:{IOR}", f"gln:{GLN}")
    asked = [parse(Scheme.IOR, f"13-{number:07}00") for number in range(9_997)]
    asked += [parse(Scheme.GLN, GLN), parse(Scheme.IOR, IOR), parse(Scheme.IOR, IOR)]
    with transaction(engine, Principal("client:test"), read_only=True) as session:
        session.connection()
        with statements(engine) as seen:
            found = queries.answers(session, asked, now=NOON)
    assert len(seen) == 1
    assert [one.identifier.value for one in found] == [one.value for one in asked]
    assert [one.answer for one in found[-4:]] == ["not_a_partner", "active", "active", "active"]
    assert {one.seq for one in found} == {found[0].seq}


def test_no_identifiers_no_answers(engine):
    with transaction(engine, Principal("client:test"), read_only=True) as session:
        assert queries.answers(session, [], now=NOON) == []
