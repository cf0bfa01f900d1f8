"""Entries of the record as lines that a person reads: who, in which capacity, under what, what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from app.activity.queries import Entry, Names
from app.activity.wording import AGENCY_TAGS, LOOKED, PLACES, TOLD, Side
from app.audit.models import AccessRecord, AuditEvent, SecurityEvent
from app.delegations.models import Delegation
from app.web.filters import day

ERASED = _l("A person whose name was erased")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in words. `tag` is what the record itself calls it, for auditors."""

    at: datetime
    who: str
    capacity: str
    under: str
    what: str
    tag: str = ""
    trader: str = ""
    address: str = ""


class _Blank(dict[str, object]):
    """What an older event did not tell reads as nothing."""

    def __missing__(self, key: str) -> str:
        del key
        return ""


def told_line(entry: Entry, names: Names, company: str) -> Line:
    """An entry as its trader reads it; of the agency only that it was the agency."""
    if isinstance(entry, AccessRecord):
        side = Side.AGENCY if entry.delegation_id is None else Side.BROKER
        who, what = "", _looked(entry, names)
    else:
        assert isinstance(entry, AuditEvent)  # noqa: S101 - a trader is told of nothing else.
        side = side_of(entry, names)
        who, what = entry.actor_name or str(ERASED), _told(entry)
    broker, capacity = _broker(entry, names), ""
    match side:
        case Side.AGENCY:
            program = isinstance(entry, AccessRecord) and entry.client_id is not None
            who = gettext("A system of the agency") if program else gettext("The agency")
        case Side.SYSTEM:
            who, capacity = gettext("Fairway"), gettext("by itself")
        case Side.BROKER:
            program = isinstance(entry, AccessRecord) and entry.client_id is not None
            who = who or (gettext("A program") if program else gettext("Somebody"))
            capacity = gettext("broker %(name)s, for %(company)s", name=broker, company=company)
            if entry.subject_kind == Delegation.__tablename__:
                capacity = gettext("broker %(name)s", name=broker)
        case Side.OWN:
            capacity = gettext("for %(company)s", company=company)
    return Line(entry.at, who, capacity, _under(entry, names), what)


def side_of(event: AuditEvent, names: Names) -> Side:
    """In which capacity an event of the record was brought about; see `queries` for the same."""
    if event.tag in AGENCY_TAGS:
        return Side.AGENCY
    if event.actor_kind == "system":
        return Side.SYSTEM
    if event.acting_trader_id is not None and event.person_id not in names.own:
        return Side.BROKER
    return Side.OWN


def log_line(entry: Entry, names: Names) -> Line:
    """An entry as an auditor reads it, with names, and with what the record itself calls it."""
    person = names.people.get(entry.person_id) if entry.person_id else None
    client = names.clients.get(entry.client_id) if entry.client_id else None
    nobody = gettext("Nobody known") if entry.person_id is None else ERASED
    who = str(person or client or nobody)
    if isinstance(entry, SecurityEvent):
        words = entry.tag.replace(":", " ").replace("-", " ").capitalize()
        return Line(entry.at, who, "", "", words, tag=entry.tag, address=entry.address)
    trader = names.traders.get(entry.trader_id, "") if entry.trader_id else ""
    broker = _broker(entry, names)
    capacity = gettext("broker %(name)s", name=broker) if broker else ""
    if broker and entry.subject_kind == Delegation.__tablename__:
        # Either side brings a delegation about, so the broker is what it is about.
        capacity = gettext("about broker %(name)s", name=broker)
    under = _under(entry, names)
    if isinstance(entry, AccessRecord):
        what = gettext(
            "Looked at %(kind)s: %(subject)s",
            kind=entry.subject_kind.replace("_", " "),
            subject=names.documents.get(_uuid_of(entry), entry.subject)
            if entry.subject_kind == "document_revision"
            else entry.subject,
        )
        return Line(entry.at, who, capacity, under, what, tag=entry.subject_kind, trader=trader)
    return Line(entry.at, entry.actor_name or who, capacity, under, _told(entry), entry.tag, trader)


def _told(event: AuditEvent) -> str:
    words = {str(tag): one.words for tag, one in TOLD.items()}.get(event.tag)
    if words is None:
        return event.tag.replace(":", " ").replace("-", " ").capitalize()
    data: dict[str, Any] = {**event.data, "scheme": str(event.data.get("scheme", "")).upper()}
    return _filled(words, data)


def _looked(record: AccessRecord, names: Names) -> str:
    place = record.subject.split(".")[0]
    facts = {
        "filename": names.documents.get(_uuid_of(record), gettext("one that is gone")),
        "place": str(PLACES.get(place, gettext("others"))),
    }
    return _filled(LOOKED[record.subject_kind], facts)


def _filled(words: str, data: Mapping[str, object]) -> str:
    filled: str = str(words) % _Blank(data)
    return filled.strip()


def _uuid_of(record: AccessRecord) -> Any:  # noqa: ANN401 - whatever finds nothing is none.
    return UUID(record.subject) if record.subject_kind == "document_revision" else None


def _broker(entry: AuditEvent | AccessRecord, names: Names) -> str:
    if entry.acting_trader_id is None:
        return ""
    delegation = names.delegations.get(entry.delegation_id) if entry.delegation_id else None
    if delegation is not None:
        return delegation.broker_name
    return names.traders.get(entry.acting_trader_id, "")


def _under(entry: AuditEvent | AccessRecord, names: Names) -> str:
    delegation = names.delegations.get(entry.delegation_id) if entry.delegation_id else None
    # What becomes of a delegation itself is done under none.
    if delegation is None or entry.subject_kind == Delegation.__tablename__:
        return ""
    return str(
        gettext("under the delegation in force from %(day)s", day=day(delegation.valid_from))
    )
