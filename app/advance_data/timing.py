"""When each part of a filing was due, and whether it came in time. Pure.

Elements 1 to 8 are due 24 hours before lading; CBP measures the departure of the ship instead of
the lading. Where the goods were stuffed and by whom (9 and 10), and what a flexible filing left
open, is due 24 hours before arrival. Source: 19 CFR 149.2(b) and (c); reference, advance data §1.

A moment that is known as a day alone is an interval, and so is what is due before it. Whatever the
interval leaves open is "unknown": never "on time".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

DAY: Final = timedelta(days=1)
# A day begins first at UTC+14 and ends last at UTC-12; the port's own zone is not known.
FIRST_ZONE: Final = timedelta(hours=14)
LAST_ZONE: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens, as far as it is known: not before `earliest`, not after `latest`."""

    earliest: datetime
    latest: datetime

    @property
    def exact(self) -> bool:
        return self.earliest == self.latest

    @property
    def day(self) -> date:
        """The calendar day that it is known as; of an exact moment, its day in UTC."""
        return (self.earliest + FIRST_ZONE).date() if not self.exact else self.earliest.date()


def on_day(day: date) -> Moment:
    """The whole of a calendar day, wherever on earth it is."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Moment(midnight - FIRST_ZONE, midnight + DAY + LAST_ZONE)


def at(instant: datetime) -> Moment:
    """A moment that is known exactly."""
    return Moment(instant, instant)


class Timeliness(StrEnum):
    """What is known about one duty. `OPEN` is due still; `OVERDUE` was due and is not done."""

    ON_TIME = "on_time"
    LATE = "late"
    UNKNOWN = "unknown"
    OPEN = "open"
    OVERDUE = "overdue"


class Event(StrEnum):
    """What a duty is due before."""

    DEPARTURE = "departure"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class Term:
    """How long before which event something is due, and which rule says so."""

    event: Event
    before: timedelta
    source: str


CONTAINER: Final = Term(Event.DEPARTURE, DAY, "19 CFR 149.2(b)(2)")
BREAK_BULK: Final = Term(Event.ARRIVAL, DAY, "19 CFR 149.2(b)(4)")
IN_TRANSIT: Final = Term(Event.DEPARTURE, timedelta(0), "19 CFR 149.2(b)(3)")
FLEXIBLE: Final = Term(Event.ARRIVAL, DAY, "19 CFR 149.2(b)(1)")
SHORT_VOYAGE: Final = Term(Event.DEPARTURE, timedelta(0), "19 CFR 149.2(b)(1)")

OWING: Final[Mapping[str, str]] = {
    "FR": "Exact manufacturer, ship-to party, country of origin and tariff number",
    "FT": "Container stuffing location and consolidator",
    "FX": "Both the exact elements and the stuffing location and consolidator",
}
"""What a flexible filing leaves open, by the reason of its action."""
LEAVES_PARTIES_OPEN: Final = frozenset({"FT", "FX"})
ISF_5: Final = "2"
BULK_MODE: Final = "10"


@dataclass(frozen=True, slots=True)
class Version:
    """One filing under a reference, as far as its time matters; oldest first in a chain.

    `etd` is the day of departure that it names, `reason` why a message acts (CT, FR, FT, FX),
    `lacks` how many elements it leaves open. `core` is the same for two filings that are about the
    same goods and parties.
    """

    number: int
    action: str
    filed_at: datetime
    reason: str = ""
    etd: date | None = None
    mode: str = ""
    submission_type: str = ""
    lacks: int = 0
    core: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The exact departure and arrival that somebody told later, if any."""

    departs_at: datetime | None = None
    arrives_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Voyage:
    """When the goods leave and arrive, as far as it is known."""

    departure: Moment | None
    arrival: Moment | None

    def moment(self, event: Event) -> Moment | None:
        return self.departure if event is Event.DEPARTURE else self.arrival


