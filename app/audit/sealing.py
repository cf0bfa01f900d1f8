"""Seal what was recorded: number it, hash it into the tree, sign a checkpoint.

One process at a time does this, about each second, apart from the business transactions, which
therefore never wait for each other here. Until then an event waits in `log_pending`.
"""

import base64
import secrets
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, delete, func, insert, select, text, tuple_
from sqlalchemy.orm import Session

from app.audit import merkle
from app.audit.copies import Copies, RolledBackError
from app.audit.leaves import commit_to, leaf_body, name_in, rows_of
from app.audit.models import LogCheckpoint, LogLeaf, LogNode, LogPending, LogSalt
from app.audit.notes import Checkpoint, NoteError, Signer, Verifier, open_note, parse_note
from app.audit.states import SEAL, cosignatures, denials, newest_of, tell
from app.db.session import Principal, Role, transaction

SEALER: Final = Principal("system:seal", role=Role.WORKER)
BATCH: Final = 2_000
# The advisory lock of the one sequencer; the number is ours alone in this database.
LOCK: Final = 7_362_001


class VanishedError(RuntimeError):
    """An event that waits to be sealed is gone: somebody removed it from the record."""


def seal(engine: Engine, signer: Signer, copies: Copies, *, now: datetime) -> Checkpoint | None:
    """Seal all that waits, and sign the log as it then is.

    In order: take the sequencer's lock (another holder: nothing is done, `None`); compare the log
    with the last checkpoint, in the database and outside, and hear what witnesses have against it;
    number what waits; hash it in; sign; commit; keep the copy. `RolledBackError` and
    `VanishedError` sign nothing. A copy that a crash left behind is brought up to date.
    """
    log = signer.verifier
    with transaction(engine, SEALER) as session:
        if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}):
            return None
        size = size_of(session)
        outside = check_history(session, log, copies, size)
        while (added := _number(session, size)) is not None:
            size += added
        tell(session, log, SEAL, None, "", now=now)
        signed = session.scalar(select(func.max(LogCheckpoint.size)))
        found = None
        if size == (signed or 0):
            newest = newest_of(session, log)
            if newest is None or (outside is not None and outside.size >= newest.size):
                return None
            note = newest.note
        else:
            found = Checkpoint(signer.name, size, root_of(session, size))
            note = f"{found.text}\n{signer.sign(found.text)}"
            session.add(LogCheckpoint(size=size, at=now, root=found.root, note=note))
    copies.keep(note, log)
    return found


def check_history(session: Session, log: Verifier, copies: Copies, size: int) -> Checkpoint | None:
    """Refuse to go on from a log that denies what was signed (a restore, a fork, a cut tail).

    Gives the copy outside. `RolledBackError` also when a witness has cosigned something else.
    """
    if said := denials(session, log):
        raise RolledBackError(f"A witness denies this log. {' '.join(said)}")
    inside = session.scalars(
        select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)
    ).one_or_none()
    signed = [] if inside is None else [_opened(inside, log)]
    outside = copies.newest(log)
    for one in [*signed, *([] if outside is None else [outside])]:
        if one.size > size:
            raise RolledBackError(
                f"The log has {size} leaves, but {one.size} were signed. Was a backup restored?"
            )
        if root_of(session, one.size) != one.root:
            raise RolledBackError(f"The first {one.size} leaves are not those that were signed.")
    return outside


def open_checkpoint(row: LogCheckpoint, log: Verifier) -> Checkpoint:
    """The checkpoint of a row; `NoteError` when the key that it names has not signed it.

    After a restore a new key goes on over the same leaves, and the old key is no longer there to
    verify with. What it signed must then still be the tree, which the new key's checkpoints cover.
    """
    claimed, _ = parse_note(row.note)
    return open_note(row.note, log) if claimed.origin == log.name else claimed


def _opened(row: LogCheckpoint, log: Verifier) -> Checkpoint:
    try:
        return open_checkpoint(row, log)
    except NoteError as error:
        raise RolledBackError(
            f"The checkpoint of {row.size} leaves is not good: {error}"
        ) from error


def size_of(session: Session) -> int:
    """How many leaves the log has."""
    newest = session.scalar(select(func.max(LogLeaf.idx)))
    return 0 if newest is None else newest + 1


