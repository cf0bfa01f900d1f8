"""Where the demonstration's story is told: services, called by invented people at invented times."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from app.authz.actor import Actor, ActorKind, system_actor
from app.db.session import BoundSession, Principal
from app.identity import queries as people
from app.identity.models import Person
from app.kernel.clock import FixedClock
from app.reactions import REACTIONS
from app.traders.models import Trader
from app.traders.queries import appointments_of
from app.work import Work

DEMO = system_actor("demo")


@dataclass(slots=True)
class Stage:
    """The database, the story's own clock, and who is who.

    `people`, `traders` and `applications` map the story's names to ids. `address` is the site's,
    for the links in letters.
    """

    bind: Engine | Connection
    clock: FixedClock
    address: str = ""
    people: dict[str, uuid.UUID] = field(default_factory=dict)
    traders: dict[str, uuid.UUID] = field(default_factory=dict)
    applications: dict[str, uuid.UUID] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    @contextmanager
    def work(self, *, by: str | None = None, at: datetime | None = None) -> Iterator[Work]:
        """One committed unit of work at the story's time; `by` names a person, else the system."""
        if at is not None:
            self.clock.at = at
        with BoundSession(self.bind, Principal(DEMO.principal)) as session, session.begin():
            actor = DEMO if by is None else self._actor(session, by)
            yield Work(session=session, actor=actor, now=self.clock.now(), reactions=REACTIONS)

    def acting(self, work: Work, by: str) -> Work:
        """The same unit of work in the hands of somebody else, so that one scene is one commit."""
        work.session.flush()
        return replace(work, actor=self._actor(work.session, by))

    def trader(self, work: Work, key: str) -> Trader:
        """The company of that key."""
        return work.session.get_one(Trader, self.traders[key])

    def joined(self, name: str) -> None:
        """The person's roles have changed: they are read anew when the person next acts."""
        self.actors.pop(name, None)

    def _actor(self, session: Session, name: str) -> Actor:
        if name not in self.actors:
            person = session.get_one(Person, self.people[name])
            self.actors[name] = Actor(
                ActorKind.PERSON,
                person_id=person.id,
                name=person.name,
                email=person.email,
                agency_roles=people.agency_roles(session, person.id),
                appointments=appointments_of(session, person.id),
            )
        return replace(self.actors[name], fresh_at=self.clock.now())
