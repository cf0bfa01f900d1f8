"""What the head of a page shows: where one can go, and for whom one is acting."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import gettext

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


def acting_for() -> Named | None:
    """The trader in the address, as far as the actor may see it."""
    trader_id = acting_trader_id()
    if trader_id is None or current_actor().is_agency:
        return None
    return wiring().trader_named(current_work().session, current_actor(), trader_id)


@dataclass(frozen=True, slots=True)
class _Place:
    """One link, and the first parts of the addresses that lie behind it."""

    label: str
    endpoint: str
    parts: frozenset[str]


def _place(label: str, endpoint: str, *parts: str) -> _Place:
    return _Place(label, endpoint, frozenset(parts))


def _console() -> tuple[_Place, ...]:
    return (
        _place(gettext("Queue"), "casework.queue", "", "queue", "cases"),
        _place(gettext("Determinations"), "casework.determinations", "determinations"),
        _place(gettext("Register"), "casework.register", "register", "traders"),
        _place(gettext("Identifier conflicts"), "casework.conflicts", "conflicts"),
    )


def _portal() -> tuple[_Place, ...]:
    return (
        _place(gettext("Overview"), "home.trader", "overview"),
        _place(gettext("Applications"), "applications.index", "applications", "assessments"),
        _place(gettext("Advance data"), "advance_data.index", "advance-data"),
        _place(gettext("Standing"), "register.standing", "standing"),
        _place(
            gettext("Company"),
            "traders.profile",
            *("", "company", "identifiers", "bonds", "sites", "contacts", "documents"),
        ),
        _place(gettext("People"), "traders.people", "people"),
    )


def navigation() -> tuple[NavigationItem, ...]:
    """The links for this actor, on this page; the one that the page lies behind is marked."""
    path = request.path.strip("/").split("/")
    if current_actor().is_agency:
        return _items(_console(), {}, part="".join(path[1:2]))
    trader_id = acting_trader_id()
    if trader_id is None:
        return ()
    return _items(_portal(), {"trader_id": trader_id}, part="".join(path[2:3]))


def _items(
    places: tuple[_Place, ...], values: dict[str, Any], *, part: str
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
