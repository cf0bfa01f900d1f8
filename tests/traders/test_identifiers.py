"""Claims, their verification, and what happens when two traders claim the same."""

import logging
import threading

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import system_actor
from app.kernel.errors import IllegalTransitionError, NotReadyError
from app.kernel.identifiers import Scheme, parse
from app.traders import queries, service
from app.traders.kinds import EntityType
from app.traders.models import IdentifierConflict, Trader, TraderIdentifier
from app.traders.sealing import sealer
from tests.factories import traders as factory
from tests.factories.identity import make_person

IOR = "12-345678900"
SSN = "536-90-4399"


@pytest.fixture(autouse=True)
def sealing(app):
    """The application equips the sealing of sensitive identifiers with its secret key."""


@pytest.fixture
def trader(work):
    return factory.make_trader(work, make_person(work))


@pytest.fixture
def other(work):
    return factory.make_trader(work, make_person(work), name="Other Imports Inc")


def events(session, tag):
    return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)))


def claim(work, trader, value=IOR, scheme=Scheme.IOR):
    return factory.add_identifier(work, trader, scheme, value)


def holders(work, value=IOR):
    return queries.traders_holding(work.session, Scheme.IOR, value)


def test_a_claim_names_nobody_until_it_is_verified(work, trader):
    claimed = claim(work, trader, " 12-345678900 ")
    assert (claimed.value, claimed.state) == (IOR, "claimed")
    assert holders(work) == []
    service.verify_identifier(work, claimed)
    work.session.flush()
    assert holders(work) == [trader.id]
    assert claimed.verified_at == work.now
    assert [one.id for one in queries.verified_identifiers(work.session, trader.id)] == [claimed.id]


def test_claiming_records_one_event_without_the_value(work, trader):
    claimed = claim(work, trader)
    (event,) = events(work.session, EventTag.IDENTIFIER_CLAIMED)
    assert (event.subject_id, event.trader_id) == (claimed.id, trader.id)
    assert event.data == {"scheme": "ior"}


def test_one_key_claims_once(work, trader):
    key = work.new_id()
    first, second = (
        service.claim_identifier(work, trader, key=key, scheme=Scheme.IOR, text=IOR)
        for _ in range(2)
    )
    assert first is second
    assert len(events(work.session, EventTag.IDENTIFIER_CLAIMED)) == 1


def test_a_trader_claims_an_identifier_once(work, trader):
    claim(work, trader)
    with pytest.raises(NotReadyError) as refusal:
        claim(work, trader)
    assert (refusal.value.problems[0].field, refusal.value.problems[0].code) == (
        "value",
        "CLAIMED_ALREADY",
    )


@pytest.mark.parametrize("end", ["withdraw", "refuse"])
def test_what_was_withdrawn_or_refused_can_be_claimed_anew(work, trader, end):
    first = claim(work, trader)
    if end == "withdraw":
        service.withdraw_identifier(work, first)
    else:
        service.refuse_identifier(work, first, reason="Unreadable letter.")
    second = claim(work, trader)
    assert second.id != first.id


def test_a_malformed_value_says_what_to_do_and_does_not_repeat_it(work, trader):
    with pytest.raises(NotReadyError) as refusal:
        claim(work, trader, "219-09-9999")
    assert {p.field for p in refusal.value.problems} == {"value"}
    assert all("9999" not in p.message for p in refusal.value.problems)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_a_scheme_of_another_kind_of_trader_is_refused(work, trader):
    with pytest.raises(NotReadyError) as refusal:
        claim(work, trader, "MAEU", Scheme.SCAC)
    assert refusal.value.problems[0].field == "scheme"


def test_a_withdrawn_identifier_stops_naming_the_trader(work, trader):
    claimed = claim(work, trader)
    service.verify_identifier(work, claimed)
    service.withdraw_identifier(work, claimed)
    service.withdraw_identifier(work, claimed)
    work.session.flush()
    assert holders(work) == []
    assert queries.identifiers_of(work.session, trader.id) == []
    assert len(events(work.session, EventTag.IDENTIFIER_WITHDRAWN)) == 1


