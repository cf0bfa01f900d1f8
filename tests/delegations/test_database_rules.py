"""What the database refuses to whoever runs SQL of their own on a person's connection."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.authz.actor import DelegationScope, TraderRole, system_actor
from app.delegations import service
from app.delegations.models import Delegation
from app.traders.models import Trader
from tests.factories.delegations import broker_actor, delegate, make_pair, offer
from tests.factories.identity import make_person
from tests.factories.traders import acting, actor_at, appoint_person

S = DelegationScope
SYSTEM = system_actor("test")
CHANGES = {
    "the scopes": "scopes = ARRAY['prepare', 'submit_filings', 'view_status']",
    "the last day": "valid_until = valid_until + interval '1 year'",
    "the first day": "valid_from = valid_from - interval '1 day'",
    "the client": "trader_id = broker_id, broker_id = trader_id",
    "the authority": "authority_revision_id = NULL",
    "who proposed": "proposed_side = 'broker'",
}
COPY = (
    "INSERT INTO delegation SELECT gen_random_uuid(), trader_id, trader_name, broker_id,"
    " broker_name, {state}, scopes, valid_from, valid_until, authority_revision_id, {side},"
    " proposed_at, {by}, {accepted}, ended_at, ended_by, ended_side FROM delegation"
)


@pytest.fixture
def pair(work_as):
    with work_as(SYSTEM) as work:
        return make_pair(work)


@pytest.fixture
def as_person(work_as, pair):
    """A transaction of the client's officer or of the broker's, as a request of theirs has it."""

    def begin(who):
        with work_as(SYSTEM) as work:
            actor = (
                actor_at(work.session, pair.officer)
                if who == "client"
                else broker_actor(work, pair.broker_officer)
            )
        return work_as(actor)

    return begin


def run(as_person, who, statement, **values):
    with as_person(who) as work:
        return work.session.execute(text(statement), values).rowcount


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("who", ["client", "broker"])
def test_what_was_agreed_is_never_changed(work_as, pair, as_person, who, what):
    with work_as(SYSTEM) as work:
        delegate(work, pair, {S.STATUS})
    with pytest.raises(DBAPIError, match="what was agreed is not changed"):
        run(as_person, who, f"UPDATE delegation SET {CHANGES[what]}")  # noqa: S608


@pytest.mark.parametrize("who", ["client", "broker"])
def test_one_side_cannot_consent_for_the_other(work_as, pair, as_person, who):
    """The client has offered: it cannot accept, and the broker not in another's name."""
    with work_as(SYSTEM) as work:
        offer(work, pair, {S.STATUS})
    other = pair.broker_officer.id if who == "client" else pair.officer.id
    with pytest.raises(DBAPIError, match="the other side consents"):
        run(
            as_person,
            who,
            "UPDATE delegation SET state = 'active', accepted_at = now(), accepted_by = :by",
            by=other,
        )
    if who == "broker":
        consent = "UPDATE delegation SET state = 'active', accepted_at = now(), accepted_by = :by"
        assert run(as_person, who, consent, by=pair.broker_officer.id) == 1


def test_a_colleague_of_who_proposed_cannot_consent_either(work_as, pair):
    """Consent is the other side's, not just another person's."""
    with work_as(SYSTEM) as work:
        offer(work, pair, {S.STATUS})
        colleague = make_person(work)
        trader = work.session.get_one(Trader, pair.trader_id)
        appoint_person(work, trader, pair.officer, colleague, TraderRole.OFFICER)
        actor = actor_at(work.session, colleague)
    consent = text("UPDATE delegation SET state = 'active', accepted_at = now(), accepted_by = :by")
    with pytest.raises(DBAPIError, match="the other side consents"), work_as(actor) as work:
        work.session.execute(consent, {"by": colleague.id})


def test_what_has_ended_stays_so(work_as, pair, as_person):
    with work_as(SYSTEM) as work:
        delegate(work, pair, {S.STATUS})
    assert run(as_person, "client", "UPDATE delegation SET state = 'revoked'") == 1
    for state in ("active", "proposed"):
        with pytest.raises(DBAPIError, match="has ended stays so"):
            run(as_person, "broker", f"UPDATE delegation SET state = '{state}'")  # noqa: S608


@pytest.mark.parametrize(
    ("state", "side", "by", "accepted"),
    [
        ("'active'", "'broker'", "accepted_by", "accepted_at, proposed_by"),
        ("'proposed'", "'broker'", "accepted_by", "accepted_at, proposed_by"),
        ("'proposed'", "'trader'", "accepted_by", "NULL, NULL"),
        ("'proposed'", "'broker'", "proposed_by", "NULL, NULL"),
    ],
)
def test_nothing_is_proposed_but_by_oneself_for_ones_own_side(
    work_as, pair, as_person, state, side, by, accepted
):
    with work_as(SYSTEM) as work:
        service.revoke(
            acting(work, pair.officer),
            delegate(work, pair, {S.STATUS}),
            by=work.session.get_one(Trader, pair.trader_id),
        )
    wrong = COPY.format(state=state, side=side, by=by, accepted=accepted)
    with pytest.raises(ProgrammingError, match="row-level security"):
        run(as_person, "broker", wrong)
    right = COPY.format(
        state="'proposed'", side="'broker'", by="accepted_by", accepted="NULL, NULL"
    )
    assert run(as_person, "broker", right) == 1


def test_an_event_about_a_delegation_is_written_by_its_own_broker_alone(work_as, pair, as_person):
    """While it is only asked for, the client is out of the broker's reach, and so are its events."""
    with work_as(SYSTEM) as work:
        found = offer(work, pair, {S.STATUS})
        other = make_pair(work, number="91-114444201", name="Narrows")
        theirs = offer(work, other, {S.STATUS})
        ids = found.id, theirs.id
    event = (
        "INSERT INTO audit_event (id, at, tag, actor_kind, actor_name, trader_id,"
        " acting_trader_id, subject_kind, subject_id, request_id, data)"
        " SELECT gen_random_uuid(), now(), 'delegation:declined', 'person', 'Somebody', :trader,"
        " :broker, 'delegation', :subject, '', '{}'"
    )
    own = {"trader": pair.trader_id, "broker": pair.broker_id, "subject": ids[0]}
    assert run(as_person, "broker", event, **own) == 1
    for wrong in (
        {"subject": ids[1]},
        {"trader": other.trader_id},
        {"broker": other.broker_id},
        {"trader": other.trader_id, "subject": ids[1]},
        {"trader": other.trader_id, "subject": ids[1], "broker": other.broker_id},
    ):
        with pytest.raises(ProgrammingError, match="row-level security"):
            run(as_person, "broker", event, **{**own, **wrong})
    with work_as(SYSTEM) as work:
        assert work.session.get(Delegation, ids[0]) is not None
