"""What a trader's other assessments hold for one of them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.assessments import queries as assessments
from app.assessments.models import Assessment
from app.crosswalk.equivalence import EQUIVALENCES
from app.crosswalk.rules import Offer, Paper, Side, offers
from app.documents.workflow import ScanState
from app.work import Work


def offers_to(work: Work, assessment: Assessment) -> list[Offer]:
    """What can be offered to an assessment now; nothing of another company is ever among it."""
    return offers(
        _side(work.session, assessment),
        [_side(work.session, one) for one in _others(work.session, assessment)],
        EQUIVALENCES,
    )


def _others(session: Session, assessment: Assessment) -> Sequence[Assessment]:
    """The newest assessment of each other catalogue that a crosswalk ties to this one's."""
    tied = {
        one.source_catalogue
        for one in EQUIVALENCES
        if one.target_catalogue == assessment.catalogue_id
    }
    rows = session.scalars(
        select(Assessment)
        .where(
            Assessment.trader_id == assessment.trader_id,
            Assessment.catalogue_id.in_(tied),
        )
        .order_by(Assessment.created_at.desc(), Assessment.id.desc())
    )
    newest: dict[str, Assessment] = {}
    for one in rows:
        newest.setdefault(one.catalogue_id, one)
    return list(newest.values())


def _side(session: Session, assessment: Assessment) -> Side:
    return Side(
        assessment_id=assessment.id,
        catalogue=assessments.catalogue_of(assessment),
        profile_id=assessment.profile_id,
        contents=assessments.contents_of(session, assessment.id),
        papers={
            criterion_id: tuple(
                Paper(one.revision.id, one.revision.document.title, one.revision.filename)
                for one in attached
                if one.revision.scan_state != ScanState.INFECTED
            )
            for criterion_id, attached in assessments.evidence_of(session, assessment.id).items()
        },
    )
