"""Have what was signed cosigned by a witness elsewhere (C2SP's tlog-witness).

No transaction is open while the witness is asked, and nobody waits for it but the thread that asks.
Only the newest checkpoint is sent: a cosignature on it covers everything before, so an outage is
caught up with one question.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from app.audit import merkle
from app.audit.copies import Copies
from app.audit.models import LogCheckpoint, LogCosignature
from app.audit.notes import WITNESS, NoteError, Verifier, cosigned_by, submission
from app.audit.sealing import SEALER, ranges_of
from app.audit.states import DENIED, LATE, cosigned_size, newest_of, tell, witness_part
from app.db.session import transaction

ATTEMPTS: Final = 3
ACCEPTED, NOT_SIGNED, UNKNOWN, CONFLICT, UNPROVEN = 200, 403, 404, 409, 422
SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,17})\n?", re.ASCII)

Post = Callable[[str, str], tuple[int, str]]
"""Sends a submission to an address, and gives status and body; `OSError` when nobody answers."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness's key and the address that `add-checkpoint` is below."""

    key: Verifier
    address: str

    @classmethod
    def parse(cls, line: str) -> "Witness":
        """Read `KEY ADDRESS`; `NoteError` when it is not of that form."""
        key, _, address = line.strip().partition(" ")
        found = cls(Verifier.parse(key), address.strip().rstrip("/"))
        if found.key.kind != WITNESS or not found.address.startswith(("http://", "https://")):
            raise NoteError("A witness is its key and its address in one line.")
        return found


def ask(
    engine: Engine, log: Verifier, copies: Copies, witness: Witness, post: Post, *, now: datetime
) -> bool:
    """Have the newest checkpoint cosigned; tell whether it now is.

    In order: read the newest checkpoint and, from what the witness has, the proof that it grew;
    ask; verify the cosignature and store it, in the database and in the copy. A 409 with a size
    below ours is asked again from there: an answer was lost, or another worker was quicker. What the
    witness has against the log is stored as `denied` and stops the signing; what hinders it, as `late`.
    """
    name = witness.key.name
    old: int | None = None
    for _ in range(ATTEMPTS):
        with transaction(engine, SEALER, read_only=True) as session:
            newest = newest_of(session, log)
            if newest is None:
                return False
            if old is None:
                old = cosigned_size(session, log, name)
            if old > newest.size:
                break
            proof = ranges_of(session, merkle.consistency_ranges(old, newest.size))
        try:
            status, body = post(
                f"{witness.address}/add-checkpoint", submission(old, proof, newest.note)
            )
        except OSError as error:
            _tell(engine, log, name, LATE, f"It does not answer. {error}", now)
            return False
        if status == ACCEPTED:
            return _cosigned(engine, log, copies, witness, newest, body, now)
        heard = _heard(status, body, old, newest.size)
        if not isinstance(heard, int):
            _tell(engine, log, name, *heard, now)
            return False
        old = heard
    with transaction(engine, SEALER, read_only=True) as session:
        newest = newest_of(session, log)
        signed = newest.size if newest else 0
    if old is not None and old > signed:
        said = f"It cosigned {old} leaves, but only {signed} are signed here: rolled back."
        _tell(engine, log, name, DENIED, said, now)
    return False


def _heard(status: int, body: str, old: int, size: int) -> int | tuple[str, str]:
    """From which size to ask again, or what kind of trouble a refusal is, and the words for it."""
    if status == UNPROVEN:
        return DENIED, f"The {size} leaves did not grow from the {old} it cosigned: a fork."
    if status == CONFLICT and (found := SIZE.fullmatch(body)):
        if int(found[1]) == old == size:
            return DENIED, f"It cosigned another root of {size} leaves: a fork."
        return int(found[1])
    why = {NOT_SIGNED: "It has another key for this log.", UNKNOWN: "It knows no such log."}
    return LATE, why.get(status, f"It answered {status}.")


def _cosigned(
    engine: Engine,
    log: Verifier,
    copies: Copies,
    witness: Witness,
    newest: LogCheckpoint,
    body: str,
    now: datetime,
) -> bool:
    name = witness.key.name
    lines = [one for one in body.splitlines(keepends=True) if one.startswith(f"\u2014 {name} ")]
    good = [one for one in lines if cosigned_by(newest.note, one, witness.key)]
    if not good:
        _tell(engine, log, name, LATE, "It answered without a good cosignature.", now)
        return False
    with transaction(engine, SEALER) as session:
        session.execute(
            insert(LogCosignature)
            .values(size=newest.size, witness=name, origin=log.name, at=now, line=good[0])
            .on_conflict_do_nothing()
        )
    _tell(engine, log, name, None, "", now)
    copies.keep(newest.note + good[0], log)
    return True


def _tell(
    engine: Engine, log: Verifier, name: str, kind: str | None, said: str, now: datetime
) -> None:
    """Remember what a witness last had to say; a row is written only when that is something new."""
    with transaction(engine, SEALER) as session:
        tell(session, log, witness_part(name), kind, said, now=now)
