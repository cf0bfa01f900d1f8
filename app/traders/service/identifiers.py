"""Claiming identifiers, and what the agency makes of the claims.

No answer to a trader may depend on what another trader claims: `claim_identifier` says the same
whether the identifier is new, claimed elsewhere or held elsewhere. The events of a conflict
belong to no trader, so that nobody finds it in a history.
"""

import uuid

from sqlalchemy import func, select

from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_row, lock_words
from app.kernel.errors import NotReadyError, Problem
from app.kernel.identifiers import Identifier, MalformedIdentifierError, Scheme, parse
from app.traders import queries
from app.traders.models import IdentifierConflict, Trader, TraderIdentifier
from app.traders.rules import SCHEMES
from app.traders.sealing import lookup_key, sealer
from app.traders.workflow import ConflictState, IdentifierState
from app.work import Work, move

LIVE = (IdentifierState.CLAIMED, IdentifierState.VERIFIED)


def claim_identifier(
    work: Work, trader: Trader, *, key: uuid.UUID, scheme: Scheme, text: str
) -> TraderIdentifier:
    """Claim the identifier for the trader; it names the trader once the agency has verified it.

    Side effects in order: the identifier, with `key` as its id, encrypted when it has the form
    of a social security number; its event; when another trader claims or holds the same, an open
    conflict with its own event. The same key again gives the first claim back.
    Errors: `NotReadyError` with the field `value` (or `scheme`, when it does not fit the kind of
    trader); its texts never repeat the value. An identifier that another trader holds is no
    error.
    """
    earlier = first_with(work.session, TraderIdentifier, key)
    if earlier is not None and earlier.trader_id == trader.id:
        return earlier
    if scheme not in SCHEMES[trader.entity_type]:
        raise NotReadyError(
            [Problem("Companies of your kind do not claim this identifier.", "scheme")]
        )
    identifier = read_identifier(scheme, text)
    lock_words(work.session, "identifier", scheme, lookup_key(identifier))
    same = _live(work, scheme, lookup_key(identifier))
    if any(one.trader_id == trader.id for one in same):
        raise NotReadyError(
            [Problem("You have claimed this identifier already.", "value", "CLAIMED_ALREADY")]
        )
    claim = _row(work, trader, identifier, key if earlier is None else work.new_id())
    work.session.add(claim)
    work.session.flush()
    work.record(EventTag.IDENTIFIER_CLAIMED, claim, scheme=scheme)
    if same:
        open_conflict(work, claim)
    elif _meets_a_rival(work, claim):
        _ask_a_reviewer(work, claim)
    return claim


def withdraw_identifier(work: Work, identifier: TraderIdentifier) -> None:
    """Take back a claim, also a verified one; a second call does nothing.

    Side effects in order: the move, with its event; a verified identifier stops naming the
    trader at once. Errors: `IllegalTransitionError` for a refused claim.
    """
    _lock(work, identifier)
    if identifier.state == IdentifierState.WITHDRAWN:
        return
    move(work, identifier, "withdraw", scheme=identifier.scheme)
    identifier.withdrawn_at = work.now
    identifier.contested = False


def verify_identifier(work: Work, identifier: TraderIdentifier) -> None:
    """The agency has seen proof: from now on the identifier names this trader.

    Side effects in order: the move, with its event. Errors: `NotReadyError` while a conflict
    over it is open or another trader holds it; `IllegalTransitionError` unless it is claimed.
    """
    _lock(work, identifier)
    others = [
        one
        for one in _live(work, identifier.scheme, identifier.lookup_key)
        if one.id != identifier.id and one.state == IdentifierState.VERIFIED
    ]
    if others or queries.open_conflict_over(work.session, identifier) is not None:
        raise NotReadyError(
            [
                Problem(
                    "Another trader claims this identifier as well. Resolve the conflict first.",
                    code="CONFLICT_OPEN",
                )
            ]
        )
    move(work, identifier, "verify", scheme=identifier.scheme)
    identifier.verified_at = work.now
    identifier.verified_by = work.actor.person_id


def refuse_identifier(work: Work, identifier: TraderIdentifier, *, reason: str) -> None:
    """The agency does not accept the claim, or no longer; the trader reads `reason`.

    Side effects in order: the move, with its event. `reason` must not tell of other traders.
    Errors: `NotReadyError` without a reason; `IllegalTransitionError` when refused or withdrawn.
    """
    if not reason.strip():
        raise NotReadyError([Problem("Give the reason, in words for the trader.", "reason")])
    _lock(work, identifier)
    move(work, identifier, "refuse", scheme=identifier.scheme)
    identifier.refused_at = work.now
    identifier.refused_by = work.actor.person_id
    identifier.refusal_reason = reason.strip()
    identifier.contested = False
    work.session.flush()


def open_conflict(work: Work, claim: TraderIdentifier) -> IdentifierConflict:
    """Ask a reviewer who keeps an identifier that two traders claim.

    Side effects in order: the conflict; its event, which belongs to no trader. While one is open
    over the same identifier, that one is given back and nothing is recorded.
    """
    present = queries.open_conflict_over(work.session, claim)
    if present is not None:
        return present
    return _ask_a_reviewer(work, claim)