def test_refusing_needs_a_reason_and_keeps_it_for_the_trader(work, trader):
    claimed = claim(work, trader)
    with pytest.raises(NotReadyError):
        service.refuse_identifier(work, claimed, reason="  ")
    service.refuse_identifier(work, claimed, reason=" The letter is unreadable. ")
    assert (claimed.state, claimed.refusal_reason) == ("refused", "The letter is unreadable.")
    with pytest.raises(IllegalTransitionError):
        service.verify_identifier(work, claimed)


def test_a_second_claim_by_another_trader_opens_one_conflict_of_no_trader(work, trader, other):
    first, second = claim(work, trader), claim(work, other)
    third = claim(work, factory.make_trader(work, make_person(work), name="Third"))
    assert {first.state, second.state, third.state} == {"claimed"}
    (conflict,) = work.session.scalars(queries.open_conflicts())
    (event,) = events(work.session, EventTag.CONFLICT_OPENED)
    assert (event.subject_id, event.trader_id) == (conflict.id, None)
    assert [t.name for _, t in queries.claims_in(work.session, conflict)] == [
        trader.name,
        other.name,
        "Third",
    ]


def test_nothing_is_verified_while_a_conflict_is_open(work, trader, other):
    first = claim(work, trader)
    claim(work, other)
    with pytest.raises(NotReadyError) as refusal:
        service.verify_identifier(work, first)
    assert refusal.value.problems[0].code == "CONFLICT_OPEN"


def test_resolving_keeps_one_claim_and_refuses_the_others(work, trader, other):
    first, second = claim(work, trader), claim(work, other)
    (conflict,) = work.session.scalars(queries.open_conflicts())
    service.resolve_conflict(work, conflict, keep=second, reason="Your proof did not fit.")
    assert (first.state, first.refusal_reason) == ("refused", "Your proof did not fit.")
    assert (second.state, conflict.state) == ("claimed", "resolved")
    assert conflict.kept_identifier_id == second.id
    service.verify_identifier(work, second)
    work.session.flush()
    assert holders(work) == [other.id]
    with pytest.raises(IllegalTransitionError):
        service.resolve_conflict(work, conflict, keep=second, reason="Again.")


def test_resolving_can_refuse_everybody_even_the_present_holder(work, trader, other):
    first = claim(work, trader)
    service.verify_identifier(work, first)
    second = claim(work, other)
    (conflict,) = work.session.scalars(queries.open_conflicts())
    service.resolve_conflict(work, conflict, keep=None, reason="No proof fits.")
    assert {first.state, second.state} == {"refused"}
    assert holders(work) == []


def test_what_is_kept_must_be_part_of_the_conflict(work, trader, other):
    claim(work, trader)
    claim(work, other)
    stranger = claim(work, trader, "98-765432100")
    (conflict,) = work.session.scalars(queries.open_conflicts())
    with pytest.raises(NotReadyError):
        service.resolve_conflict(work, conflict, keep=stranger, reason="Wrong one.")