@dataclass(frozen=True, slots=True)
class Due:
    """The interval in which a duty's last moment lies."""

    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of one filing from its first acceptance on.

    `first` is the verdict on elements 1 to 8. `owed` is empty when nothing was left open, else the
    reason that left it open; then `rest` is the verdict on that, `rest_due` when it is due, if an
    arrival is known, and `settled_at` when it was made good.
    """

    accepted_at: datetime
    voyage: Voyage
    term: Term
    first: Timeliness
    first_due: Due | None
    owed: str = ""
    rest: Timeliness | None = None
    rest_term: Term = FLEXIBLE
    rest_due: Due | None = None
    settled_at: datetime | None = None

    @property
    def owes(self) -> bool:
        """Whether something that was left open has still to be filed."""
        return bool(self.owed) and self.settled_at is None


def chain_of(versions: Sequence[Version], number: int) -> list[Version]:
    """Those filings of a reference that belong together with `number`.

    One that adds, and what amends it, up to its deletion: after that a reference may begin anew.
    """
    found: list[Version] = []
    for version in versions:
        if version.action == "A" and version.number > number:
            break
        if version.action == "A":
            found = []
        found.append(version)
    return found


def times_of(chain: Sequence[Version], told: Told, now: datetime) -> Times:
    """Judge one chain, whose first filing adds. With other dates tomorrow it is judged anew."""
    first, last = chain[0], chain[-1]
    standing = chain[:-1] if last.action == "D" else chain
    newest = standing[-1]
    voyage = voyage_of(newest, told)
    term = term_of(first)
    due = due_of(term, voyage)
    verdict = judged(first.filed_at, due)
    flexible = [one for one in standing if one.reason in OWING]
    if not flexible:
        return Times(first.filed_at, voyage, term, verdict, due)
    opened = flexible[-1]
    settled = next((one.filed_at for one in standing if one.number > opened.number), None)
    rest_term = rest_term_of(voyage)
    rest_due = due_of(rest_term, voyage)
    if settled is None and last.action == "D":
        # What was withdrawn owes nothing any more.
        return Times(first.filed_at, voyage, term, verdict, due)
    return Times(
        accepted_at=first.filed_at,
        voyage=voyage,
        term=term,
        first=verdict,
        first_due=due,
        owed=opened.reason,
        rest=owing(rest_due, now) if settled is None else judged(settled, rest_due),
        rest_term=rest_term,
        rest_due=rest_due,
        settled_at=settled,
    )


def voyage_of(newest: Version, told: Told) -> Voyage:
    """An exact time that was told counts before the day that the filing names."""
    if told.departs_at is not None:
        departure: Moment | None = at(told.departs_at)
    else:
        departure = None if newest.etd is None else on_day(newest.etd)
    return Voyage(departure, None if told.arrives_at is None else at(told.arrives_at))


def term_of(first: Version) -> Term:
    """When elements 1 to 8 are due.

    Only a message says that its goods are break bulk or stay on board. A row is judged by the
    stricter rule for containers, also one that names no container.
    """
    if first.submission_type == ISF_5:
        return IN_TRANSIT
    return BREAK_BULK if first.mode == BULK_MODE else CONTAINER


def rest_term_of(voyage: Voyage) -> Term:
    """Where the voyage surely takes less than a day, what is left open is due upon lading."""
    departure, arrival = voyage.departure, voyage.arrival
    short = (
        departure is not None and arrival is not None and arrival.latest - departure.earliest < DAY
    )
    return SHORT_VOYAGE if short else FLEXIBLE


def due_of(term: Term, voyage: Voyage) -> Due | None:
    """When it is due at the latest; `None` when its event is not known."""
    moment = voyage.moment(term.event)
    return (
        None if moment is None else Due(moment.earliest - term.before, moment.latest - term.before)
    )


def judged(done_at: datetime, due: Due | None) -> Timeliness:
    """Of something that was done."""
    if due is None:
        return Timeliness.UNKNOWN
    if done_at <= due.earliest:
        return Timeliness.ON_TIME
    return Timeliness.LATE if done_at > due.latest else Timeliness.UNKNOWN


def owing(due: Due | None, now: datetime) -> Timeliness:
    """Of something that is not done: overdue as soon as it may be, for doubt resolves downward."""
    if due is None:
        return Timeliness.UNKNOWN
    return Timeliness.OPEN if now <= due.earliest else Timeliness.OVERDUE


def next_change(times: Iterable[Times], now: datetime) -> datetime | None:
    """When the first of these verdicts changes by the passing of time alone, if any does."""
    ahead = [
        one.rest_due.earliest
        for one in times
        if one.owes and one.rest_due is not None and one.rest_due.earliest >= now
    ]
    return min(ahead, default=None)
