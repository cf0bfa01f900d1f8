"""What the factory hands to the glue: everything that a request needs and features provide."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flask import Request, current_app
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.authz.actor import Actor
from app.config import Settings
from app.kernel.clock import Clock
from app.work import Reactions


class Named(Protocol):
    """A trader as the page's head shows it."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def acts_for_others(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """Set once by `create_app`.

    `recognise` tells who is asking, from the session or the bearer token. `trader_named` gives
    a trader for "Acting for", or `None` when the actor may not see it.
    """

    settings: Settings
    engine: Engine
    clock: Clock
    reactions: Reactions
    recognise: Callable[[Request], Actor]
    trader_named: Callable[[Session, Actor, uuid.UUID], Named | None]


def wiring() -> Wiring:
    """The wiring of the current application."""
    found = current_app.extensions["fairway"]
    assert isinstance(found, Wiring)  # noqa: S101 - tells the type checker what the factory set.
    return found
