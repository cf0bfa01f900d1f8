"""What a copy of the register asks in order to follow it: what has changed, and how old is the news."""

from typing import Final

from sqlalchemy import Text, cast, literal, select, text, tuple_
from sqlalchemy.orm import Session

from app.register.models import RegisterChange
from app.traders.models import TraderIdentifier
from app.traders.workflow import IdentifierState

# The state column is private so that only `app.work.move` writes it; reading it is free.
IDENTIFIER_STATE: Final = TraderIdentifier._state  # noqa: SLF001


def partners_changed(session: Session, *, after: int, until: int) -> list[tuple[str, str]]:
    """The identifiers, by scheme and look-up key, about which changes in `(after, until]` tell.

    All that such a trader ever claimed, whatever became of it: of one that it no longer holds
    somebody else may be the holder now, or nobody.
    """
    rows = session.execute(
        select(TraderIdentifier.scheme, TraderIdentifier.lookup_key)
        .join(RegisterChange, RegisterChange.trader_id == TraderIdentifier.trader_id)
        .where(RegisterChange.seq > after, RegisterChange.seq <= until)
        .distinct()
    )
    return [(scheme.value, key) for scheme, key in rows]


def verified_identifiers(
    session: Session, *, after: tuple[str, str], limit: int
) -> list[tuple[str, str]]:
    """Up to `limit` identifiers that somebody holds, in order, beginning after one of them."""
    rows = session.execute(
        select(TraderIdentifier.scheme, TraderIdentifier.lookup_key)
        .where(
            IDENTIFIER_STATE == IdentifierState.VERIFIED,
            tuple_(cast(TraderIdentifier.scheme, Text), TraderIdentifier.lookup_key)
            > tuple_(literal(after[0]), literal(after[1])),
        )
        .distinct()
        .order_by(TraderIdentifier.scheme, TraderIdentifier.lookup_key)
        .limit(limit)
    )
    return [(scheme.value, key) for scheme, key in rows]


def change_numbered(session: Session, seq: int) -> RegisterChange | None:
    """The change with this number."""
    return session.get(RegisterChange, seq)


def replay_age_ms(session: Session) -> float:
    """How far a replica is behind in milliseconds, 0 on a primary; a bound, not an estimate."""
    return float(session.execute(_AGE).scalar_one())


_AGE = text(
    "SELECT CASE WHEN pg_is_in_recovery()"
    " THEN coalesce(1000 * extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()),"
    " 1e9) ELSE 0 END"
)
