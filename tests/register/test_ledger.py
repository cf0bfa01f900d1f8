"""The ledger against a model in memory, its guards in SQL, and many writers at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from app.authz.actor import system_actor
from app.db.session import Principal, transaction
from app.kernel.errors import NotReadyError
from app.register import queries, service
from app.register.ledger import ChangeKind, Grounds, lay, next_change
from app.register.models import RegisterChange, RegisterEntry, RegisterSequencer
from app.register.programme import Status
from app.register.rules import Outcome
from app.register.service import TakeOn
from tests.conftest import NOON
from tests.factories.register import SECURITY, decide, make_partner, make_trader, propose

SYSTEM = system_actor("test")
DAY = timedelta(days=1)
START = NOON - 1000 * DAY


def take_on(work, trader_id, *, valid_from=START, valid_until=None, status=Status.CERTIFIED):
    return service.import_entry(
        work,
        trader_id,
        TakeOn(
            programme=SECURITY,
            status=status,
            tier=1 if status is Status.CERTIFIED else None,
            valid_from=valid_from,
            valid_until=valid_until,
            reason="Partner since 2024 in the system before this one.",
            file_sha256="0" * 64,
            os_account="operator",
        ),
    )


@dataclass(frozen=True)
class Layer:
    """What one change said, in the model: the last layer known that covers an instant counts."""

    at: datetime
    span: Range[datetime]
    outcome: tuple[Status, int | None, tuple[str, ...]]


def believed(layers, valid_at, known_at):
    found = [one for one in layers if one.at <= known_at and one.span.contains(valid_at)]
    return found[-1].outcome if found else None


standings = st.sampled_from(
    [
        (Status.CERTIFIED, 1, ()),
        (Status.VALIDATED, 2, ()),
        (Status.VALIDATED, 3, ("front-of-line",)),
        (Status.SUSPENDED, 2, ()),
        (Status.REMOVED, None, ()),
    ]
)
# Offsets in hours reach into the past (corrections) and the future; None is "until further
# notice". The gap is the time that passes before the change, often none at all.
layers = st.tuples(
    st.integers(-400, 400), st.none() | st.integers(1, 300), standings, st.integers(0, 30)
)
SAMPLES = 400
AS_OF = text(
    "SELECT e.status, e.tier, e.restrictions FROM unnest(CAST(:valid AS timestamptz[]),"
    " CAST(:known AS timestamptz[])) WITH ORDINALITY AS s(valid_at, known_at, number)"
    " LEFT JOIN register_entry e ON e.trader_id = :trader"
    " AND e.valid @> s.valid_at AND e.recorded @> s.known_at ORDER BY s.number"
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    database=None,
)
@given(st.lists(layers, min_size=1, max_size=14), st.integers(0, 2**32))
def test_any_past_answer_is_reproduced(engine, work_as, clock, drawn, seed):
    """25 histories times 400 pairs of (valid_at, known_at): the SQL equals the model for each."""
    hour = timedelta(hours=1)
    with transaction(engine, Principal("system:test")) as session:
        # Each history begins after whatever the one before has recorded.
        clock.at = queries.head(session, now=NOON).at + hour
    trader_id = make_trader(work_as)
    model: list[Layer] = []
    with work_as(SYSTEM) as work:
        first = take_on(work, trader_id, valid_from=clock.at - 2000 * hour)
        began = queries.head(work.session, now=NOON).at
        span = Range(first.effective_from, None)
        model.append(Layer(began, span, (Status.CERTIFIED, 1, ())))
    for offset, length, (status, tier, restrictions), gap in drawn:
        clock.at += gap * hour
        from_ = clock.at + offset * hour
        span = Range(from_, None if length is None else from_ + length * hour)
        with work_as(SYSTEM) as work:
            change = next_change(work.session, trader_id, ChangeKind.STANDING, work.now)
            lay(
                work.session,
                change,
                programme=SECURITY,
                span=span,
                outcome=Outcome(status, tier, restrictions),
                grounds=Grounds("clerical-error", "A correction.", first.id),
                new_id=work.new_id,
            )
        model.append(Layer(change.at, span, (status, tier, restrictions)))
    borders = [
        at for one in model for at in (one.at, one.span.lower, one.span.upper) if at is not None
    ]
    random = Random(seed)  # noqa: S311 - hypothesis gives the seed and prints it on failure.
    nudges = [timedelta(0), timedelta(microseconds=1), -timedelta(microseconds=1)]
    samples = []
    for _ in range(SAMPLES):
        valid_at, known_at = (random.choice(borders) + random.choice(nudges) for _ in "vk")
        if random.random() < 0.5:
            valid_at = began + random.randint(-2100, 900) * hour
        samples.append((valid_at, known_at))
    expected = [believed(model, *sample) for sample in samples]
    with transaction(engine, Principal("system:test"), read_only=True) as session:
        valid_ats, known_ats = zip(*samples, strict=True)
        rows = session.execute(
            AS_OF, {"trader": trader_id, "valid": list(valid_ats), "known": list(known_ats)}
        )
        seen = [
            row.status and (Status(row.status), row.tier, tuple(row.restrictions)) for row in rows
        ]
        assert seen == expected
        # The same through the query that pages use, for a part of the pairs.
        for (valid_at, known_at), outcome in zip(samples[:20], expected, strict=False):
            found = queries.standing_of(
                session, trader_id, SECURITY, valid_at=valid_at, known_at=known_at
            )
            assert (found and (found.status, found.tier, found.restrictions)) == outcome


def test_a_correction_adds_a_version_and_keeps_the_old_belief(work_as, clock):
    trader_id = make_partner(work_as, tier=2)
    clock.advance(10 * DAY)
    decide(
        work_as,
        trader_id,
        "correct",
        status=Status.CERTIFIED,
        tier=1,
        effective_from=NOON + 2 * DAY,
        effective_until=NOON + 4 * DAY,
    )
    with work_as(SYSTEM) as work:
        for days, now_tier in [(1, 2), (2, 1), (3, 1), (4, 2), (11, 2)]:
            at = NOON + days * DAY
            now = queries.standing_of(work.session, trader_id, SECURITY, valid_at=at)
            then = queries.standing_of(
                work.session, trader_id, SECURITY, valid_at=at, known_at=NOON + 9 * DAY
            )
            assert (now.tier, then.tier) == (now_tier, 2)
        history = queries.history_of(work.session, trader_id)
        assert [one.tier for one in history] == [2, 1, 2]
        assert len(queries.versions_of(work.session, trader_id)) == 5


GUARDED = [
    ("DELETE FROM register_entry", "permission denied"),
    ("DELETE FROM register_sequencer", "permission denied"),
    ("UPDATE register_change SET kind = 'identifier'", "permission denied"),
    ("UPDATE register_entry SET tier = 3", "only added to"),
    ("UPDATE register_entry SET valid = tstzrange(lower(valid), NULL)", "only added to"),
    ("UPDATE register_entry SET recorded = tstzrange(lower(recorded), '2030-01-01')", "only added"),
    ("UPDATE register_sequencer SET last = last + 2, at = at + interval '1 s'", "next step"),
    ("UPDATE register_sequencer SET last = last + 1", "next step"),
    ("UPDATE register_sequencer SET last = 0, at = at + interval '1 s'", "next step"),
    (
        "INSERT INTO register_change SELECT 9, trader_id, kind, at FROM register_change LIMIT 1",
        "not the sequencer",
    ),
    (
        (
            "INSERT INTO register_entry SELECT gen_random_uuid(), trader_id, programme, status, 3,"
            " restrictions, reason_code, reason_text, tstzrange('2001-01-01', '2002-01-01'), recorded,"
            " determination_id, 1 FROM register_entry"
        ),
        "newest change",
    ),
]


@pytest.mark.parametrize(("statement", "refusal"), GUARDED, ids=range(len(GUARDED)))
def test_sql_lets_the_ledger_only_grow(work_as, engine, statement, refusal):
    trader_id = make_partner(work_as)
    with work_as(SYSTEM) as work:
        service.note_identifier_change(work, trader_id)
    with (
        pytest.raises(Exception, match=refusal),
        transaction(engine, Principal("system:test")) as session,
    ):
        session.execute(text(statement))


def test_the_owner_of_the_table_does_not_rewrite_it_either(work_as, super_engine):
    make_partner(work_as)
    for statement in ("DELETE FROM register_entry", "TRUNCATE register_entry"):
        with (
            pytest.raises(IntegrityError),
            transaction(super_engine, Principal("system:test")) as session,
        ):
            session.execute(text(statement))


def test_sql_refuses_an_entry_on_one_signature(work_as):
    """The trigger looks when the transaction commits, so nothing in it can be undone in time."""
    trader_id = make_trader(work_as)
    with pytest.raises(IntegrityError, match="signatures of two people"):
        enter_unsigned(work_as, trader_id)
    with work_as(SYSTEM) as work:
        assert queries.history_of(work.session, trader_id) == []
        assert queries.head(work.session, now=NOON).seq == 0


def enter_unsigned(work_as, trader_id):
    determination_id = propose(work_as, trader_id, "certify", tier=1)
    with work_as(SYSTEM) as work:
        change = next_change(work.session, trader_id, ChangeKind.STANDING, work.now)
        lay(
            work.session,
            change,
            programme=SECURITY,
            span=Range(NOON, None),
            outcome=Outcome(Status.CERTIFIED, 1, ()),
            grounds=Grounds("criteria-met", "All well.", determination_id),
            new_id=work.new_id,
        )


def test_sql_refuses_two_standings_at_one_instant(work_as):
    trader_id = make_partner(work_as)
    with pytest.raises(IntegrityError, match="ex_register_entry_one_standing"):
        enter_twice(work_as, trader_id)


def enter_twice(work_as, trader_id):
    with work_as(SYSTEM) as work:
        change = next_change(work.session, trader_id, ChangeKind.STANDING, work.now)
        work.session.execute(
            text(
                "INSERT INTO register_entry SELECT gen_random_uuid(), trader_id, programme,"
                " status, 1, restrictions, reason_code, reason_text, valid,"
                " tstzrange(:at, NULL), determination_id, :seq FROM register_entry"
            ),
            {"at": change.at, "seq": change.seq},
        )


def test_eight_writers_leave_no_gap_and_a_cursor_misses_nothing(engine, work_as, clock):
    """8 writers times 50 changes, a cursor that reads along, one order for all."""
    traders = [make_trader(work_as) for _ in range(8)]
    begin, ended = threading.Barrier(9), threading.Event()

    def write(trader_id):
        begin.wait(10)
        for number in range(50):
            with work_as(SYSTEM) as work:
                if number % 2:
                    service.note_identifier_change(work, trader_id)
                else:
                    from_ = START + number * DAY
                    take_on(work, trader_id, valid_from=from_, valid_until=from_ + DAY)

    def follow():
        begin.wait(10)
        seen: list[int] = []
        while True:
            last_look = ended.is_set()
            with transaction(engine, Principal("system:test"), read_only=True) as session:
                found, head = queries.changes(
                    session, after=seen[-1] if seen else 0, limit=1000, now=NOON
                )
                seen += [one.seq for one in found]
                assert head.seq == (seen[-1] if seen else 0)
            if last_look:
                return seen

    with ThreadPoolExecutor(9) as pool:
        follower = pool.submit(follow)
        writers = [pool.submit(write, one) for one in traders]
        for one in writers:
            one.result()
        ended.set()
        seen = follower.result()
    assert seen == list(range(1, 401))
    with work_as(SYSTEM) as work:
        rows = work.session.execute(
            select(RegisterChange.seq, RegisterChange.at).order_by(RegisterChange.seq)
        ).all()
        times = [row.at for row in rows]
        assert times == sorted(set(times))
        assert work.session.scalars(select(RegisterSequencer.last)).one() == 400
        assert work.session.scalar(select(func.count()).select_from(RegisterEntry)) == 200


def test_a_take_on_never_overwrites(work_as):
    trader_id = make_trader(work_as)
    with work_as(SYSTEM) as work:
        take_on(work, trader_id, valid_until=START + 10 * DAY)
        take_on(work, trader_id, valid_from=START + 10 * DAY, status=Status.WITHDRAWN)
    with pytest.raises(NotReadyError), work_as(SYSTEM) as work:
        take_on(work, trader_id, valid_from=START + 9 * DAY)
