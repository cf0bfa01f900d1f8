"""When a filing was due, and that a doubt is never taken for "on time"."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.advance_data.timing import (
    BREAK_BULK,
    CONTAINER,
    FLEXIBLE,
    IN_TRANSIT,
    SHORT_VOYAGE,
    Moment,
    Timeliness,
    Told,
    Version,
    Voyage,
    at,
    chain_of,
    due_of,
    judged,
    next_change,
    on_day,
    owing,
    term_of,
    times_of,
)

NOON = datetime(2026, 6, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATE, ON_TIME, UNKNOWN = Timeliness.LATE, Timeliness.ON_TIME, Timeliness.UNKNOWN
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.timedeltas(timedelta(0), timedelta(days=3))


def version(number, action, filed_at, **more):
    return Version(number, action, filed_at, **more)


@pytest.mark.parametrize(
    ("filed", "verdict"),
    [
        (NOON - DAY, ON_TIME),
        (NOON - DAY + timedelta(seconds=1), LATE),
        (NOON - 23 * HOUR, LATE),
        (NOON + DAY, LATE),
        (NOON - 9 * DAY, ON_TIME),
    ],
)
def test_of_an_exact_departure_the_24_hours_decide(filed, verdict):
    times = times_of([version(1, "A", filed)], Told(departs_at=NOON), NOON)
    assert (times.first, times.term) == (verdict, CONTAINER)


@pytest.mark.parametrize(
    ("filed", "verdict"),
    [
        # 20 June begins on the 19th at 10:00 UTC in Kiribati and ends on the 21st at 12:00 UTC.
        (datetime(2026, 6, 18, 10, tzinfo=UTC), ON_TIME),
        (datetime(2026, 6, 18, 10, 1, tzinfo=UTC), UNKNOWN),
        (datetime(2026, 6, 20, 12, tzinfo=UTC), UNKNOWN),
        (datetime(2026, 6, 20, 12, 1, tzinfo=UTC), LATE),
    ],
)
def test_of_a_day_alone_only_what_holds_for_all_of_it_is_said(filed, verdict):
    times = times_of([version(1, "A", filed, etd=date(2026, 6, 20))], Told(), NOON)
    assert times.first is verdict


def test_without_a_date_nothing_is_said():
    times = times_of([version(1, "A", NOON - 90 * DAY)], Told(), NOON)
    assert (times.first, times.first_due) == (UNKNOWN, None)


@given(instants, instants, spans)
def test_what_is_less_exact_never_turns_late_or_unknown_into_on_time(filed, earliest, span):
    exact = [
        judged(filed, due_of(CONTAINER, voyage(at(one)))) for one in (earliest, earliest + span)
    ]
    vague = judged(filed, due_of(CONTAINER, voyage(Moment(earliest, earliest + span))))
    assert vague in {*exact, UNKNOWN}
    assert (vague is ON_TIME) <= all(one is ON_TIME for one in exact)
    assert (vague is LATE) <= all(one is LATE for one in exact)


@given(instants, spans, instants)
def test_filing_later_is_never_better(filed, later, departs):
    order = [ON_TIME, UNKNOWN, LATE]
    due = due_of(CONTAINER, voyage(on_day(departs.date())))
    assert order.index(judged(filed, due)) <= order.index(judged(filed + later, due))


def voyage(departure=None, arrival=None):
    return Voyage(departure, arrival)


def test_the_terms_by_kind_of_goods():
    assert term_of(version(1, "A", NOON)) is CONTAINER
    assert term_of(version(1, "A", NOON, mode="10")) is BREAK_BULK
    assert term_of(version(1, "A", NOON, mode="11")) is CONTAINER
    assert term_of(version(1, "A", NOON, submission_type="2")) is IN_TRANSIT
    goods_on_board = [version(1, "A", NOON, submission_type="2")]
    assert times_of(goods_on_board, Told(departs_at=NOON), NOON).first is ON_TIME
    break_bulk = [version(1, "A", NOON, mode="10")]
    assert times_of(break_bulk, Told(departs_at=NOON - DAY), NOON).first is UNKNOWN
    assert times_of(break_bulk, Told(arrives_at=NOON + DAY), NOON).first is ON_TIME


@pytest.mark.parametrize("reason", ["FR", "FT", "FX"])
def test_what_is_left_open_is_owed_until_it_is_filed(reason):
    opened = version(1, "A", NOON, reason=reason)
    told = Told(NOON + 2 * DAY, NOON + 10 * DAY)
    early = times_of([opened], told, NOON + DAY)
    assert (early.owes, early.rest, early.rest_term) == (True, Timeliness.OPEN, FLEXIBLE)
    assert early.rest_due.latest == NOON + 9 * DAY
    assert next_change([early], NOON) == NOON + 9 * DAY
    overdue = times_of([opened], told, NOON + 9 * DAY + HOUR)
    assert overdue.rest is Timeliness.OVERDUE
    done = version(2, "R", NOON + 8 * DAY, reason="CT")
    in_time = times_of([opened, done], told, NOON + 30 * DAY)
    assert (in_time.owes, in_time.rest, in_time.settled_at) == (False, ON_TIME, done.filed_at)
    late = times_of([opened, version(2, "R", NOON + 9 * DAY + HOUR, reason="CT")], told, NOON)
    assert late.rest is LATE


def test_a_second_flexible_filing_owes_still_and_a_later_amendment_is_no_delay():
    opened = version(1, "A", NOON, reason="FX")
    again = version(2, "R", NOON + DAY, reason="FT")
    told = Told(arrives_at=NOON + 10 * DAY)
    assert times_of([opened, again], told, NOON).owed == "FT"
    done = version(3, "R", NOON + 3 * DAY, reason="CT")
    amended = version(4, "R", NOON + 20 * DAY, reason="CT")
    assert times_of([opened, again, done, amended], told, NOON).settled_at == done.filed_at


def test_without_an_arrival_it_is_owed_and_nobody_says_in_time():
    times = times_of([version(1, "A", NOON, reason="FT")], Told(departs_at=NOON + DAY), NOON)
    assert (times.owes, times.rest, times.rest_due) == (True, UNKNOWN, None)
    settled = version(2, "R", NOON + HOUR, reason="CT")
    done = times_of([version(1, "A", NOON, reason="FT"), settled], Told(), NOON)
    assert (done.owes, done.rest) == (False, UNKNOWN)


def test_what_was_withdrawn_owes_nothing():
    chain = [version(1, "A", NOON, reason="FX"), version(2, "D", NOON + DAY)]
    assert not times_of(chain, Told(arrives_at=NOON + 3 * DAY), NOON + 9 * DAY).owed


def test_a_voyage_of_less_than_a_day_is_due_upon_lading():
    opened = [version(1, "A", NOON - 3 * DAY, reason="FT")]
    told = Told(NOON, NOON + 20 * HOUR)
    times = times_of(opened, told, NOON - HOUR)
    assert (times.rest, times.rest_term) == (Timeliness.OPEN, SHORT_VOYAGE)
    assert times.rest_due.latest == NOON


def test_an_amendment_that_names_another_day_is_judged_by_it():
    first = version(1, "A", NOON, etd=date(2026, 6, 30))
    moved = version(2, "R", NOON + DAY, etd=date(2026, 6, 21))
    assert times_of([first], Told(), NOON).first is ON_TIME
    # Its first acceptance counts, against the day that is known now.
    assert times_of([first, moved], Told(), NOON).first is UNKNOWN
    assert times_of([first, moved], Told(departs_at=NOON + 30 * DAY), NOON).first is ON_TIME


def test_a_reference_begins_anew_after_its_deletion():
    one, gone, again = (
        version(1, "A", NOON),
        version(2, "D", NOON + DAY),
        version(3, "A", NOON + 2 * DAY),
    )
    assert chain_of([one, gone, again], 1) == [one, gone]
    assert chain_of([one, gone, again], 2) == [one, gone]
    assert chain_of([one, gone, again], 3) == [again]


@given(instants, instants)
def test_what_is_not_done_is_never_on_time(arrives, now):
    due = due_of(FLEXIBLE, voyage(arrival=at(arrives)))
    assert owing(due, now) in {Timeliness.OPEN, Timeliness.OVERDUE}
    assert owing(None, now) is UNKNOWN