def test_two_claims_at_the_same_moment_open_a_conflict(engine, work_as):
    with work_as(system_actor("test")) as work:
        ids = [factory.make_trader(work, make_person(work), name=name).id for name in ("A", "B")]
    barrier = threading.Barrier(2)
    failures = []

    def run(trader_id):
        try:
            with work_as(system_actor("test")) as work:
                trader = work.session.get_one(Trader, trader_id)
                barrier.wait(10)
                claim(work, trader)
        except Exception as error:  # noqa: BLE001 - reported below.
            failures.append(error)

    threads = [threading.Thread(target=run, args=(trader_id,)) for trader_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    with work_as(system_actor("test")) as work:
        assert work.session.scalar(select(func.count()).select_from(IdentifierConflict)) == 1


def test_the_database_lets_one_trader_hold_a_verified_identifier(work, trader, other):
    held = claim(work, trader)
    service.verify_identifier(work, held)
    rival = claim(work, other)
    work.session.flush()
    with pytest.raises(IntegrityError), work.session.begin_nested():
        work.session.execute(
            text("UPDATE trader_identifier SET state = 'verified' WHERE id = :id"),
            {"id": rival.id},
        )


def test_a_take_on_may_bring_in_two_holders_which_are_both_contested(work, trader, other):
    first, second = (
        service.take_on_identifier(work, one, scheme=Scheme.IOR, text=IOR)
        for one in (trader, other)
    )
    again = service.take_on_identifier(work, other, scheme=Scheme.IOR, text=IOR)
    assert again is second
    assert holders(work) == sorted([trader.id, other.id])
    assert first.contested
    assert second.contested
    (conflict,) = work.session.scalars(queries.open_conflicts())
    service.resolve_conflict(work, conflict, keep=first, reason="Held by another.")
    assert holders(work) == [trader.id]
    assert not first.contested
    events_of_first = [
        event
        for event in events(work.session, EventTag.IDENTIFIER_VERIFIED)
        if event.subject_id == first.id
    ]
    assert [event.data["origin"] for event in events_of_first] == ["take-on"]


def test_holders_answers_for_many_in_one_statement(work, trader, other):
    service.verify_identifier(work, claim(work, trader))
    service.verify_identifier(work, claim(work, trader, "91-1144442", Scheme.EIN))
    claim(work, other, "98-765432100")
    wanted = [
        parse(Scheme.IOR, IOR),
        parse(Scheme.EIN, "91-1144442"),
        parse(Scheme.IOR, "98-765432100"),
        parse(Scheme.LEI, "5493001KJTIIGC8Y1R12"),
    ]
    assert list(queries.holders(work.session, wanted).values()) == [
        [trader.id],
        [trader.id],
        [],
        [],
    ]
    assert queries.holders(work.session, []) == {}


# ---- Identifiers of social-security form ----


def test_a_social_security_number_is_encrypted_and_still_found(work, trader):
    held = claim(work, trader, SSN)
    assert (held.value, held.shown) == (None, "***-**-4399")
    assert SSN.encode() not in held.value_encrypted
    assert "536" not in held.lookup_key
    assert sealer().unseal(held.value_encrypted, held.id) == SSN
    service.verify_identifier(work, held)
    work.session.flush()
    assert holders(work, SSN) == [trader.id]


def test_an_encrypted_value_is_bound_to_its_row(work, trader):
    held = claim(work, trader, SSN)
    with pytest.raises(InvalidTag):
        sealer().unseal(held.value_encrypted, work.new_id())


def test_two_claims_of_one_social_security_number_meet_in_a_conflict(work, trader, other):
    first, second = claim(work, trader, SSN), claim(work, other, SSN)
    assert first.value_encrypted != second.value_encrypted
    (conflict,) = work.session.scalars(queries.open_conflicts())
    assert conflict.shown == "***-**-4399"


def test_a_social_security_number_stands_in_no_table_and_no_log(
    engine, work_as, super_engine, caplog
):
    caplog.set_level(logging.DEBUG)
    with work_as(system_actor("test")) as work:
        one, two = (factory.make_trader(work, make_person(work), name=name) for name in ("A", "B"))
        first = claim(work, one, SSN)
        claim(work, two, SSN)
        (conflict,) = work.session.scalars(queries.open_conflicts())
        service.resolve_conflict(work, conflict, keep=first, reason="Not yours.")
        service.verify_identifier(work, first)
        service.withdraw_identifier(work, first)
    needles = (SSN, SSN.replace("-", ""))
    with super_engine.connect() as connection:
        names = connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).all()
        found = [
            name
            for name in names
            for (row,) in connection.execute(text(f'SELECT t::text FROM "{name}" t'))  # noqa: S608
            if any(needle in row for needle in needles)
        ]
    assert found == []
    assert "trader_identifier" in names
    assert not any(needle in caplog.text for needle in needles)


def test_brokers_claim_a_licence_or_a_filer_code(work):
    broker = factory.make_trader(
        work, make_person(work), name="Pilot Brokers", entity_type=EntityType.BROKER
    )
    assert claim(work, broker, "wkv", Scheme.FILER).value == "WKV"
    assert claim(work, broker, "04321", Scheme.LICENCE).value == "04321"
    assert work.session.scalar(select(func.count()).select_from(TraderIdentifier)) == 2