def _number(session: Session, first: int) -> int | None:
    """Append a batch of what waits, and tell how much; `None` when nothing waits any more.

    What waits although it is sealed (a row that somebody put back) is not sealed twice.
    """
    waiting = session.execute(
        delete(LogPending)
        .where(
            LogPending.event_id.in_(
                select(LogPending.event_id).order_by(LogPending.event_id).limit(BATCH)
            )
        )
        .returning(LogPending.event_id, LogPending.kind)
    ).all()
    if not waiting:
        return None
    sealed = set(
        session.scalars(
            select(LogLeaf.event_id).where(LogLeaf.event_id.in_([one.event_id for one in waiting]))
        )
    )
    waiting = [one for one in waiting if one.event_id not in sealed]
    if not waiting:
        return 0
    kinds = defaultdict(list)
    for event_id, kind in sorted(waiting):
        kinds[kind].append(event_id)
    rows = {kind: rows_of(session, kind, ids) for kind, ids in kinds.items()}
    leaves: list[dict[str, Any]] = []
    salts: list[dict[str, Any]] = []
    for event_id, kind in sorted(waiting):
        row = rows[kind].get(event_id)
        if row is None:
            raise VanishedError(f"Event {event_id} of {kind} was recorded and is gone.")
        name, commitment = name_in(kind, row), None
        if name is not None:
            salt = secrets.token_bytes(16)
            commitment = commit_to(salt, name)
            salts.append({"event_id": event_id, "salt": salt})
        leaves.append(
            {
                "idx": first + len(leaves),
                "event_id": event_id,
                "kind": kind,
                "hash": merkle.leaf_hash(leaf_body(kind, row, commitment)),
                "commitment": commitment,
            }
        )
    session.execute(insert(LogLeaf), leaves)
    if salts:
        session.execute(insert(LogSalt), salts)
    _grow(session, first, [one["hash"] for one in leaves])
    return len(leaves)


def _grow(session: Session, first: int, hashes: Sequence[bytes]) -> None:
    kept = hashes_at(session, merkle.needed_to_grow(first, len(hashes)))
    made = merkle.grown(first, hashes, kept.__getitem__)
    if made:
        session.execute(
            insert(LogNode),
            [{"level": level, "idx": idx, "hash": value} for (level, idx), value in made.items()],
        )


def hashes_at(session: Session, places: set[merkle.Place]) -> dict[merkle.Place, bytes]:
    """The kept hashes at these places; leaves are level 0."""
    leaves = [idx for level, idx in places if level == 0]
    found = {
        (0, idx): value
        for idx, value in session.execute(
            select(LogLeaf.idx, LogLeaf.hash).where(LogLeaf.idx.in_(leaves))
        )
    }
    inner = [place for place in places if place[0]]
    if inner:
        nodes = select(LogNode.level, LogNode.idx, LogNode.hash).where(
            tuple_(LogNode.level, LogNode.idx).in_(inner)
        )
        found |= {(level, idx): value for level, idx, value in session.execute(nodes)}
    return found


def ranges_of(session: Session, ranges: Sequence[merkle.Range]) -> list[bytes]:
    """The hashes over these ranges of leaves, in order."""
    kept = hashes_at(session, merkle.kept_places(ranges))
    return [merkle.range_hash(lo, hi, kept.__getitem__) for lo, hi in ranges]


def root_of(session: Session, size: int) -> bytes:
    """The root over the first `size` leaves."""
    return ranges_of(session, [(0, size)])[0]


def proof_of(session: Session, event_id: uuid.UUID) -> str | None:
    """The proof that an event is in the log, in the form of C2SP's tlog-proof; checkable offline.

    `None` while the event waits for its checkpoint.
    """
    leaf = session.scalars(select(LogLeaf).where(LogLeaf.event_id == event_id)).one_or_none()
    if leaf is None:
        return None
    under = session.scalars(
        select(LogCheckpoint)
        .where(LogCheckpoint.size > leaf.idx)
        .order_by(LogCheckpoint.size)
        .limit(1)
    ).one_or_none()
    if under is None:
        return None
    path = ranges_of(session, merkle.inclusion_ranges(leaf.idx, under.size))
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in path)
    cosigned = cosignatures(session, under.size, under.size).get(under.size, "")
    return f"c2sp.org/tlog-proof@v1\nindex {leaf.idx}\n{hashes}\n{under.note}{cosigned}"
