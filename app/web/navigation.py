"""What the head of a page shows: where one can go, and for whom one is acting."""

import uuid
from dataclasses import dataclass
from typing import Any, cast

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


def navigation() -> tuple[NavigationItem, ...]:
    """The links for this actor, on this page."""
    if current_actor().is_agency:
        return _items(
            (gettext("Queue"), "casework.queue", {}),
            (gettext("Determinations"), "casework.determinations", {}),
            (gettext("Register"), "casework.register", {}),
            (gettext("Identifier conflicts"), "casework.conflicts", {}),
        )
    trader_id = acting_trader_id()
    if trader_id is None:
        return ()
    own = {"trader_id": trader_id}
    return _items(
        (gettext("Overview"), "home.trader", own),
        (gettext("Applications"), "applications.index", own),
        (gettext("Advance data"), "advance_data.index", own),
        (gettext("Standing"), "register.standing", own),
        (gettext("Company"), "traders.profile", own),
        (gettext("People"), "traders.people", own),
    )


def _items(*links: tuple[str, str, dict[str, uuid.UUID]]) -> tuple[NavigationItem, ...]:
    here = request.path
    found = []
    for label, endpoint, values in links:
        if endpoint not in current_app.view_functions:
            continue  # The surface does not carry this feature.
        href = url_for(endpoint, **cast("dict[str, Any]", values))
        found.append(NavigationItem(label, href, current=here == href))
    if not any(item.current for item in found):
        deepest = max(
            (item for item in found if here.startswith(item.href + "/")),
            key=lambda item: len(item.href),
            default=None,
        )
        found = [NavigationItem(item.label, item.href, current=item is deepest) for item in found]
    return tuple(found)
