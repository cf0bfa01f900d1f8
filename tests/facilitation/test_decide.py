"""Decisions on the real database: all or none, once each, and run again later."""

import json
import threading

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import Actor, ActorKind, system_actor
from app.facilitation import queries, service
from app.facilitation.chance import Chance
from app.facilitation.models import Decision, PolicyVersion
from app.facilitation.policy import current
from app.facilitation.transactions import Transaction
from app.identity.service import create_client
from app.kernel.errors import DomainError, NotAllowedError, NotFoundError
from tests.facilitation.scenes import IMPORTER, transaction
from tests.factories.register import decide as determine
from tests.factories.register import make_partner, make_trader, suspend_urgently

SCOPES = ("decisions:write", "decisions:read")
PERSONAL = "219-09-9998"


@pytest.fixture
def chance(settings, app):
    """A chance that draws nobody, so that each outcome is known; the draw has its own tests."""

    class Nobody(Chance):
        def draw(self, client_id, transaction):
            return max(super().draw(client_id, transaction), 500_000)

    return Nobody(settings.secret_key)


@pytest.fixture
def program(work_as, app):
    with work_as(system_actor("test")) as work:
        client, _ = create_client(work, name="Release system", scopes=SCOPES)
        return Actor(
            ActorKind.CLIENT, client_id=client.id, name=client.name, scopes=frozenset(SCOPES)
        )


@pytest.fixture
def ask(work_as, program, chance):
    def asking(*transactions, by=None):
        with work_as(by or program) as work:
            return service.decide(
                work, [Transaction.model_validate(one) for one in transactions], chance=chance
            )

    return asking


def count(work_as, model):
    with work_as(system_actor("test")) as work:
        return work.session.scalar(select(func.count()).select_from(model))


def events(work_as):
    with work_as(system_actor("test")) as work:
        return work.session.scalars(
            select(AuditEvent).where(AuditEvent.tag == EventTag.DECISIONS_GIVEN)
        ).all()


def test_a_partner_is_facilitated_and_a_suspended_one_is_not(work_as, ask):
    trader_id = make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    [before] = ask(transaction(1))
    assert before.output["exam"] == {"mode": "none", "random_sample": False}
    assert before.output["queue"] == "front"
    assert before.output["place"] == "premises"
    assert "expedited-release" in before.output["benefits"]
    suspend_urgently(work_as, trader_id)
    [after] = ask(transaction(2))
    assert after.output["exam"]["mode"] == "nii"
    assert after.output["benefits"] == []
    assert after.seq > before.seq
    assert after.trace["row"] == "importer-not-active"


def test_a_restricted_benefit_is_gone_from_the_next_decision(work_as, ask):
    trader_id = make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    determine(work_as, trader_id, "restrict", restrictions=("front-of-line",))
    [found] = ask(transaction())
    assert found.output["queue"] == "standard"
    assert "front-of-line" not in found.output["benefits"]
    assert found.output["exam"]["mode"] == "none"


@pytest.mark.parametrize(
    ("parties", "row"),
    [
        ([], "importer-missing"),
        ([("importer", "ior", "12-3456789")], "importer-doubtful"),
        ([("importer", "ior", "98-765432100")], "importer-not-a-partner"),
        ([("importer", "ior", IMPORTER), ("importer", "ior", "98-765432100")], "importer-doubtful"),
        ([("importer", "ior", IMPORTER), ("broker", "filer", "?!")], "broker-doubtful"),
        ([("broker", "ior", IMPORTER)], "importer-missing"),
    ],
)
def test_doubt_earns_nothing(work_as, ask, parties, row):
    make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    named = [{"role": r, "scheme": s, "value": v} for r, s, v in parties]
    [found] = ask(transaction(parties=named))
    assert found.trace["row"] == row
    assert found.output["exam"]["mode"] != "none"


def test_an_identifier_that_is_only_claimed_earns_nothing(work_as, ask):
    make_trader(work_as)
    [found] = ask(transaction())
    assert found.trace["row"] == "importer-not-a-partner"
    assert found.seq == 0


def test_the_same_transaction_again_is_the_same_decision(work_as, ask):
    trader_id = make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    [first] = ask(transaction(1))
    suspend_urgently(work_as, trader_id)
    line = transaction()["lines"][0]
    again = transaction(
        1, arrival_at="2026-11-26T10:00:00+02:00", lines=[{**line, "value_usd": "125000"}]
    )
    [second] = ask(again)
    assert second.id == first.id
    assert second.output == first.output
    assert count(work_as, Decision) == 1
    assert len(events(work_as)) == 1


def test_one_call_is_one_event(work_as, ask):
    found = ask(*(transaction(n) for n in range(5)), transaction(0))
    assert len({one.id for one in found}) == 5
    assert found[0].id == found[5].id
    ask(transaction(0), transaction(7))
    first, second = sorted(events(work_as), key=lambda one: one.data["given"], reverse=True)
    assert (first.data["given"], first.data["asked"]) == (5, 6)
    assert (second.data["given"], second.data["asked"]) == (1, 2)
    assert first.subject_kind == "decision"


def test_other_content_under_one_id_stops_the_whole_call(work_as, ask):
    ask(transaction(3))
    with pytest.raises(service.OtherContentError) as refused:
        ask(transaction(1), transaction(2), transaction(3, port="1001"))
    assert refused.value.index == 2
    with pytest.raises(service.OtherContentError) as refused:
        ask(transaction(8), transaction(8, risk_score=121))
    assert refused.value.index == 1
    assert count(work_as, Decision) == 1


