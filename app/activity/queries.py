"""The record, read: events, accesses and security events in one order, the newest first.

Pages are cut by key, so that what is recorded meanwhile moves nothing. Every filter is a condition
of the statement; what a trader may not be told is none of its rows.
"""

import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from app.activity.wording import AGENCY_TAGS, LOOKED, TOLD, Area, Side
from app.advance_data.models import Batch, Filing
from app.applications.models import Application
from app.audit.models import AccessRecord, AuditEvent, SecurityEvent
from app.delegations.models import Delegation
from app.documents.models import DocumentRevision
from app.identity.models import ApiClient, Person
from app.register.models import Determination
from app.traders.models import Appointment, Trader

PER_PAGE: Final = 50
BLOCK: Final = 500
Entry = AuditEvent | AccessRecord | SecurityEvent
Table = type[AuditEvent] | type[AccessRecord] | type[SecurityEvent]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The entry after which a page begins."""

    at: datetime
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """The cursor of an address; `None` for the first page and for what is none."""
        at, _, entry = text.partition("~")
        try:
            found = cls(datetime.fromisoformat(at), uuid.UUID(entry))
        except ValueError:
            return None
        return found if found.at.tzinfo is not None else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; empty members ask for everything.

    `since` and `until` are days in UTC, both included. `subjects` are the ids that the words
    `about` name (see `subjects_of`), `None` when nothing was typed.
    """

    trader_id: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None
    side: Side | None = None
    name: str = ""
    area: str = ""
    about: str = ""
    subjects: Collection[uuid.UUID] | None = None
    before: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the record, with the names that its entries refer to."""

    entries: Sequence[Entry]
    names: "Names"
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Names:
    """What the ids in some entries are called; what the transaction may not see is missing."""

    delegations: dict[uuid.UUID, Delegation] = field(default_factory=dict)
    documents: dict[uuid.UUID, str] = field(default_factory=dict)
    own: frozenset[uuid.UUID] = frozenset()
    people: dict[uuid.UUID, str] = field(default_factory=dict)
    clients: dict[uuid.UUID, str] = field(default_factory=dict)
    traders: dict[uuid.UUID, str] = field(default_factory=dict)


def subjects_of(session: Session, about: str, trader_id: uuid.UUID | None) -> set[uuid.UUID]:
    """The ids that a reference, a receipt or an id names, within the trader if one is given."""
    words = about.strip().upper()
    found: set[uuid.UUID] = set()
    with suppress(ValueError):
        found.add(uuid.UUID(words))
    sources: tuple[Any, ...] = (
        select(Application.id, Application.assessment_id).where(
            Application.reference == words, _of(Application, trader_id)
        ),
        select(Batch.id).where(Batch.reference == words, _of(Batch, trader_id)),
        select(Filing.batch_id).where(Filing.receipt == words, _of(Filing, trader_id)),
        select(Determination.id).where(
            Determination.reference == words, _of(Determination, trader_id)
        ),
    )
    for source in sources:
        for row in session.execute(source):
            found.update(one for one in row if one is not None)
    return found


def _of(model: Any, trader_id: uuid.UUID | None) -> ColumnElement[bool]:  # noqa: ANN401
    return true() if trader_id is None else model.trader_id == trader_id


def own_people(trader_id: uuid.UUID) -> Select[Any]:
    """Everybody who has, or had, a role at the trader."""
    return select(Appointment.person_id).where(
        Appointment.trader_id == trader_id, Appointment.person_id.is_not(None)
    )


# --- What a trader is told ----------------------------------------------------------------------


def told(session: Session, wanted: Wanted) -> Found:
    """A page of one trader's own record, of the kinds that it is told of alone."""
    return _page(session, _told(wanted), wanted)


def every_told(session: Session, wanted: Wanted) -> Iterator[Found]:
    """All of it, a block at a time."""
    return _blocks(session, _told(wanted), wanted)