def _meets_a_rival(work: Work, claim: TraderIdentifier) -> bool:
    """Whether another trader claims or holds the same and no reviewer is asked about it yet.

    The database says so in a word: a trader's session sees nobody else's identifiers.
    """
    found = work.session.execute(
        select(func.fairway_rivalry(claim.scheme.value, claim.lookup_key, claim.trader_id))
    ).scalar_one()
    return bool(found == "rival")


def _ask_a_reviewer(work: Work, claim: TraderIdentifier) -> IdentifierConflict:
    conflict = IdentifierConflict(
        id=work.new_id(),
        scheme=claim.scheme,
        lookup_key=claim.lookup_key,
        shown=claim.shown,
        opened_at=work.now,
    )
    work.session.add(conflict)
    work.session.flush()
    work.record(EventTag.CONFLICT_OPENED, conflict, scheme=claim.scheme)
    return conflict


def resolve_conflict(
    work: Work,
    conflict: IdentifierConflict,
    *,
    keep: TraderIdentifier | None,
    reason: str,
) -> None:
    """Decide who keeps the identifier: every other claim is refused, all of them without `keep`.

    Side effects in order: the refusals, each with its event and with `reason`, which their
    traders read and which must not tell of other traders; the kept identifier, if it was
    contested, no longer is; the move, with its event. A kept claim still awaits verification.
    Errors: `NotReadyError` when `keep` is not one of the claims in conflict, or without reason;
    `IllegalTransitionError` when the conflict is resolved already.
    """
    lock_words(work.session, "identifier", conflict.scheme, conflict.lookup_key)
    lock_row(work.session, conflict)
    claims = _live(work, conflict.scheme, conflict.lookup_key)
    if keep is not None and keep.id not in {one.id for one in claims}:
        raise NotReadyError(
            [Problem("This claim is no longer part of the conflict. Choose again.", "keep")]
        )
    if conflict.state == ConflictState.OPEN:
        for claim in claims:
            if keep is None or claim.id != keep.id:
                refuse_identifier(work, claim, reason=reason)
    move(work, conflict, "resolve", scheme=conflict.scheme, kept=keep.id if keep else None)
    conflict.resolved_at = work.now
    conflict.resolved_by = work.actor.person_id
    conflict.reason = reason.strip()
    if keep is not None:
        conflict.kept_identifier_id = keep.id
        keep.contested = False
    work.session.flush()


def take_on_identifier(
    work: Work, trader: Trader, *, scheme: Scheme, text: str
) -> TraderIdentifier:
    """Bring in an identifier that another system had verified; only `register import` does this.

    Side effects in order: a verified identifier with one event of origin `take-on`, or the
    present one when the trader has it verified. When another trader holds the same, both are
    contested and a conflict is opened: the status API then answers "not active" for it.
    Errors: `NotReadyError` when the value is malformed.
    """
    identifier = read_identifier(scheme, text)
    lock_words(work.session, "identifier", scheme, lookup_key(identifier))
    same = _live(work, scheme, lookup_key(identifier))
    own = next((one for one in same if one.trader_id == trader.id), None)
    if own is not None and own.state == IdentifierState.VERIFIED:
        return own
    rivals = [one for one in same if one is not own]
    held = [one for one in rivals if one.state == IdentifierState.VERIFIED]
    for rival in held:
        rival.contested = True
    taken = own or _row(work, trader, identifier, work.new_id())
    taken.contested = bool(held)
    work.session.add(taken)
    work.session.flush()
    move(work, taken, "verify", scheme=scheme, origin="take-on")
    taken.verified_at = work.now
    work.session.flush()
    if rivals:
        open_conflict(work, taken)
    return taken


def read_identifier(scheme: Scheme, text: str) -> Identifier:
    """The identifier that a text gives; `NotReadyError`, which never repeats the text, if none."""
    try:
        return parse(scheme, text)
    except MalformedIdentifierError as error:
        # Chained tracebacks would show the caller's text in a log.
        raise NotReadyError(
            [
                Problem(error.message, "value", error.code),
                Problem(error.fix, "value", error.code),
            ]
        ) from None


def _row(work: Work, trader: Trader, identifier: Identifier, row_id: uuid.UUID) -> TraderIdentifier:
    sensitive = identifier.sensitive
    return TraderIdentifier(
        id=row_id,
        trader_id=trader.id,
        scheme=identifier.scheme,
        value=None if sensitive else identifier.value,
        value_encrypted=sealer().seal(identifier.value, row_id) if sensitive else None,
        lookup_key=lookup_key(identifier),
        shown=identifier.shown,
        contested=False,
        claimed_at=work.now,
        claimed_by=work.actor.person_id,
    )


def _live(work: Work, scheme: Scheme, key: str) -> list[TraderIdentifier]:
    """Every claimed or verified identifier of that value, in the order of the claims."""
    return list(
        work.session.scalars(
            select(TraderIdentifier)
            .where(
                TraderIdentifier.scheme == scheme,
                TraderIdentifier.lookup_key == key,
                queries.IDENTIFIER_STATE.in_(LIVE),
            )
            .order_by(TraderIdentifier.claimed_at, TraderIdentifier.id)
            .execution_options(populate_existing=True)
        )
    )


def _lock(work: Work, identifier: TraderIdentifier) -> None:
    lock_words(work.session, "identifier", identifier.scheme, identifier.lookup_key)
    lock_row(work.session, identifier)