def test_another_programs_ids_are_its_own(work_as, ask):
    [mine] = ask(transaction(1))
    with work_as(system_actor("test")) as work:
        client, _ = create_client(work, name="Other system", scopes=SCOPES)
    other = Actor(ActorKind.CLIENT, client_id=client.id, scopes=frozenset(SCOPES))
    [theirs] = ask(transaction(1, port="1001"), by=other)
    assert theirs.id != mine.id


def test_eight_at_once_make_one_row(work_as, ask):
    start = threading.Barrier(8)
    found, failed = [], []

    def post(turn):
        start.wait()
        numbers = range(20) if turn % 2 else reversed(range(20))
        try:
            found.append({one.transaction_id: one.id for one in ask(*map(transaction, numbers))})
        except Exception as error:  # noqa: BLE001 - shown by the assertion below.
            failed.append(error)

    threads = [threading.Thread(target=post, args=(turn,)) for turn in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert len(found) == 8
    assert all(one == found[0] for one in found)
    assert count(work_as, Decision) == 20


def test_statements_do_not_grow_with_the_call(work_as, ask, engine):
    def statements(transactions):
        seen = []

        def note(*details):
            seen.append(details[2])

        event.listen(engine, "before_cursor_execute", note)
        ask(*transactions)
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    def parties(number):
        return [
            {"role": "importer", "scheme": "ior", "value": f"12-{number:07}00"},
            {"role": "broker", "scheme": "filer", "value": f"A{number:02}"},
        ]

    ask(transaction(99))
    one = statements([transaction(1, parties=parties(1))])
    many = statements([transaction(n, parties=parties(n)) for n in range(10, 60)])
    assert one == many


def test_a_thousand_and_not_one_more(ask):
    assert len(ask(*map(transaction, range(1_000)))) == 1_000
    with pytest.raises(DomainError):
        ask(*map(transaction, range(1_001)))
    with pytest.raises(DomainError):
        ask()


def test_only_programs_ask(ask):
    with pytest.raises(NotAllowedError):
        ask(transaction(), by=system_actor("test"))


def test_a_persons_number_is_kept_nowhere(work_as, ask, super_engine):
    make_partner(work_as, f"ior:{PERSONAL}", tier=3)
    [found] = ask(
        transaction(
            parties=[
                {"role": "importer", "scheme": "ior", "value": PERSONAL},
                {"role": "consignee", "scheme": "ior", "value": PERSONAL.replace("-", "")},
                {"role": "consignee", "scheme": "ein", "value": PERSONAL},
            ]
        )
    )
    assert found.output["exam"]["mode"] == "none"
    with super_engine.connect() as connection:
        kept = " ".join(
            row
            for table in ("decision", "audit_event")
            for row in connection.scalars(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
        )
    assert PERSONAL not in kept
    assert PERSONAL.replace("-", "") not in kept
    assert "***-**-9998" in kept


def test_a_decision_is_run_again_to_the_same_end(work_as, ask, program, chance):
    trader_id = make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    made = ask(transaction(1), transaction(2, holds=["pga"]), transaction(3, parties=[]))
    suspend_urgently(work_as, trader_id)
    with work_as(program) as work:
        for one in made:
            replayed = service.replay(work, queries.visible_decision(work, one.id), chance=chance)
            assert replayed.equal, replayed.explanation
            assert replayed.output == one.output


def test_a_difference_is_explained(work_as, ask, program, chance, super_engine):
    make_partner(work_as, f"ior:{IMPORTER}", tier=3)
    [made] = ask(transaction(1))

    def again(using=chance):
        with work_as(program) as work:
            decision = work.session.get_one(Decision, made.id)
            return service.replay(work, decision, chance=using)

    class Everybody(Chance):
        def draw(self, client_id, transaction):
            return min(super().draw(client_id, transaction), 0)

    drawn = again(Everybody("another secret"))
    assert not drawn.equal
    assert "The secret behind the random sample was changed since." in drawn.explanation

    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE decision SET output = jsonb_set(output, '{queue}', '\"standard\"')")
        )
    assert again().explanation == ("“queue” comes out differently now.",)

    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE policy_version SET words_text = words_text || ' '"))
    assert "The policy of that version is not stored as it was." in again().explanation


def test_the_policy_is_kept_with_its_first_decision(work_as, ask):
    ask(transaction(1))
    ask(transaction(2))
    with work_as(system_actor("test")) as work:
        [kept] = work.session.scalars(select(PolicyVersion)).all()
    assert kept.sha256 == current().sha256
    assert json.loads(kept.table_text) == json.loads(current().table_text)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM decision",
        "UPDATE decision SET seq = 1",
        "DELETE FROM policy_version",
        "UPDATE policy_version SET version = 'x'",
    ],
)
def test_what_was_decided_stays(work_as, ask, change):
    ask(transaction())
    with pytest.raises(DBAPIError), work_as(system_actor("test")) as work:
        work.session.execute(text(change))


def test_who_may_read_a_decision(work_as, ask, program):
    [made] = ask(transaction())
    reader = Actor(ActorKind.CLIENT, client_id=made.id, scopes=frozenset({"decisions:read"}))
    with work_as(reader) as work:
        assert queries.visible_decision(work, made.id).id == made.id
    foreign = Actor(
        ActorKind.CLIENT,
        client_id=made.id,
        trader_id=made.id,
        scopes=frozenset({"decisions:read"}),
    )
    for actor in (foreign, system_actor("test")):
        with pytest.raises(NotFoundError), work_as(actor) as work:
            queries.visible_decision(work, made.id)
