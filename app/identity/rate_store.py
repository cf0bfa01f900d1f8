"""Counting in PostgreSQL, so that a limit holds over all workers and hosts.

The table is not logged: it is written at each attempt, and after a crash a fresh count is good
enough. Every call is one statement in a short transaction of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from app.db.session import Principal, transaction

COUNTER = Principal("system:limits")

COUNT = text("""
    INSERT INTO rate_count AS kept (key, count, expires_at) VALUES (:key, :amount, :ends)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN kept.expires_at <= :now THEN :amount ELSE kept.count + :amount END,
      expires_at = CASE
        WHEN kept.expires_at <= :now OR kept.count + :amount <= :stretch_to THEN :ends
        ELSE kept.expires_at END
    RETURNING count AS tally, expires_at
""")
READ = text(
    "SELECT count AS tally, expires_at FROM rate_count WHERE key = :key AND expires_at > :now"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often, and until when that counts."""

    count: int
    ends: datetime


def count(
    engine: Engine | Connection,
    key: str,
    *,
    now: datetime,
    lasts: timedelta,
    amount: int = 1,
    stretch_to: int = 0,
) -> Counted:
    """Add `amount` to the count of `key`, which begins anew when its window has ended.

    Up to a count of `stretch_to` each addition begins the window again; beyond it the end stays.
    """
    values = {
        "key": key,
        "amount": amount,
        "now": now,
        "ends": now + lasts,
        "stretch_to": stretch_to,
    }
    with transaction(engine, COUNTER) as db:
        row = db.execute(COUNT, values).one()
    return Counted(row.tally, row.expires_at)


def read(engine: Engine | Connection, key: str, *, now: datetime) -> Counted | None:
    """The present count of `key`, `None` outside of a window."""
    with transaction(engine, COUNTER, read_only=True) as db:
        row = db.execute(READ, {"key": key, "now": now}).one_or_none()
    return None if row is None else Counted(row.tally, row.expires_at)


def forget(engine: Engine | Connection, key: str | None = None) -> None:
    """Forget one count, or all of them."""
    with transaction(engine, COUNTER) as db:
        db.execute(
            text("DELETE FROM rate_count WHERE key = coalesce(CAST(:key AS text), key)"),
            {"key": key},
        )
