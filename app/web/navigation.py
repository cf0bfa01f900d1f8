"""What the head of a page shows: where one can go, and for whom one is acting."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext

from app.authz.actor import Grant
from app.authz.permissions import Permission
from app.authz.policy import may, may_ever
from app.web.access import permission_of
from app.web.requests import current_actor, current_work
from app.web.wiring import Named, wiring


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One link in the head of the page; `current` when the page lies behind it."""

    label: str
    href: str
    current: bool


def acting_trader_id() -> uuid.UUID | None:
    """The trader in the page's own address; it is never inferred from anything else."""
    found = (request.view_args or {}).get("trader_id")
    return found if isinstance(found, uuid.UUID) else None


def acting_for(trader_id: uuid.UUID | None) -> Named | None:
    """The trader as far as the actor may see it."""
    if trader_id is None or current_actor().is_agency:
        return None
    return wiring().trader_named(current_work().session, current_actor(), trader_id)


def acting_as(trader_id: uuid.UUID) -> Grant | None:
    """The delegation under which the actor acts for that trader; `None` for a role of one's own."""
    return current_actor().grants.get(trader_id)


@dataclass(frozen=True, slots=True)
class _Place:
    """One link, and the first parts of the addresses that lie behind it."""

    label: str
    endpoint: str
    parts: frozenset[str]
    of_brokers: bool = False


def _place(label: str, endpoint: str, *parts: str, of_brokers: bool = False) -> _Place:
    return _Place(label, endpoint, frozenset(parts), of_brokers)


def _console() -> tuple[_Place, ...]:
    return (
        _place(gettext("Queue"), "casework.queue", "", "queue", "cases"),
        _place(gettext("Determinations"), "casework.determinations", "determinations"),
        _place(gettext("Register"), "casework.register", "register", "traders"),
        _place(gettext("New officers"), "successions.index", "officers"),
        _place(gettext("Criteria"), "casework.catalogues", "catalogues"),
        _place(gettext("Identifier conflicts"), "casework.conflicts", "conflicts"),
        _place(gettext("Activity log"), "activity_log.log", "activity"),
        _place(gettext("API clients"), "agency_clients.index", "api-clients"),
        _place(gettext("Webhooks"), "webhooks.index", "webhooks"),
    )


def _portal() -> tuple[_Place, ...]:
    return (
        _place(gettext("Overview"), "home.trader", "overview"),
        _place(gettext("Our clients"), "home.clients", "clients", of_brokers=True),
        _place(gettext("Applications"), "applications.index", "applications", "assessments"),
        _place(gettext("Advance data"), "advance_data.index", "advance-data"),
        _place(gettext("Standing"), "register.standing", "standing"),
        _place(
            gettext("Company"),
            "traders.profile",
            *("", "company", "identifiers", "bonds", "sites", "contacts", "documents"),
        ),
        _place(gettext("People"), "traders.people", "people", "security"),
        _place(gettext("Who acts for us"), "delegations.index", "delegations"),
        _place(gettext("Other partners"), "verifications.index", "verifications"),
        _place(gettext("Activity"), "activity.record", "activity"),
        _place(gettext("API access"), "api_access.index", "api-access"),
    )


@dataclass(frozen=True, slots=True)
class _OfTrader:
    """The trader in the address, as the policy asks about it."""

    trader_id: uuid.UUID


def way_in(trader_id: uuid.UUID) -> str | None:
    """The first page of the trader that is open to the actor; `None` when none is."""
    open_places = _open_at(trader_id)
    return url_for(open_places[0].endpoint, trader_id=trader_id) if open_places else None


def _open_at(trader_id: uuid.UUID) -> list[_Place]:
    """The places that the actor's role or delegation there opens: nobody is shown a closed door."""
    actor, subject = current_actor(), _OfTrader(trader_id)
    return [
        place
        for place in _portal()
        if place.endpoint in current_app.view_functions
        and may(actor, _permission(place.endpoint), subject)
        and (not place.of_brokers or _acts_for_others(trader_id))
    ]


def _open_at_agency() -> list[_Place]:
    """The places of the console that the actor's role opens."""
    actor = current_actor()
    return [
        place
        for place in _console()
        if place.endpoint in current_app.view_functions
        and may_ever(actor, _permission(place.endpoint))
    ]


def _acts_for_others(trader_id: uuid.UUID) -> bool:
    found = acting_for(trader_id)
    return found is not None and found.acts_for_others


def _permission(endpoint: str) -> Permission:
    found = permission_of(current_app, endpoint)
    assert found is not None  # noqa: S101 - no application starts with an undeclared route.
    return found


def navigation() -> tuple[NavigationItem, ...]:
    """The links for this actor, on this page; the one that the page lies behind is marked."""
    path = request.path.strip("/").split("/")
    if current_actor().is_agency:
        return _items(_open_at_agency(), {}, part="".join(path[1:2]))
    trader_id = acting_trader_id()
    if trader_id is None:
        return ()
    return _items(_open_at(trader_id), {"trader_id": trader_id}, part="".join(path[2:3]))


def _items(
    places: Sequence[_Place], values: dict[str, Any], *, part: str
) -> tuple[NavigationItem, ...]:
    return tuple(
        NavigationItem(
            label=place.label,
            href=url_for(place.endpoint, **values),
            current=part in place.parts,
        )
        for place in places
        # A surface may not carry every feature.
        if place.endpoint in current_app.view_functions
    )
