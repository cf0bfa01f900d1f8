"""What the register answers about identifiers. One statement, so one snapshot, for each answer."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from app.kernel.errors import UnavailableError
from app.kernel.identifiers import Identifier, Scheme, parse
from app.register.answer import Moment, StatusAnswer, assemble
from app.register.models import RegisterChange, RegisterSequencer
from app.register.programme import PROGRAMMES, Status
from app.register.rules import Standing
from app.traders.sealing import lookup_key

OLDEST_DATA_MS: Final = 5_000


_SCHEMES: Final = {scheme.value: scheme for scheme in Scheme}


@dataclass(frozen=True, slots=True)
class Head:
    """The newest change: its number and its instant; number 0 of an empty register."""

    seq: int
    at: datetime


def head(session: Session, *, now: datetime) -> Head:
    """The newest change of the register."""
    row = session.execute(select(RegisterSequencer.last, RegisterSequencer.at)).one_or_none()
    return Head(row.last, row.at) if row else Head(0, now)


def changes(
    session: Session, *, after: int, limit: int, now: datetime
) -> tuple[Sequence[RegisterChange], Head]:
    """Up to `limit` changes with a number above `after`, in order, and the head."""
    newest = head(session, now=now)
    found = session.scalars(
        select(RegisterChange)
        # Read in a second statement, so what the head does not know yet is left for next time.
        .where(RegisterChange.seq > after, RegisterChange.seq <= newest.seq)
        .order_by(RegisterChange.seq)
        .limit(limit)
    ).all()
    return found, newest


# The knowledge is that of the newest change, or an older one; never a later instant, of which
# nothing can be known yet. Without a wish for older knowledge, an identifier counts as the
# agency sees it now, whether or not its change has a number already.
_ANSWERS = text("""
WITH moment AS (
  SELECT coalesce(max(last), 0) AS seq,
         least(coalesce(CAST(:known_at AS timestamptz), max(at), :now),
               coalesce(max(at), :now)) AS known
  FROM register_sequencer
), holder AS (
  SELECT i.scheme, i.lookup_key, i.trader_id
  FROM (SELECT DISTINCT scheme, lookup_key
        FROM unnest(CAST(:schemes AS text[]), CAST(:keys AS text[])) AS a(scheme, lookup_key)
       ) asked
  JOIN trader_identifier i USING (scheme, lookup_key)
  CROSS JOIN moment
  WHERE CASE WHEN CAST(:known_at AS timestamptz) IS NULL THEN i.state = 'verified'
        ELSE i.verified_at <= known
             AND (i.refused_at > known) IS NOT FALSE
             AND (i.withdrawn_at > known) IS NOT FALSE
        END
)
SELECT moment.seq, moment.known,
       CASE WHEN pg_is_in_recovery()
            THEN coalesce(ceil(1000 * extract(epoch FROM
                   clock_timestamp() - pg_last_xact_replay_timestamp())), 1e9)
            ELSE 0 END AS age_ms,
       h.scheme, h.lookup_key, h.trader_id,
       e.programme, e.status, e.tier, e.restrictions, e.reason_code, e.reason_text,
       lower(e.valid) AS effective_from, upper(e.valid) AS effective_until, e.determination_id
FROM moment
LEFT JOIN holder h ON true
LEFT JOIN register_entry e
  ON e.trader_id = h.trader_id
 AND e.recorded @> moment.known
 AND e.valid && tstzrange(:valid_at, NULL, '[)')
 AND (CAST(:programme AS text) IS NULL OR e.programme = :programme)
""")


def answer(
    session: Session,
    scheme: str,
    value: str,
    *,
    now: datetime,
    programme: str | None = None,
    valid_at: datetime | None = None,
    known_at: datetime | None = None,
    min_seq: int | None = None,
) -> StatusAnswer:
    """The status answer for one identifier; see `answers`.

    `ValueError` for an unknown scheme, its subclass `MalformedIdentifierError` for a value that
    is no identifier of the scheme.
    """
    if scheme not in _SCHEMES:
        msg = "There is no such identifier scheme."
        raise ValueError(msg)
    identifier = parse(_SCHEMES[scheme], value)
    return answers(
        session,
        [identifier],
        now=now,
        programme=programme,
        valid_at=valid_at,
        known_at=known_at,
        min_seq=min_seq,
    )[0]


def answers(
    session: Session,
    identifiers: Sequence[Identifier],
    *,
    now: datetime,
    programme: str | None = None,
    valid_at: datetime | None = None,
    known_at: datetime | None = None,
    min_seq: int | None = None,
) -> list[StatusAnswer]:
    """The status answers for many identifiers, in their order, of one instant, in one statement.

    `programme` keeps the others' standings out. `valid_at` is for when the question is asked,
    `now` by default; `known_at` what was known when, the newest by default and at most.
    `UnavailableError` with code `not-yet` while change `min_seq` has not been seen, and with
    `register-stale` when a replica's data is older than five seconds. Source: contract, internal
    API; reference on reliability, section 2.
    """
    as_of = valid_at or now
    keys = [(one.scheme.value, lookup_key(one)) for one in identifiers]
    moment, holders = holdings(
        session, keys, now=now, valid_at=as_of, known_at=known_at, programme=programme
    )
    if moment.data_age_ms > OLDEST_DATA_MS:
        raise UnavailableError(
            "The register cannot be read afresh just now.", code="register-stale"
        )
    if min_seq is not None and moment.seq < min_seq:
        raise UnavailableError(
            "The register has not reached change %(min_seq)s yet.",
            code="not-yet",
            min_seq=min_seq,
        )
    return [
        assemble(one, holders.get(key, {}), moment, PROGRAMMES)
        for one, key in zip(identifiers, keys, strict=True)
    ]


def holdings(
    session: Session,
    keys: Sequence[tuple[str, str]],
    *,
    now: datetime,
    valid_at: datetime,
    known_at: datetime | None = None,
    programme: str | None = None,
) -> tuple[Moment, Mapping[tuple[str, str], dict[uuid.UUID, list[Standing]]]]:
    """Who holds the identifiers, by scheme and look-up key, with their standings from then on.

    One statement, so one snapshot. A holder without a standing has an empty list.
    """
    rows = session.execute(
        _ANSWERS,
        {
            "now": now,
            "known_at": known_at,
            "valid_at": valid_at,
            "programme": programme,
            "schemes": [scheme for scheme, _ in keys],
            "keys": [key for _, key in keys],
        },
    ).all()
    moment = Moment(int(rows[0].seq), valid_at, rows[0].known, int(rows[0].age_ms))
    return moment, _holders(rows)


def _holders(
    rows: Sequence[Row[Any]],
) -> Mapping[tuple[str, str], dict[uuid.UUID, list[Standing]]]:
    found: dict[tuple[str, str], dict[uuid.UUID, list[Standing]]] = {}
    for row in rows:
        if row.trader_id is None:
            continue
        of_key = found.setdefault((row.scheme, row.lookup_key), {})
        entries = of_key.setdefault(row.trader_id, [])
        if row.programme is not None:
            entries.append(_standing_of_row(row))
    return found


def _standing_of_row(row: Row[Any]) -> Standing:
    return Standing(
        programme=row.programme,
        status=Status(row.status),
        tier=row.tier,
        restrictions=tuple(row.restrictions),
        effective_from=row.effective_from,
        effective_until=row.effective_until,
        reason_code=row.reason_code,
        reason_text=row.reason_text,
        determination_id=row.determination_id,
    )
