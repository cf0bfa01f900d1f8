"""Which version of a partner's answer is the newest one, and whether it still grants.

A version has the number of the register change that made it: dense, never used twice, and made of
nothing about the partner. That is what a status list is indexed by.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from app.kernel.errors import UnavailableError
from app.register.models import RegisterChange
from app.register.programme import PROGRAMMES, Status
from app.register.queries import OLDEST_DATA_MS, Head


class Validity(IntEnum):
    """What a status list says of a version, in the words of the Token Status List."""

    VALID = 0
    """It is the newest, it grants, and nothing of it changes while the list lives."""
    INVALID = 1
    """Anything else: replaced, about to change, granting nothing, or never a partner's."""
    SUSPENDED = 2
    """It is the newest, and says that the partner is suspended."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What is known of every version up to `head`; whichever is not named is `INVALID`."""

    head: Head
    known: dict[int, Validity]


def newest_version(session: Session, trader_id: uuid.UUID, *, upto: int) -> int | None:
    """The number of the trader's newest change that is not above `upto`."""
    return session.scalar(
        select(func.max(RegisterChange.seq)).where(
            RegisterChange.trader_id == trader_id, RegisterChange.seq <= upto
        )
    )


# One statement, so one snapshot: a change that commits meanwhile is in the next list.
_VERSIONS = text("""
WITH moment AS (
  SELECT coalesce(max(last), 0) AS seq, coalesce(max(at), :now) AS at FROM register_sequencer
), newest AS (
  SELECT trader_id, max(seq) AS version FROM register_change GROUP BY trader_id
)
SELECT moment.seq, moment.at,
       CASE WHEN pg_is_in_recovery()
            THEN coalesce(ceil(1000 * extract(epoch FROM
                   clock_timestamp() - pg_last_xact_replay_timestamp())), 1e9)
            ELSE 0 END AS age_ms,
       n.version, e.programme, e.status, e.tier,
       lower(e.valid) AS since, upper(e.valid) AS until
FROM moment
LEFT JOIN (newest n JOIN register_entry e
             ON e.trader_id = n.trader_id AND upper_inf(e.recorded)
            AND e.valid && tstzrange(:now, :until, '[)')) ON true
ORDER BY n.version
""")


def newest_versions(session: Session, *, now: datetime, until: datetime) -> Versions:
    """What each partner's newest version is worth from `now` to `until`.

    Doubt resolves downward: a version is `VALID` only when it grants now and no entry of its
    partner begins or ends before `until`. `UnavailableError` with `register-stale` when a
    replica's data is older than five seconds. Source: design, section 4.
    """
    rows = session.execute(_VERSIONS, {"now": now, "until": until}).all()
    if int(rows[0].age_ms) > OLDEST_DATA_MS:
        raise UnavailableError(
            "The register cannot be read afresh just now.", code="register-stale"
        )
    found = Head(int(rows[0].seq), rows[0].at)
    return Versions(found, dict(_judged(rows, now, until)))


def _judged(
    rows: Sequence[Row[Any]], now: datetime, until: datetime
) -> Iterator[tuple[int, Validity]]:
    for version, entries in groupby(rows, key=lambda row: row.version):
        if version is not None:
            yield version, _judge(list(entries), now, until)


def _judge(entries: Sequence[Row[Any]], now: datetime, until: datetime) -> Validity:
    in_force = [one for one in entries if one.since <= now]
    if any(_grants(one) for one in in_force):
        steady = all(
            one.since <= now and (one.until is None or one.until >= until) for one in entries
        )
        return Validity.VALID if steady else Validity.INVALID
    if any(one.status == Status.SUSPENDED for one in in_force):
        return Validity.SUSPENDED
    return Validity.INVALID


def _grants(entry: Row[Any]) -> bool:
    programme = PROGRAMMES.get(entry.programme)
    return programme is not None and programme.grants(Status(entry.status), entry.tier)
