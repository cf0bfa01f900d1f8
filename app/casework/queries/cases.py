"""One case: its snapshot, its verdicts, its gates, its requests, its proposals."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.applications import queries as applications
from app.applications.models import Application, Snapshot
from app.applications.rules.tasks import AGREEMENT, PROFILE, TITLES, assessment_task
from app.applications.workflow import ApplicationState
from app.authz.permissions import Permission
from app.authz.policy import may
from app.casework.models import Case, CriterionReview, InformationRequest
from app.casework.rules import recommending, verdicts
from app.casework.rules.dossier import Dossier, read
from app.casework.rules.recommending import Gates
from app.casework.rules.verdicts import Judged
from app.casework.workflow import RequestState
from app.kernel.errors import NotFoundError, Problem
from app.register import rules as register_rules
from app.register.models import Determination
from app.register.programme import PROGRAMMES, Move
from app.register.queries import standing_of
from app.register.rules import Standing
from app.traders.models import IdentifierConflict, Trader, TraderIdentifier
from app.traders.queries import CONFLICT_STATE, IDENTIFIER_STATE, identifiers_of
from app.traders.workflow import ConflictState, IdentifierState
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
REQUEST_STATE: Final = InformationRequest._state  # noqa: SLF001


def visible_case(
    work: Work, case_id: uuid.UUID, permission: Permission = Permission.CASE_VIEW
) -> Case:
    """The case, when the actor holds the permission on it; else `NotFoundError`."""
    found = work.session.get(Case, case_id)
    if found is None or not may(work.actor, permission, found):
        raise NotFoundError
    return found


def case_of(session: Session, application_id: uuid.UUID) -> Case | None:
    """The case about an application, `None` while it was never submitted."""
    return session.scalars(select(Case).where(Case.application_id == application_id)).one_or_none()


def open_case_of(session: Session, trader_id: uuid.UUID) -> Case | None:
    """The trader's newest case that is not closed."""
    return session.scalars(
        select(Case)
        .where(Case.trader_id == trader_id, Case.closed_at.is_(None))
        .order_by(Case.opened_at.desc(), Case.id.desc())
        .limit(1)
    ).one_or_none()


def open_cases_held_by(session: Session, person_id: uuid.UUID) -> Sequence[str]:
    """The references of the cases that wait for this reviewer, by name."""
    return session.scalars(
        select(Case.reference)
        .where(Case.assignee_id == person_id, Case.closed_at.is_(None))
        .order_by(Case.reference)
    ).all()


def cases_of(session: Session, trader_id: uuid.UUID) -> Sequence[Case]:
    """Every case about a trader, the newest first."""
    return session.scalars(
        select(Case)
        .where(Case.trader_id == trader_id)
        .order_by(Case.opened_at.desc(), Case.id.desc())
    ).all()


def dossier(work: Work, case: Case) -> Dossier:
    """The snapshot under review."""
    found = _snapshot(work.session, case, case.snapshot_number)
    if found is None:
        raise NotFoundError
    return found


def earlier_dossier(work: Work, case: Case) -> Dossier | None:
    """The snapshot before the one under review, `None` in the first round."""
    if case.snapshot_number == 1:
        return None
    return _snapshot(work.session, case, case.snapshot_number - 1)


def _snapshot(session: Session, case: Case, number: int) -> Dossier | None:
    content = session.scalar(
        select(Snapshot.content).where(
            Snapshot.application_id == case.application_id, Snapshot.number == number
        )
    )
    return None if content is None else read(number, content)


def reviews_of(session: Session, case: Case) -> dict[str, CriterionReview]:
    """The newest review of each criterion that has one."""
    found = session.scalars(
        select(CriterionReview)
        .where(CriterionReview.case_id == case.id)
        .ext(distinct_on(CriterionReview.criterion_id))
        .order_by(CriterionReview.criterion_id, CriterionReview.number.desc())
    )
    return {one.criterion_id: one for one in found}


def review_count(session: Session, case: Case, criterion_id: str) -> int:
    """How often the criterion was reviewed in this case."""
    return session.scalars(
        select(func.count())
        .select_from(CriterionReview)
        .where(CriterionReview.case_id == case.id, CriterionReview.criterion_id == criterion_id)
    ).one()


def earlier_reviews(session: Session, case: Case) -> dict[str, list[CriterionReview]]:
    """All reviews by criterion, the oldest first."""
    found: dict[str, list[CriterionReview]] = {}
    for one in session.scalars(
        select(CriterionReview)
        .where(CriterionReview.case_id == case.id)
        .order_by(CriterionReview.criterion_id, CriterionReview.number)
    ):
        found.setdefault(one.criterion_id, []).append(one)
    return found


def open_conflicts_of(session: Session, trader_id: uuid.UUID) -> Sequence[IdentifierConflict]:
    """The open conflicts over identifiers that the trader claims or holds."""
    live = IDENTIFIER_STATE.in_((IdentifierState.CLAIMED, IdentifierState.VERIFIED))
    return session.scalars(
        select(IdentifierConflict)
        .join(
            TraderIdentifier,
            (TraderIdentifier.scheme == IdentifierConflict.scheme)
            & (TraderIdentifier.lookup_key == IdentifierConflict.lookup_key),
        )
        .where(TraderIdentifier.trader_id == trader_id, live, CONFLICT_STATE == ConflictState.OPEN)
        .order_by(IdentifierConflict.opened_at, IdentifierConflict.id)
    ).all()


