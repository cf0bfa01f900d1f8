"""Check the live record against the log, and write the export that strangers check offline."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.audit import merkle
from app.audit.copies import Copies, RolledBackError
from app.audit.leaves import NAMING, commit_to, leaf_body, name_in, rows_of
from app.audit.models import AuditEvent, LogCheckpoint, LogCosignature, LogLeaf, LogPending, LogSalt
from app.audit.notes import NoteError, Verifier, cosigned_by
from app.audit.sealing import open_checkpoint
from app.audit.states import cosignatures, denials
from app.audit.tags import EventTag

PAGE = 2_000
MOST_STRAY = 20
EXPORT = "fairway-audit-export/1"


def leaves_in_order(session: Session) -> Iterator[Sequence[LogLeaf]]:
    """The leaves from 0, a page at a time."""
    after = -1
    while page := session.scalars(
        select(LogLeaf).where(LogLeaf.idx > after).order_by(LogLeaf.idx).limit(PAGE)
    ).all():
        yield page
        after = page[-1].idx
        session.expunge_all()


def faults(
    session: Session, log: Verifier, copies: Copies, witnesses: Sequence[Verifier] = ()
) -> Iterator[str]:
    """Everything that is not as it was sealed, each with its place; nothing when all is well.

    Events against leaves, leaves against checkpoints, checkpoints against the log's key, the
    newest one against the copy outside, cosignatures against the keys of `witnesses`, and the
    record against the log: an event that is neither sealed nor waiting was slipped in or cut off.
    What a witness has against the log is told as well.
    """
    tree = merkle.Frontier()
    notes = {
        one.size: one for one in session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size))
    }
    roots: dict[int, bytes] = {}
    outside = None
    try:
        outside = copies.newest(log)
    except RolledBackError as error:
        yield str(error)
    asked = set(notes) | ({outside.size} if outside else set())
    for page in leaves_in_order(session):
        yield from _faults_of_rows(session, page)
        for leaf in page:
            if leaf.idx != tree.size:
                yield f"Leaf {tree.size} is missing; the next one is {leaf.idx}."
                return
            tree.add(leaf.hash)
            if tree.size in asked:
                roots[tree.size] = tree.root()
    for size, row in notes.items():
        yield from _faults_of_checkpoint(row, log, roots.get(size))
    yield from _faults_of_cosignatures(session, notes, witnesses)
    yield from denials(session, log)
    if outside is not None:
        if outside.size > tree.size:
            yield (f"The tail is cut off: {outside.size} leaves were signed, {tree.size} are here.")
        elif roots[outside.size] != outside.root:
            yield f"The first {outside.size} leaves are not those of the copy outside."
    yield from _faults_of_record(session)


def _faults_of_rows(session: Session, page: Sequence[LogLeaf]) -> Iterator[str]:
    ids = defaultdict(list)
    for leaf in page:
        ids[leaf.kind].append(leaf.event_id)
    rows: dict[Any, dict[str, Any]] = {}
    for kind, wanted in ids.items():
        if kind in NAMING:
            rows |= rows_of(session, kind, wanted)
    salts = {
        one.event_id: one.salt
        for one in session.scalars(
            select(LogSalt).where(LogSalt.event_id.in_([leaf.event_id for leaf in page]))
        )
    }
    people = {row.get("person_id") for row in rows.values()} - {None}
    erased = {
        str(one)
        for one in session.scalars(
            select(AuditEvent.subject_id).where(
                AuditEvent.tag == EventTag.PERSON_ERASED, AuditEvent.subject_id.in_(people)
            )
        )
    }
    for leaf in page:
        row = rows.get(leaf.event_id)
        if row is None:
            yield f"Leaf {leaf.idx}: its event {leaf.event_id} of {leaf.kind} is gone."
            continue
        if merkle.leaf_hash(leaf_body(leaf.kind, row, leaf.commitment)) != leaf.hash:
            yield f"Leaf {leaf.idx}: event {leaf.event_id} of {leaf.kind} was altered."
        salt, name = salts.get(leaf.event_id), name_in(leaf.kind, row)
        if name is not None and leaf.commitment is not None and salt is None and name:
            yield f"Leaf {leaf.idx}: the salt of its name is gone, but the name is not."
        if leaf.commitment is not None and salt is None and row.get("person_id") not in erased:
            yield f"Leaf {leaf.idx}: its name was erased, and no event says by whom."
        if salt is not None and commit_to(salt, name or "") != leaf.commitment:
            yield f"Leaf {leaf.idx}: the name in event {leaf.event_id} was altered."


def _faults_of_checkpoint(row: LogCheckpoint, log: Verifier, root: bytes | None) -> Iterator[str]:
    try:
        found = open_checkpoint(row, log)
    except NoteError as error:
        yield f"Checkpoint {row.size}: {error}"
        return
    if root is None:
        yield f"Checkpoint {row.size}: the log has fewer leaves. Its tail was cut off."
    elif (found.size, found.root) != (row.size, root):
        yield f"Checkpoint {row.size}: the leaves before it are not those that were signed."


def _faults_of_cosignatures(
    session: Session, notes: Mapping[int, LogCheckpoint], witnesses: Sequence[Verifier]
) -> Iterator[str]:
    keys = {one.name: one for one in witnesses}
    for one in session.scalars(select(LogCosignature).order_by(LogCosignature.size)):
        row, key = notes.get(one.size), keys.get(one.witness)
        if row is None:
            yield f"Checkpoint {one.size}: {one.witness} cosigned it, and it is gone."
        elif key is not None and not cosigned_by(row.note, one.line, key):
            yield f"Checkpoint {one.size}: the cosignature of {one.witness} is not good."


def _faults_of_record(session: Session) -> Iterator[str]:
    for idx in session.scalars(
        select(LogLeaf.idx)
        .join(LogPending, LogPending.event_id == LogLeaf.event_id)
        .order_by(LogLeaf.idx)
        .limit(MOST_STRAY)
    ):
        yield f"Leaf {idx}: its event waits to be sealed a second time."
    for kind in NAMING:
        stray = session.execute(
            text(
                # house: sql-from-parts - constants of ours.
                f"SELECT id FROM {kind} t WHERE NOT EXISTS"  # nosec B608  # noqa: S608 - likewise.
                " (SELECT 1 FROM log_leaf l WHERE l.event_id = t.id) AND NOT EXISTS"
                " (SELECT 1 FROM log_pending p WHERE p.event_id = t.id)"
                f" ORDER BY id LIMIT {MOST_STRAY}"
            )
        )
        for (event_id,) in stray:
            yield f"Event {event_id} of {kind} is neither sealed nor waiting to be."


def waiting(session: Session) -> int:
    """How many events are not sealed yet."""
    return session.scalar(select(func.count()).select_from(LogPending)) or 0


def export(session: Session, log: Verifier, into: TextIO) -> int:
    """Write the whole log as lines of JSON, and return its size.

    First the format and the log's public key; then each leaf with its body, and after the leaf
    that completes it each checkpoint of this key with its cosignatures, and at the end how many
    leaves there are. Names stand in it only as commitments.
    """
    into.write(json.dumps({"format": EXPORT, "key": str(log)}) + "\n")
    notes = dict(
        session.execute(
            select(LogCheckpoint.size, LogCheckpoint.note)
            .where(LogCheckpoint.note.startswith(f"{log.name}\n", autoescape=True))
            .order_by(LogCheckpoint.size)
        ).all()
    )
    size = 0
    for page in leaves_in_order(session):
        cosigned = cosignatures(session, page[0].idx + 1, page[-1].idx + 1)
        ids = defaultdict(list)
        for leaf in page:
            ids[leaf.kind].append(leaf.event_id)
        rows: dict[Any, dict[str, Any]] = {}
        for kind, wanted in ids.items():
            rows |= rows_of(session, kind, wanted)
        for leaf in page:
            body = leaf_body(leaf.kind, rows.get(leaf.event_id) or {}, leaf.commitment).decode()
            line = {"index": leaf.idx, "leaf": leaf.hash.hex(), "body": body}
            into.write(json.dumps(line, ensure_ascii=False) + "\n")
            size = leaf.idx + 1
            if size in notes:
                note = notes[size] + cosigned.get(size, "")
                into.write(json.dumps({"checkpoint": note}, ensure_ascii=False) + "\n")
    into.write(json.dumps({"end": size}) + "\n")
    return size
