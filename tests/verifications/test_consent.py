"""Asking, consenting, seeing, being told, ending: and that a refusal is nothing that one could see."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.kernel.errors import ConflictError, NotReadyError
from app.notifications.models import Message
from app.traders.models import TraderIdentifier
from app.traders.service import withdraw_identifier
from app.verifications import service
from app.verifications.models import Consent, Verification
from app.verifications.rules import MUTED, WAITS
from tests.factories.register import decide, suspend_urgently
from tests.factories.register import make_trader as taken_on
from tests.verifications.conftest import NUMBER

SYSTEM = system_actor("test")
NOBODYS = "55-555555500"


def rows(pair, model, **where):
    with pair.work_as(SYSTEM) as work:
        return list(work.session.scalars(select(model).filter_by(**where).order_by(model.id)))


def letters(pair, side):
    email = pair.people[side].email
    return [one for one in rows(pair, Message, recipient=email) if one.template == "verification"]


def tags(pair, trader_id):
    return [
        one.tag
        for one in rows(pair, AuditEvent, trader_id=trader_id)
        if one.tag.startswith(("verification:", "consent:"))
    ]


def test_with_consent_the_asker_sees_the_status_live_and_nothing_else(pair, work_as):
    key = pair.ask()
    assert pair.shown(key) is None
    [consent] = pair.consents()
    assert (consent.asker_name, consent.state) == ("Asker Imports", "asked")
    pair.act("holder", service.give, consent)
    found = pair.verification(key)
    assert (found.state, found.holder_name) == ("shown", "Holder Imports")
    assert pair.shown(key).active is True
    suspend_urgently(work_as, pair.holder_id)
    assert pair.shown(key).active is False
    assert [one.subject for one in letters(pair, "holder")] == [
        "A company asks whether you are a partner: Asker Imports"
    ]
    assert [one.subject for one in letters(pair, "asker")] == [
        "A company shows you whether it is a partner: Holder Imports"
    ]
    assert tags(pair, pair.asker_id) == ["verification:asked", "verification:shown"]
    assert tags(pair, pair.holder_id) == ["consent:asked", "consent:given"]


def test_the_asker_is_told_of_each_change_once_and_never_how(pair, work_as):
    key = pair.agreed()
    pair.later(minutes=1)
    assert len(letters(pair, "asker")) == 1
    suspend_urgently(work_as, pair.holder_id)
    pair.later(minutes=1)
    pair.later(minutes=1)
    told = letters(pair, "asker")[1:]
    assert [one.subject for one in told] == ["The status of a company has changed: Holder Imports"]
    for word in ("suspend", "not an active", "contraband"):
        assert word not in told[0].body.lower()
    assert pair.verification(key).told_active is False
    assert tags(pair, pair.asker_id)[-1] == "verification:changed"


def test_a_change_that_comes_with_its_date_is_seen_at_once_and_told(pair, work_as, clock):
    key = pair.agreed()
    tomorrow = clock.now() + timedelta(days=1)
    decide(work_as, pair.holder_id, "remove", effective_from=tomorrow)
    pair.later(hours=23)
    assert pair.shown(key).active is True
    assert len(letters(pair, "asker")) == 1
    clock.advance(timedelta(hours=1))
    assert pair.shown(key).active is False
    pair.later(minutes=1)
    assert len(letters(pair, "asker")) == 2


@pytest.mark.parametrize("fate", ["declined", "unread", "nobody", "shared"])
def test_a_refusal_a_silence_and_nobody_are_one_to_the_asker(pair, work_as, fate):
    number = NUMBER if fate in {"declined", "unread", "shared"} else NOBODYS
    if fate == "shared":
        taken_on(work_as, f"ior:{NUMBER}")
    key = pair.ask(number)
    if fate == "declined":
        [consent] = pair.consents()
        pair.act("holder", service.decline, consent)
    seen = []
    for days in (1, 28, 1):
        pair.later(days=days)
        one = pair.verification(key)
        seen.append((one.state, one.holder_name, one.told_active, one.shown_at, pair.shown(key)))
    assert seen == [("waiting", None, None, None, None)] * 2 + [("lapsed", None, None, None, None)]
    assert tags(pair, pair.asker_id) == ["verification:asked", "verification:lapsed"]
    [letter] = letters(pair, "asker")
    assert letter.subject == f"A question was not answered: {number}"
    assert letter.body.replace(number, "N").replace(str(key), "K") == EXPECTED.format(
        asker=pair.asker_id
    )


EXPECTED = """Hello Ada Asker,

Nothing is shown to you for this number: nobody has consented within thirty days, or nobody here goes by it. Fairway does not tell which.

Your company: Asker Imports
The other: N

If you know the company, ask it which number it goes by.

