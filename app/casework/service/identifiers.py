"""Identifiers from the agency's side: whoever may sign for the trader is told what came of a claim."""

from app.applications.queries import officers_of
from app.casework.service.letters import to_officers
from app.kernel.errors import NotReadyError, Problem
from app.traders import queries as traders
from app.traders import service as trader_service
from app.traders.models import IdentifierConflict, TraderIdentifier
from app.work import Work


def refuse_identifier(work: Work, identifier: TraderIdentifier, *, reason: str) -> None:
    """Do not accept a claim, or no longer: as `app.traders.service.refuse_identifier`, and a letter.

    Side effects in order: the refusal, with its event; a letter to every officer with `reason`,
    which must not tell of other traders.
    """
    trader_service.refuse_identifier(work, identifier, reason=reason)
    _tell(work, identifier, reason)


def resolve_conflict(
    work: Work, conflict: IdentifierConflict, *, keep: TraderIdentifier | None, reason: str
) -> None:
    """Decide who keeps an identifier: as `app.traders.service.resolve_conflict`, and letters.

    Side effects in order: the decision, with its events; a letter to every officer of each trader
    whose claim is refused by it. Errors: `NotReadyError` with the fields `keep` and `reason`.
    """
    if not reason.strip():
        raise NotReadyError([Problem("Give the reason, in words for the trader.", "reason")])
    lost = [
        claim
        for claim, _ in traders.claims_in(work.session, conflict)
        if keep is None or claim.id != keep.id
    ]
    trader_service.resolve_conflict(work, conflict, keep=keep, reason=reason)
    for claim in lost:
        _tell(work, claim, reason)


def _tell(work: Work, identifier: TraderIdentifier, reason: str) -> None:
    to_officers(
        work,
        officers_of(work.session, identifier.trader_id),
        identifier.trader_id,
        "casework-identifier-refused",
        identifier=f"{identifier.scheme.label} {identifier.shown}",
        reason=reason.strip(),
    )
