"""What is read about carried answers; `app.assessments.carriage` decides about them."""

import uuid
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.assessments import queries
from app.assessments.carriage import Earlier, Takeover, takeover
from app.assessments.models import Assessment, CarriedAnswer
from app.assessments.rules import EMPTY, Content
from app.catalogues.carrying import Carriage, carry_along
from app.catalogues.model import Catalogue
from app.catalogues.rules import Applicability, applicable
from app.kernel.errors import Problem
from app.publications.queries import way_between

PENDING: Final = (Carriage.UNCONFIRMED, Carriage.SUGGESTED)


def carried_of(session: Session, assessment_id: uuid.UUID) -> dict[str, CarriedAnswer]:
    """What was taken over from an earlier assessment, by question id, and how it stands."""
    found = session.scalars(
        select(CarriedAnswer).where(CarriedAnswer.assessment_id == assessment_id)
    )
    return {one.question_id: one for one in found}


def pending_of(session: Session, assessment: Assessment) -> dict[str, CarriedAnswer]:
    """The carried answers that a person has still to confirm, to change or to set aside.

    A question that does not apply by the answers so far waits for nobody.
    """
    waiting = {
        question_id: one
        for question_id, one in carried_of(session, assessment.id).items()
        if one.how == Carriage.UNCONFIRMED and one.set_aside_at is None
    }
    if not waiting:
        return {}
    contents = queries.contents_of(session, assessment.id)
    given = {question_id: content.given for question_id, content in contents.items()}
    applies = applicable(queries.catalogue_of(assessment), assessment.profile_id, given).questions
    return {
        question_id: one
        for question_id, one in waiting.items()
        if contents.get(question_id, EMPTY) == EMPTY
        and applies.get(question_id) is not Applicability.DOES_NOT_APPLY
    }


def pending_gaps(session: Session, assessment: Assessment) -> dict[str, list[Problem]]:
    """Carried answers that nobody has confirmed, by section, where no other gap names them.

    They stand in the way of submitting whatever their weight: nothing is submitted that nobody
    has looked at since it changed. The musts among them are gaps as unanswered already.
    """
    found: dict[str, list[Problem]] = {}
    catalogue = queries.catalogue_of(assessment)
    for question_id in pending_of(session, assessment):
        criterion = catalogue.criterion_of(question_id)
        if catalogue.modality(assessment.profile_id, criterion.id) == "must":
            continue
        section = catalogue.section_of(criterion.id)
        found.setdefault(section.id, []).append(
            Problem(
                "%(criterion)s %(title)s: confirm the answer of the earlier version, or change it.",
                field=question_id,
                code="carried-unconfirmed",
                params={
                    "criterion": criterion.id,
                    "title": criterion.title,
                    "section": section.id,
                },
            )
        )
    return found


def takeover_of(
    session: Session, old: Assessment, catalogue: Catalogue, profile_id: str, *, annual: bool
) -> Takeover:
    """What would be taken over from an assessment into one of that version and profile."""
    before = queries.catalogue_of(old)
    earlier = {
        question_id: Earlier(
            Content.of(one), one.said_at, one.said_by, one.said_by_name, Carriage(one.how)
        )
        for question_id, one in carried_of(session, old.id).items()
        if one.set_aside_at is None and one.how in PENDING
    }
    earlier |= {
        question_id: Earlier(Content.of(one), one.updated_at, one.updated_by, one.updated_by_name)
        for question_id, one in queries.answers_of(session, old.id).items()
        if Content.of(one) != EMPTY
    }
    way = way_between(session, before, catalogue)
    return takeover(before, catalogue, profile_id, carry_along(way, annual=annual), earlier)
