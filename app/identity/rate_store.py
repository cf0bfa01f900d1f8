"""Counting in PostgreSQL, so that a limit holds over all workers and hosts.

The table is not logged: it is written at each attempt, and after a crash a fresh count is good
enough. Every call is one statement, most in a short transaction of their own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app.db.session import Principal, Role, transaction

COUNTER = Principal("system:limits", role=Role.ENTRY)

COUNT = text("""
    INSERT INTO rate_count AS kept (key, count, expires_at) VALUES (:key, :amount, :ends)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN kept.expires_at <= :now THEN :amount ELSE kept.count + :amount END,
      expires_at = CASE
        WHEN kept.expires_at <= :now OR kept.count + :amount <= :stretch_to THEN :ends
        ELSE kept.expires_at END
    RETURNING count AS tally, expires_at
""")
COUNT_ALL = text("""
    INSERT INTO rate_count AS kept (key, count, expires_at)
    SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:counts AS bigint[]),
                         CAST(:ends AS timestamptz[]))
    ON CONFLICT (key) DO UPDATE SET count = kept.count + EXCLUDED.count
    RETURNING key, count AS tally
""")
READ_ALL = text("SELECT key, count AS tally FROM rate_count WHERE key = ANY(:keys)")
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


def count_all(db: Session, keys: Mapping[str, datetime], *, amount: int = 1) -> dict[str, int]:
    """Add `amount` to the count of each key, which lasts until the given instant; gives all counts.

    In a transaction of the caller, who ends it soon: until then others wait for the same keys. A
    key names its window, so that no count begins anew. One statement and one order of the keys:
    two requests at once wait for each other and never for ever.
    """
    names = sorted(keys)
    values = {"keys": names, "counts": [amount] * len(names), "ends": [keys[one] for one in names]}
    return {row.key: row.tally for row in db.execute(COUNT_ALL, values)}


def read_all(engine: Engine | Connection, keys: Collection[str]) -> dict[str, int]:
    """The counts of these keys, 0 for one that was never counted."""
    with transaction(engine, COUNTER, read_only=True) as db:
        found = {row.key: row.tally for row in db.execute(READ_ALL, {"keys": list(keys)})}
    return {key: found.get(key, 0) for key in keys}


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
