"""The quota of an API client: requests in a minute and in a day, counted over all workers."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.db.session import transaction
from app.identity import rate_store
from app.identity.models import ApiClient
from app.identity.service.clients import rules_of
from app.web.requests import circumstances
from app.web.wiring import wiring

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class QuotaReachedError(TooManyRequests):
    """The client has asked as often as it may for now."""

    problem_type = "urn:fairway:quota-reached"


@dataclass(frozen=True, slots=True)
class Window:
    """One limit with the count that holds now, and when that count ends."""

    name: str
    limit: int
    key: str
    ends: datetime
    used: int = 0


def windows(client: ApiClient, now: datetime) -> tuple[Window, Window]:
    """The present minute and day (UTC) of the client, not counted yet."""
    rules = rules_of(client)
    minute = now.replace(second=0, microsecond=0)
    day = minute.replace(hour=0, minute=0)
    return (
        _window("minute", client, client.per_minute or rules.per_minute, minute, MINUTE),
        _window("day", client, client.per_day or rules.per_day, day, DAY),
    )


def figures(clients: Iterable[ApiClient], now: datetime) -> dict[uuid.UUID, tuple[Window, ...]]:
    """For each client its limits with what is used of them: the present minute, then the day."""
    found = {client.id: windows(client, now) for client in clients}
    keys = [one.key for each in found.values() for one in each]
    used = rate_store.read_all(wiring().engine, keys) if keys else {}
    return {
        key: tuple(replace(one, used=min(used[one.key], one.limit)) for one in each)
        for key, each in found.items()
    }


def spend(client: ApiClient) -> None:
    """Count a request of the client and judge it, in a short transaction of its own."""
    with transaction(wiring().engine, rate_store.COUNTER) as db:
        counted = count(db, client)
    judge(client, counted)


def count(
    db: Session, client: ApiClient, *, amount: int = 1, now: datetime | None = None
) -> tuple[Window, ...]:
    """Count `amount` requests of the client, as the last thing that a short transaction does.

    A refused request counts as well, so that a program that never waits is not let in sooner.
    Therefore `judge` comes after the commit.
    """
    found = windows(client, now or wiring().clock.now())
    used = rate_store.count_all(db, {one.key: one.ends for one in found}, amount=amount)
    return tuple(replace(one, used=used[one.key]) for one in found)


def judge(client: ApiClient, counted: Iterable[Window]) -> None:
    """`QuotaReachedError` with the seconds to wait when the count is beyond a limit.

    Only the first refusal of a window is recorded: the record must not be floodable.
    """
    over = [one for one in counted if one.used > one.limit]
    if not over:
        return
    wired = wiring()
    worst = max(over, key=lambda one: one.ends)
    if worst.used == worst.limit + 1:
        record_security_event(
            wired.engine,
            SecurityTag.QUOTA_REACHED,
            circumstances(window=worst.name, limit=worst.limit),
            client_id=client.id,
        )
    raise QuotaReachedError(
        f"This client may send {worst.limit} requests in a {worst.name}. Wait, then go on.",
        retry_after=max(1, ceil((worst.ends - wired.clock.now()).total_seconds())),
    )


def _window(name: str, client: ApiClient, limit: int, begins: datetime, lasts: timedelta) -> Window:
    return Window(name, limit, f"quota:{client.id}:{name}:{begins.isoformat()}", begins + lasts)
