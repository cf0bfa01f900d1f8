"""Registering a trader, and changing what it says about itself."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select

from app.audit.tags import EventTag
from app.authz.actor import ActorKind, TraderRole
from app.db.concurrency import first_with, lock_row, require_version
from app.kernel.errors import NotAllowedError, NotReadyError, Problem
from app.kernel.identifiers import Scheme
from app.traders import queries
from app.traders.details import CompanyDetails
from app.traders.kinds import EntityType
from app.traders.models import Appointment, Bond, Contact, Site, Trader
from app.traders.rules import company_problems
from app.traders.service.identifiers import read_identifier, take_on_identifier
from app.traders.workflow import AppointmentState
from app.work import Work


def register_trader(
    work: Work, *, key: uuid.UUID, entity_type: EntityType, details: CompanyDetails
) -> Trader:
    """Register a company; the person who does so becomes its officer.

    Side effects in order: the trader, with `key` as its id; the officer's appointment, unless
    the system registers it (a take-on); one event. A second call with the same key by the same
    person gives the first trader back and does nothing.
    Errors: `NotReadyError` for malformed details; `NotAllowedError` for people of the agency,
    who may not stand on both sides.
    """
    if work.actor.is_agency:
        raise NotAllowedError("People of the agency cannot register a company.")
    earlier = first_with(work.session, Trader, key)
    if earlier is not None and earlier.registered_by == work.actor.person_id is not None:
        return earlier
    refuse(company_problems(details))
    trader = Trader(
        id=key if earlier is None else work.new_id(),
        entity_type=entity_type,
        registered_by=work.actor.person_id,
        created_at=work.now,
        **asdict(details),
    )
    work.session.add(trader)
    work.session.flush()
    if work.actor.kind is ActorKind.PERSON:
        work.session.add(
            Appointment(
                id=work.new_id(),
                trader_id=trader.id,
                person_id=work.actor.person_id,
                role=TraderRole.OFFICER,
                started_at=work.now,
                _state=AppointmentState.ACTIVE.value,
            )
        )
    work.record(EventTag.TRADER_REGISTERED, trader, entity_type=entity_type)
    return trader


def take_on_trader(
    work: Work, *, name: str, entity_type: EntityType, identifiers: Sequence[tuple[Scheme, str]]
) -> Trader:
    """The trader of a row of `register import`, with its identifiers verified.

    A trader of the same name and kind that holds all these identifiers is the same one; otherwise
    a new trader is made, whose address is empty until its officer gives it. Side effects in
    order: the trader with its event, if new; each identifier that it did not hold, with its event.
    Errors: `NotReadyError` without a name, without identifiers, or when one is malformed.
    Source: contract, `register import`.
    """
    if not name.strip():
        refuse([Problem("Give the trader's name.", "trader_name", "missing")])
    if not identifiers:
        refuse([Problem("Give at least one identifier.", "identifiers", "missing")])
    parsed = [read_identifier(scheme, text) for scheme, text in identifiers]
    held = queries.holders(work.session, parsed)
    common = set.intersection(*(set(held[one]) for one in parsed))
    trader = work.session.scalars(
        select(Trader).where(
            Trader.id.in_(common),
            func.lower(Trader.name) == name.strip().lower(),
            Trader.entity_type == entity_type,
        )
    ).first()
    if trader is None:
        trader = Trader(
            id=work.new_id(),
            name=name.strip(),
            entity_type=entity_type,
            country="",
            address_line="",
            city="",
            region="",
            postal_code="",
            created_at=work.now,
        )
        work.session.add(trader)
        work.session.flush()
        work.record(EventTag.TRADER_REGISTERED, trader, entity_type=entity_type, origin="take-on")
    for scheme, text in identifiers:
        take_on_identifier(work, trader, scheme=scheme, text=text)
    return trader


def change_company(work: Work, trader: Trader, *, details: CompanyDetails, version: int) -> Trader:
    """Change name, address, office or activity of a trader.

    Side effects in order: the row; one event with the names of the changed fields, none when
    nothing changed. Errors: `NotReadyError` for malformed details; `StaleError` when the trader
    is no longer at `version`.
    """
    refuse(company_problems(details))
    change(work, trader, asdict(details), version=version, tag=EventTag.TRADER_PROFILE_CHANGED)
    return trader


def refuse(problems: list[Problem]) -> None:
    """Raise `NotReadyError` with all the problems, if there are any."""
    if problems:
        raise NotReadyError(problems)


def change(
    work: Work,
    row: Trader | Bond | Site | Contact,
    values: dict[str, Any],
    *,
    version: int,
    tag: EventTag,
) -> None:
    """Write `values` to the row and record `tag` with the names of what changed.

    The same values again are no change, whatever the version: so the second click of a double
    click finds its work done instead of a conflict with itself.
    """
    lock_row(work.session, row)
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    if not changed:
        return
    require_version(row, version)
    for name in changed:
        setattr(row, name, values[name])
    work.record(tag, row, fields=changed)
