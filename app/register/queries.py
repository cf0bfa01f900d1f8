"""What is read of the register. One statement, so one snapshot, for each answer."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotFoundError, UnavailableError
from app.kernel.identifiers import Identifier, Scheme, parse
from app.register.answer import Moment, StatusAnswer, assemble
from app.register.models import Determination, RegisterChange, RegisterEntry, RegisterSequencer
from app.register.programme import PROGRAMMES, Status
from app.register.rules import Standing
from app.register.standing import Ground, ProgrammeStanding, describe
from app.register.workflow import DeterminationState
from app.traders.models import Trader
from app.traders.sealing import lookup_key
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE: Final = Determination._state  # noqa: SLF001
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


def standing_of_entry(entry: RegisterEntry) -> Standing:
    """What an entry says, without the time over which it was known."""
    assert entry.valid.lower is not None  # noqa: S101 - the table's CHECK; for the type checker.
    return Standing(
        programme=entry.programme,
        status=Status(entry.status),
        tier=entry.tier,
        restrictions=tuple(entry.restrictions),
        effective_from=entry.valid.lower,
        effective_until=entry.valid.upper,
        reason_code=entry.reason_code,
        reason_text=entry.reason_text,
        determination_id=entry.determination_id,
    )


def _known(known_at: datetime | None) -> Any:  # noqa: ANN401 - a SQL condition.
    if known_at is None:
        return func.upper_inf(RegisterEntry.recorded)
    return RegisterEntry.recorded.contains(known_at)


def standings_of(
    session: Session,
    trader_id: uuid.UUID,
    *,
    valid_at: datetime,
    known_at: datetime | None = None,
) -> dict[str, Standing]:
    """The trader's standing at `valid_at` in each programme where it has one, as known then."""
    entries = session.scalars(
        select(RegisterEntry)
        .where(
            RegisterEntry.trader_id == trader_id,
            RegisterEntry.valid.contains(valid_at),
            _known(known_at),
        )
        .order_by(RegisterEntry.programme)
        .execution_options(populate_existing=True)
    )
    return {entry.programme: standing_of_entry(entry) for entry in entries}


def standing_of(
    session: Session,
    trader_id: uuid.UUID,
    programme: str,
    *,
    valid_at: datetime,
    known_at: datetime | None = None,
) -> Standing | None:
    """The trader's standing in one programme at `valid_at`; `None` when no entry is in force.

    `known_at` asks for what was known then; without it, for what is known now.
    """
    return standings_of(session, trader_id, valid_at=valid_at, known_at=known_at).get(programme)


def history_of(
    session: Session, trader_id: uuid.UUID, programme: str | None = None
) -> list[Standing]:
    """The trader's standings as they are now known, from the newest on; future ones come first."""
    statement = select(RegisterEntry).where(
        RegisterEntry.trader_id == trader_id, func.upper_inf(RegisterEntry.recorded)
    )
    if programme is not None:
        statement = statement.where(RegisterEntry.programme == programme)
    entries = session.scalars(
        statement.order_by(
            func.lower(RegisterEntry.valid).desc(), RegisterEntry.programme
        ).execution_options(populate_existing=True)
    )
    return [standing_of_entry(entry) for entry in entries]


def versions_of(session: Session, trader_id: uuid.UUID) -> Sequence[RegisterEntry]:
    """Every version ever recorded of the trader's entries, what is no longer believed included."""
    return session.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.trader_id == trader_id)
        .order_by(RegisterEntry.seq.desc(), func.lower(RegisterEntry.valid))
    ).all()


def partners(
    *,
    valid_at: datetime,
    programme: str | None = None,
    status: Status | None = None,
    name: str = "",
) -> Select[Trader, RegisterEntry]:
    """The console's list: each trader with an entry in force, ordered by name, ready to page.

    `name` filters by a part of the trader's name.
    """
    statement = (
        select(Trader, RegisterEntry)
        .join(RegisterEntry, RegisterEntry.trader_id == Trader.id)
        .where(RegisterEntry.valid.contains(valid_at), func.upper_inf(RegisterEntry.recorded))
        .order_by(Trader.name, Trader.id, RegisterEntry.programme)
    )
    if programme:
        statement = statement.where(RegisterEntry.programme == programme)
    if status:
        statement = statement.where(RegisterEntry.status == status)
    if name.strip():
        statement = statement.where(Trader.name.icontains(name.strip(), autoescape=True))
    return statement


def visible_determination(
    work: Work, determination_id: uuid.UUID, permission: Permission = Permission.CASE_VIEW
) -> Determination:
    """The determination, when the actor holds the permission on its trader; else `NotFoundError`."""
    found = work.session.get(Determination, determination_id)
    if found is None or not may(work.actor, permission, found):
        raise NotFoundError
    return found


def determinations_open(session: Session) -> Sequence[Determination]:
    """Every determination that waits for its second signature, the longest-waiting first."""
    return session.scalars(
        select(Determination)
        .where(STATE.in_([DeterminationState.PROPOSED, DeterminationState.IN_FORCE]))
        .order_by(Determination.proposed_at, Determination.id)
    ).all()


def determinations_of(session: Session, trader_id: uuid.UUID) -> Sequence[Determination]:
    """Every determination on a trader, the newest first."""
    return session.scalars(
        select(Determination)
        .where(Determination.trader_id == trader_id)
        .order_by(Determination.proposed_at.desc(), Determination.id.desc())
    ).all()


def described(session: Session, trader_id: uuid.UUID, *, at: datetime) -> list[ProgrammeStanding]:
    """The trader's standing in every programme, in words; two statements, however many there are."""
    history = history_of(session, trader_id)
    rows = session.execute(
        select(Determination.id, Determination.move, Determination.reference).where(
            Determination.id.in_({one.determination_id for one in history})
        )
    )
    grounds: dict[object, Ground] = {row.id: Ground(row.move, row.reference) for row in rows}
    return [
        describe(programme, [one for one in history if one.programme == programme.id], grounds, at)
        for programme in PROGRAMMES.values()
    ]


def breaches(session: Session, now: datetime) -> Sequence[Determination]:
    """The urgent suspensions whose second signature is overdue; each stands all the same.

    Source: design, section 4: a supervisor sees the breach, nothing lapses by itself.
    """
    return session.scalars(
        select(Determination)
        .where(STATE == DeterminationState.IN_FORCE, Determination.countersign_due_at <= now)
        .order_by(Determination.countersign_due_at, Determination.id)
    ).all()


def from_on(session: Session, trader_id: uuid.UUID, programme: str, at: datetime) -> list[Standing]:
    """The standings known now that are in force at `at` or begin later, in order of time."""
    entries = session.scalars(
        select(RegisterEntry)
        .where(
            RegisterEntry.trader_id == trader_id,
            RegisterEntry.programme == programme,
            func.upper_inf(RegisterEntry.recorded),
            RegisterEntry.valid.overlaps(Range(at, None)),
        )
        .order_by(func.lower(RegisterEntry.valid))
        .execution_options(populate_existing=True)
    )
    return [standing_of_entry(entry) for entry in entries]
