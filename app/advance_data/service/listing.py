"""Take a list of codes in, and say by which lists a batch is judged."""

import hashlib
from collections.abc import Iterable
from datetime import date

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.advance_data.lists import ListKind, Pin, known_codes, pins_of, read_list
from app.advance_data.models import Batch, ReferenceList
from app.advance_data.queries import newest_lists
from app.advance_data.rules import NO_LISTS, KnownCodes
from app.audit.tags import EventTag
from app.db.concurrency import lock_words
from app.kernel.errors import NotReadyError, Problem
from app.work import Work

JUDGED_BY = tuple(ListKind)
"""The kinds that rows and messages are held against: all, in the order in which they are named."""


def load_list(
    work: Work,
    kind: ListKind,
    lines: Iterable[str],
    *,
    as_of: date,
    filename: str,
    shrink: bool = False,
) -> ReferenceList:
    """Make a file the list of its kind, from one instant on and all at once.

    Batches that are being checked go on with the version that they began with. Side effects in
    order: the row; the event. Errors: `ListRefusedError` from reading; `NotReadyError` when the
    list is of the future, older than the present one, or has less than half of its codes, which
    `shrink` says is meant.
    """
    codes = read_list(kind, lines)
    lock_words(work.session, "reference_list", kind)
    before = newest_lists(work.session).get(kind)
    problems = []
    if as_of > work.now.date():
        problems.append(Problem("A list cannot be of a day to come.", "as_of", "future"))
    if before is not None and as_of < before.as_of:
        problems.append(Problem("The list in use is of a later day.", "as_of", "older"))
    if before is not None and len(codes) * 2 < before.number and not shrink:
        problems.append(
            Problem(
                "The file has less than half of the codes of the list in use. If that is meant,"
                " say so with --shrink.",
                "file",
                "shrunk",
            )
        )
    if problems:
        raise NotReadyError(problems)
    text = "\n".join(codes)
    row = ReferenceList(
        id=work.new_id(),
        kind=kind.value,
        as_of=as_of,
        loaded_at=work.now,
        filename=filename,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        number=len(codes),
        codes=text,
    )
    work.session.add(row)
    work.session.flush()
    work.record(
        EventTag.REFERENCE_LOADED,
        row,
        kind=kind,
        as_of=as_of.isoformat(),
        number=row.number,
        sha256=row.sha256,
    )
    return row


def pin_lists(work: Work, batch: Batch) -> None:
    """Keep with a batch the lists that it is judged by, unless it has been done."""
    if batch.lists is None:
        newest = newest_lists(work.session)
        batch.lists = [
            [kind.value, newest[kind].sha256, newest[kind].as_of.isoformat()]
            for kind in JUDGED_BY
            if kind in newest
        ]


def codes_for(session: Session, batch: Batch) -> KnownCodes:
    """The lists that the batch was pinned to, ready to be asked."""
    pins = tuple(pins_of(batch.lists or ()))
    if not pins:
        return NO_LISTS
    known = _KNOWN.get(pins)
    if known is None:
        found = session.execute(
            select(ReferenceList.kind, ReferenceList.codes).where(
                tuple_(ReferenceList.kind, ReferenceList.sha256).in_(
                    [(one.kind.value, one.sha256) for one in pins]
                )
            )
        )
        known = known_codes({ListKind(kind): codes.split("\n") for kind, codes in found})
        if len(_KNOWN) >= REMEMBERED:
            _KNOWN.clear()
        _KNOWN[pins] = known
    return known


_KNOWN: dict[tuple[Pin, ...], KnownCodes] = {}
REMEMBERED = 2
"""A process keeps the lists in use, and those before while a batch still goes by them."""