def _told(wanted: Wanted) -> dict[Table, ColumnElement[bool]]:
    assert wanted.trader_id is not None  # noqa: S101 - a trader's record is one trader's.
    events = [
        AuditEvent.trader_id == wanted.trader_id,
        AuditEvent.tag.in_(
            [str(tag) for tag, one in TOLD.items() if wanted.area in {"", one.area}]
        ),
    ]
    accesses = [
        AccessRecord.trader_id == wanted.trader_id,
        AccessRecord.subject_kind.in_(list(LOOKED)),
    ]
    if wanted.area not in {"", Area.LOOKED}:
        accesses.append(false())
    if wanted.side is not None:
        events.append(_event_side(wanted.side, wanted.trader_id))
        accesses.append(_access_side(wanted.side))
    if wanted.name:
        # Only where the name is told as well: a filter must not find out who it was at the agency.
        named = AuditEvent.actor_name.icontains(wanted.name, autoescape=True)
        events += [
            named,
            AuditEvent.tag.not_in([str(one) for one in AGENCY_TAGS]),
            AuditEvent.actor_kind != "system",
        ]
        accesses.append(
            AccessRecord.delegation_id.in_(
                select(Delegation.id).where(
                    Delegation.trader_id == wanted.trader_id,
                    Delegation.broker_name.icontains(wanted.name, autoescape=True),
                )
            )
        )
    if wanted.subjects is not None:
        events.append(AuditEvent.subject_id.in_(wanted.subjects))
        accesses.append(AccessRecord.subject.in_([str(one) for one in wanted.subjects]))
    return {AuditEvent: and_(*events), AccessRecord: and_(*accesses)}


def _event_side(side: Side, trader_id: uuid.UUID) -> ColumnElement[bool]:
    agency = AuditEvent.tag.in_([str(one) for one in AGENCY_TAGS])
    system = AuditEvent.actor_kind == "system"
    broker = AuditEvent.acting_trader_id.is_not(None) & func.coalesce(
        AuditEvent.person_id.not_in(own_people(trader_id)), true()
    )
    match side:
        case Side.AGENCY:
            return agency
        case Side.SYSTEM:
            return ~agency & system
        case Side.BROKER:
            return ~agency & ~system & broker
        case Side.OWN:
            return ~agency & ~system & ~broker


def _access_side(side: Side) -> ColumnElement[bool]:
    match side:
        case Side.AGENCY:
            return AccessRecord.delegation_id.is_(None)
        case Side.BROKER:
            return AccessRecord.delegation_id.is_not(None)
        case Side.OWN | Side.SYSTEM:
            return false()


# --- What auditors see --------------------------------------------------------------------------

KINDS: Final = ("event", "access", "security")


def everything(session: Session, wanted: Wanted) -> Found:
    """A page of the whole record; `area` is one of `KINDS` or the beginning of a tag."""
    return _page(session, _everything(wanted), wanted)


def every_entry(session: Session, wanted: Wanted) -> Iterator[Found]:
    """All of it, a block at a time."""
    return _blocks(session, _everything(wanted), wanted)


def _everything(wanted: Wanted) -> dict[Table, ColumnElement[bool]]:
    named = select(Person.id).where(Person.name.icontains(wanted.name, autoescape=True))
    called = select(ApiClient.id).where(ApiClient.name.icontains(wanted.name, autoescape=True))
    found: dict[Table, ColumnElement[bool]] = {}
    tables: dict[str, Table] = {
        "event": AuditEvent,
        "access": AccessRecord,
        "security": SecurityEvent,
    }
    for kind, table in tables.items():
        conditions: list[ColumnElement[bool]] = []
        if wanted.area in KINDS and wanted.area != kind:
            continue
        if wanted.area and wanted.area not in KINDS:
            if table is AccessRecord:
                conditions.append(AccessRecord.subject_kind == wanted.area)
            else:
                conditions.append(table.tag.startswith(wanted.area, autoescape=True))  # type: ignore[union-attr]
        if wanted.trader_id is not None:
            people = own_people(wanted.trader_id)
            conditions.append(
                SecurityEvent.person_id.in_(people)
                if table is SecurityEvent
                else table.trader_id == wanted.trader_id  # type: ignore[union-attr]
            )
        if wanted.name:
            by = table.person_id.in_(named) | table.client_id.in_(called)
            if table is AuditEvent:
                by |= AuditEvent.actor_name.icontains(wanted.name, autoescape=True)
            conditions.append(by)
        if wanted.subjects is not None:
            conditions.append(_about(table, wanted))
        found[table] = and_(true(), *conditions)
    return found