http://localhost:8000/traders/{asker}/verifications/K
"""


def test_whoever_said_no_is_not_asked_again_by_the_same_for_half_a_year(pair):
    pair.ask()
    [consent] = pair.consents()
    pair.act("holder", service.decline, consent)
    pair.later(days=31)
    again = pair.ask()
    assert len(pair.consents()) == 1
    assert pair.verification(again).state == "waiting"
    pair.later(days=(MUTED - WAITS).days)
    pair.ask()
    assert len(pair.consents()) == 2


def test_one_question_at_a_time_reaches_the_holder(pair):
    for _ in range(3):
        pair.ask()
    assert len(pair.consents()) == 1
    assert len(letters(pair, "holder")) == 1


def test_either_side_ends_it_at_once(pair):
    key = pair.agreed()
    [consent] = pair.consents()
    with pair.work_as(pair.actor("holder")) as work:
        service.end(work, work.session.get_one(Consent, consent.id))
    # Before any job has run.
    assert pair.shown(key) is None
    pair.run_jobs()
    assert pair.verification(key).state == "ended"
    assert letters(pair, "asker")[-1].subject.startswith("A company no longer shows you")

    key = pair.ask()
    consent = pair.consents()[0]
    pair.act("holder", service.give, consent)
    assert pair.shown(key).active is True
    with pair.work_as(pair.actor("asker")) as work:
        service.withdraw(work, work.session.get_one(Verification, key))
    assert pair.shown(key) is None
    pair.run_jobs()
    assert pair.consents()[0].state == "closed"
    assert letters(pair, "holder")[-1].subject.startswith("A company no longer asks")
    assert tags(pair, pair.holder_id)[-1] == "consent:closed"


def test_what_was_taken_back_cannot_be_consented_to(pair):
    key = pair.ask()
    [consent] = pair.consents()
    pair.act("asker", service.withdraw, pair.verification(key))
    with pytest.raises(ConflictError):
        pair.act("holder", service.give, consent)
    pair.ask()
    pair.clock.advance(WAITS)
    with pytest.raises(ConflictError):
        pair.act("holder", service.give, pair.consents()[0])


def test_a_number_that_changed_hands_shows_nothing_good(pair, work_as):
    key = pair.agreed()
    [own] = rows(pair, TraderIdentifier, lookup_key=NUMBER)
    pair.act("holder", withdraw_identifier, own)
    assert pair.shown(key).active is False
    other = taken_on(work_as, f"ior:{NUMBER}")
    decide(work_as, other, "certify", tier=1)
    assert pair.shown(key).active is False


def test_both_sides_acting_in_one_instant_come_out_alike(pair):
    """The consent is given, the question lapses before the job has told of it."""
    key = pair.ask()
    [consent] = pair.consents()
    pair.clock.advance(WAITS - timedelta(seconds=1))
    with pair.work_as(pair.actor("holder")) as work:
        service.give(work, work.session.get_one(Consent, consent.id))
    pair.later(seconds=2)
    assert pair.verification(key).state == "shown"


@pytest.mark.parametrize(
    ("number", "field"), [("nonsense", "number"), ("123-45-6789", "number"), ("", "number")]
)
def test_what_cannot_be_asked_is_told_by_its_form_alone(pair, number, field):
    with pytest.raises(NotReadyError) as refused:
        pair.ask(number)
    assert {one.field for one in refused.value.problems} == {field}
    assert "123-45-6789" not in str(refused.value.problems)


def test_only_an_active_partner_asks_and_twenty_questions_wait_at_most(pair, work_as):
    for n in range(20):
        pair.ask(f"55-5555555{n:02}")
    with pytest.raises(NotReadyError, match="questions wait"):
        pair.ask()
    suspend_urgently(work_as, pair.asker_id)
    with pytest.raises(NotReadyError, match="active partner"):
        pair.ask()


def test_by_sql_neither_side_reads_or_makes_what_is_the_others(pair):
    key = pair.ask()
    [consent] = pair.consents()

    def tried(side, statement, **values):
        with pair.work_as(pair.actor(side)) as work:
            return work.session.execute(text(statement), values).rowcount

    assert tried("asker", "SELECT 1 FROM consent") == 0
    assert tried("holder", "SELECT 1 FROM verification") == 0
    assert tried("asker", "UPDATE consent SET state = 'given' WHERE id = :id", id=consent.id) == 0
    # The asker may write what it likes into its own row: without a consent it shows nothing.
    assert (
        tried(
            "asker",
            "UPDATE verification SET state = 'shown', shown_at = now(), holder_name = 'X' WHERE id = :id",
            id=key,
        )
        == 1
    )
    assert pair.shown(key) is None
    copied = (
        "INSERT INTO consent (id, trader_id, trader_name, verification_id, asker_id, asker_name,"
        " scheme, number, state, asked_at, lapses_at, decided_by) SELECT gen_random_uuid(), :holder,"
        " 'x', id, trader_id, 'x', scheme, number, 'given', now(), now(), asked_by FROM verification"
    )
    for statement in (copied, "DELETE FROM verification", "UPDATE verification SET number = 'x'"):
        with pytest.raises(DBAPIError):
            tried("asker", statement, holder=pair.holder_id)
