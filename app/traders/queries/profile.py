"""The profile: bonds, sites, contacts, and what an application still lacks of it."""

import uuid
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.kernel.errors import Problem
from app.traders import rules
from app.traders.models import (
    Bond,
    Contact,
    Site,
    Trader,
)
from app.traders.queries.identifiers import identifiers_of
from app.traders.workflow import IdentifierState


def bonds_of(session: Session, trader_id: uuid.UUID) -> list[Bond]:
    """The trader's bonds, the newest first."""
    return list(
        session.scalars(
            select(Bond)
            .where(Bond.trader_id == trader_id)
            .order_by(Bond.valid_from.desc(), Bond.id)
        )
    )


def sites_of(trader_id: uuid.UUID) -> Select[Site]:
    """The trader's sites by name; for `paginate` or `session.scalars`."""
    return (
        select(Site)
        .where(Site.trader_id == trader_id, Site.removed_at.is_(None))
        .order_by(func.lower(Site.name), Site.id)
    )


def contacts_of(trader_id: uuid.UUID) -> Select[Contact]:
    """The trader's contacts, the primary one first; for `paginate` or `session.scalars`."""
    return (
        select(Contact)
        .where(Contact.trader_id == trader_id, Contact.removed_at.is_(None))
        .order_by(Contact.is_primary.desc(), func.lower(Contact.name), Contact.id)
    )


def profile_facts(session: Session, trader: Trader) -> rules.ProfileFacts:
    """What the profile holds, for `rules.profile_gaps`."""
    schemes = {
        one.scheme
        for one in identifiers_of(session, trader.id)
        if one.state != IdentifierState.REFUSED
    }
    sites, primary = session.execute(
        select(
            _count(sites_of(trader.id)),
            _count(contacts_of(trader.id).where(Contact.is_primary)),
        )
    ).one()
    return rules.ProfileFacts(
        entity_type=trader.entity_type,
        country=trader.country,
        address_line=trader.address_line,
        city=trader.city,
        office_country=trader.office_country,
        schemes=schemes,
        bonds=bonds_of(session, trader.id),
        sites=sites,
        primary_contacts=primary,
    )


def profile_gaps_of(session: Session, trader: Trader, on: date) -> list[Problem]:
    """What an application still needs from the trader's profile; see `rules.profile_gaps`."""
    return rules.profile_gaps(profile_facts(session, trader), on)


def _count(statement: Select[Any]) -> Any:  # noqa: ANN401 - a scalar subquery.
    return select(func.count()).select_from(statement.order_by(None).subquery()).scalar_subquery()
