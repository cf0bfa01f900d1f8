"""Identifiers: who claims them, who holds them, who disputes them."""

import uuid
from collections.abc import Iterable

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.kernel.errors import NotFoundError
from app.kernel.identifiers import Identifier, Scheme, parse
from app.traders.models import (
    IdentifierConflict,
    Trader,
    TraderIdentifier,
)
from app.traders.sealing import lookup_key
from app.traders.workflow import ConflictState, IdentifierState

# The state columns are private so that only `app.work.move` writes them; reading them is free.
IDENTIFIER_STATE = TraderIdentifier._state  # noqa: SLF001
CONFLICT_STATE = IdentifierConflict._state  # noqa: SLF001


def identifiers_of(session: Session, trader_id: uuid.UUID) -> list[TraderIdentifier]:
    """The trader's identifiers but those that it withdrew, in the order of the claims."""
    return list(
        session.scalars(
            select(TraderIdentifier)
            .where(
                TraderIdentifier.trader_id == trader_id,
                IDENTIFIER_STATE != IdentifierState.WITHDRAWN,
            )
            .order_by(TraderIdentifier.claimed_at, TraderIdentifier.id)
        )
    )


def verified_identifiers(session: Session, trader_id: uuid.UUID) -> list[TraderIdentifier]:
    """Those of the trader's identifiers that the agency has verified."""
    return [
        one for one in identifiers_of(session, trader_id) if one.state == IdentifierState.VERIFIED
    ]


def traders_holding(session: Session, scheme: Scheme, value: str) -> list[uuid.UUID]:
    """The ids of the traders that hold the identifier verified: none, one, or after a take-on more.

    `MalformedIdentifierError` when the value is not of the scheme.
    """
    identifier = parse(scheme, value)
    return holders(session, [identifier])[identifier]


def holders(
    session: Session, identifiers: Iterable[Identifier]
) -> dict[Identifier, list[uuid.UUID]]:
    """For each identifier the traders that hold it verified, in one statement.

    Every given identifier is a key of the answer. Two traders share one only after a take-on,
    until a reviewer has resolved the conflict; whoever answers for it then answers "not active".
    """
    wanted = {(one.scheme.value, lookup_key(one)): one for one in identifiers}
    found: dict[Identifier, list[uuid.UUID]] = {one: [] for one in wanted.values()}
    if not wanted:
        return found
    rows = session.execute(
        select(TraderIdentifier.scheme, TraderIdentifier.lookup_key, TraderIdentifier.trader_id)
        .where(
            tuple_(TraderIdentifier.scheme, TraderIdentifier.lookup_key).in_(list(wanted)),
            IDENTIFIER_STATE == IdentifierState.VERIFIED,
        )
        .order_by(TraderIdentifier.trader_id)
    )
    for scheme, key, trader_id in rows:
        found[wanted[scheme.value, key]].append(trader_id)
    return found


def open_conflict_over(session: Session, identifier: TraderIdentifier) -> IdentifierConflict | None:
    """The open conflict over the value of this identifier."""
    return session.scalars(
        select(IdentifierConflict).where(
            IdentifierConflict.scheme == identifier.scheme,
            IdentifierConflict.lookup_key == identifier.lookup_key,
            CONFLICT_STATE == ConflictState.OPEN,
        )
    ).one_or_none()


def open_conflicts() -> Select[IdentifierConflict]:
    """Open conflicts for the agency, oldest first; for `paginate`."""
    return (
        select(IdentifierConflict)
        .where(CONFLICT_STATE == ConflictState.OPEN)
        .order_by(IdentifierConflict.opened_at, IdentifierConflict.id)
    )


def conflict(session: Session, conflict_id: uuid.UUID) -> IdentifierConflict:
    """One conflict, for the agency; `NotFoundError` when there is none."""
    found = session.get(IdentifierConflict, conflict_id)
    if found is None:
        raise NotFoundError
    return found


def claims_in(session: Session, found: IdentifierConflict) -> list[tuple[TraderIdentifier, Trader]]:
    """The live claims in a conflict with their traders, oldest first; for the agency only."""
    rows = session.execute(
        select(TraderIdentifier, Trader)
        .join(Trader, Trader.id == TraderIdentifier.trader_id)
        .where(
            TraderIdentifier.scheme == found.scheme,
            TraderIdentifier.lookup_key == found.lookup_key,
            IDENTIFIER_STATE.in_((IdentifierState.CLAIMED, IdentifierState.VERIFIED)),
        )
        .order_by(TraderIdentifier.claimed_at, TraderIdentifier.id)
    )
    return list(rows.all())