def _about(table: Table, wanted: Wanted) -> ColumnElement[bool]:
    if table is AuditEvent:
        return AuditEvent.subject_id.in_(wanted.subjects or ())
    if table is AccessRecord:
        return or_(
            AccessRecord.subject.in_([str(one) for one in wanted.subjects or ()]),
            AccessRecord.subject.istartswith(wanted.about, autoescape=True),
        )
    return false()


# --- Both ---------------------------------------------------------------------------------------


def _page(session: Session, tables: dict[Table, ColumnElement[bool]], wanted: Wanted) -> Found:
    return _read(session, tables, wanted, PER_PAGE)


def _blocks(
    session: Session, tables: dict[Table, ColumnElement[bool]], wanted: Wanted
) -> Iterator[Found]:
    page = _read(session, tables, wanted, BLOCK)
    yield page
    while page.next is not None:
        session.expunge_all()
        page = _read(session, tables, replace(wanted, before=page.next), BLOCK)
        yield page


def _read(
    session: Session, tables: dict[Table, ColumnElement[bool]], wanted: Wanted, limit: int
) -> Found:
    """A page in one order over the tables, each of which is read no further than the page goes."""
    if not tables:
        return Found((), Names(), None)
    parts = []
    for table, condition in tables.items():
        part = select(
            literal(table.__tablename__).label("kind"), table.id.label("id"), table.at.label("at")
        ).where(condition)
        if wanted.since is not None:
            part = part.where(table.at >= _midnight(wanted.since))
        if wanted.until is not None:
            part = part.where(table.at < _midnight(wanted.until) + timedelta(days=1))
        if wanted.before is not None:
            part = part.where(
                tuple_(table.at, table.id) < tuple_(wanted.before.at, wanted.before.id)
            )
        parts.append(part.order_by(table.at.desc(), table.id.desc()).limit(limit + 1).subquery())
    merged = union_all(*(select(part) for part in parts)).subquery()
    keys = session.execute(
        select(merged).order_by(merged.c.at.desc(), merged.c.id.desc()).limit(limit + 1)
    ).all()
    shown = keys[:limit]
    rows: dict[uuid.UUID, Entry] = {}
    for table in tables:
        ids = [key.id for key in shown if key.kind == table.__tablename__]
        if ids:
            held: Sequence[Any] = session.scalars(select(table).where(table.id.in_(ids))).all()
            rows |= {one.id: one for one in held}
    entries = [rows[key.id] for key in shown]
    more = Cursor(shown[-1].at, shown[-1].id) if len(keys) > limit else None
    return Found(entries, _names(session, entries, wanted), more)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _names(session: Session, entries: Sequence[Entry], wanted: Wanted) -> Names:
    """The names behind the ids, in a constant number of statements."""
    held = [one for one in entries if not isinstance(one, SecurityEvent)]
    delegations = {one.delegation_id for one in held if one.delegation_id is not None}
    revisions = {
        uuid.UUID(one.subject)
        for one in entries
        if isinstance(one, AccessRecord) and one.subject_kind == "document_revision"
    }
    traders = {one.trader_id for one in held if one.trader_id is not None}
    traders |= {one.acting_trader_id for one in held if one.acting_trader_id is not None}
    return Names(
        delegations={
            one.id: one
            for one in session.scalars(select(Delegation).where(Delegation.id.in_(delegations)))
        },
        documents=_named(session, DocumentRevision.id, DocumentRevision.filename, revisions),
        own=frozenset(session.scalars(own_people(wanted.trader_id)))
        if wanted.trader_id is not None
        else frozenset(),
        people=_named(session, Person.id, Person.name, {one.person_id for one in entries}),
        clients=_named(session, ApiClient.id, ApiClient.name, {one.client_id for one in entries}),
        traders=_named(session, Trader.id, Trader.name, traders),
    )


def _named(
    session: Session,
    key: Any,  # noqa: ANN401 - a column.
    name: Any,  # noqa: ANN401 - a column.
    ids: Collection[uuid.UUID | None],
) -> dict[uuid.UUID, str]:
    wanted = [one for one in ids if one is not None]
    return {row[0]: row[1] for row in session.execute(select(key, name).where(key.in_(wanted)))}