def claims_in_all(
    session: Session, conflicts: Iterable[IdentifierConflict]
) -> dict[uuid.UUID, list[tuple[TraderIdentifier, Trader]]]:
    """The live claims in each of several conflicts with their traders, in one statement."""
    ids = [one.id for one in conflicts]
    live = IDENTIFIER_STATE.in_((IdentifierState.CLAIMED, IdentifierState.VERIFIED))
    found: dict[uuid.UUID, list[tuple[TraderIdentifier, Trader]]] = {}
    for conflict_id, identifier, trader in session.execute(
        select(IdentifierConflict.id, TraderIdentifier, Trader)
        .join(
            TraderIdentifier,
            (TraderIdentifier.scheme == IdentifierConflict.scheme)
            & (TraderIdentifier.lookup_key == IdentifierConflict.lookup_key),
        )
        .join(Trader, Trader.id == TraderIdentifier.trader_id)
        .where(IdentifierConflict.id.in_(ids), live)
        .order_by(TraderIdentifier.claimed_at, TraderIdentifier.id)
    ):
        found.setdefault(conflict_id, []).append((identifier, trader))
    return found


def traders_by_id(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Trader]:
    """Traders by id, in one statement."""
    found = session.scalars(select(Trader).where(Trader.id.in_(list(ids))))
    return {one.id: one for one in found}


def requests_of(session: Session, case: Case) -> Sequence[InformationRequest]:
    """Every request of the case, the newest first."""
    return session.scalars(
        select(InformationRequest)
        .where(InformationRequest.case_id == case.id)
        .order_by(InformationRequest.round.desc())
    ).all()


def open_request(session: Session, case: Case) -> InformationRequest | None:
    """The request that waits for an answer."""
    return session.scalars(
        select(InformationRequest).where(
            InformationRequest.case_id == case.id, REQUEST_STATE == RequestState.OPEN
        )
    ).one_or_none()


def proposals_of(session: Session, case: Case) -> Sequence[Determination]:
    """Every determination that was proposed in the case, the newest first."""
    return session.scalars(
        select(Determination)
        .where(Determination.case_id == case.id)
        .order_by(Determination.proposed_at.desc(), Determination.id.desc())
    ).all()


def proposal_of(session: Session, case: Case) -> Determination | None:
    """The newest determination that was proposed in the case."""
    found = proposals_of(session, case)
    return found[0] if found else None


def gates(work: Work, case: Case, seen: Dossier | None = None) -> Gates:
    """What the case looks like in the round under review; `seen` spares reading the snapshot."""
    session = work.session
    frozen = seen or dossier(work, case)
    reviews = reviews_of(session, case)
    states = [verdicts.judged(reviews.get(one.id), one.fingerprint) for one in frozen.criteria()]
    identifiers = identifiers_of(session, case.trader_id)
    application = session.get_one(Application, case.application_id)
    return Gates(
        criteria=len(states),
        to_judge=sum(one.to_judge for one in states),
        returned=states.count(Judged.RETURNED),
        musts_unanswered=sum(one.must and not one.answered for one in frozen.criteria()),
        evidence_missing=sum(one.evidence_missing for one in frozen.criteria()),
        identifiers_claimed=sum(one.state == IdentifierState.CLAIMED for one in identifiers),
        identifiers_verified=sum(one.state == IdentifierState.VERIFIED for one in identifiers),
        conflicts=len(open_conflicts_of(session, case.trader_id)),
        request_open=open_request(session, case) is not None,
        with_trader=application.state == ApplicationState.RETURNED,
    )


def standing_now(work: Work, case: Case) -> Standing | None:
    """The trader's present standing in the case's programme."""
    return standing_of(work.session, case.trader_id, case.programme, valid_at=work.now)


@dataclass(frozen=True, slots=True)
class Choice:
    """One way in which the case can end, with all that stands in its way now."""

    move: Move
    problems: tuple[Problem, ...]


def choices(work: Work, case: Case, found: Gates | None = None) -> tuple[Choice, ...]:
    """The determinations that can be recommended for the case, in the programme's order."""
    programme = PROGRAMMES[case.programme]
    available = register_rules.available_moves(standing_now(work, case), programme)
    seen = found or gates(work, case)
    return tuple(
        Choice(move, tuple(recommending.problems(move, seen)))
        for move in recommending.case_moves(available, case.tier)
    )


@dataclass(frozen=True, slots=True)
class AskableTask:
    """A task that a request can reopen; `title` is an English source text."""

    key: str
    title: str


def askable_tasks(frozen: Dossier) -> tuple[AskableTask, ...]:
    """The tasks that a request can reopen by themselves, in the order of the task list."""
    return (
        *(AskableTask(key, TITLES[key]) for key in PROFILE),
        *(AskableTask(assessment_task(section.id), section.title) for section in frozen.sections),
        AskableTask(AGREEMENT, TITLES[AGREEMENT]),
    )


def returned_points(work: Work, case: Case) -> dict[int, dict[str, str]]:
    """What each return said on its criteria: round to criterion to comment."""
    application = work.session.get_one(Application, case.application_id)
    return {
        one.round: {
            point.criterion_id: point.comment
            for point in applications.points_of(work.session, one)
            if point.criterion_id is not None
        }
        for one in applications.returns_of(work.session, application)
    }
