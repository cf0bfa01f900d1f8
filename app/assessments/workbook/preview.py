"""What a workbook would change, set against what stands now: nothing is overwritten unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from app.assessments import queries
from app.assessments.models import AnswerWorkbook, Assessment
from app.assessments.rules import AnswerInput, Content, Verdict, settle
from app.assessments.settling import shown_of
from app.catalogues.model import Criterion, Question, Section


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that the workbook gives otherwise than it stands.

    `by` and `at` are set when somebody changed it after the workbook was downloaded. `locked` is
    whether its section cannot be written to now.
    """

    section: Section
    criterion: Criterion
    question: Question
    now: Content
    then: Content
    by: str | None
    at: datetime | None
    locked: bool

    @property
    def conflict(self) -> bool:
        """Whether both the workbook and somebody in the portal changed it."""
        return self.by is not None

    @property
    def empties(self) -> bool:
        """Whether something that stands now would be gone without anything in its place."""
        pairs = zip(_texts(self.now), _texts(self.then), strict=True)
        return any(now and not then for now, then in pairs)

    @property
    def proposed(self) -> bool:
        """Whether it is chosen unless the person says otherwise."""
        return not (self.conflict or self.empties or self.locked)


def _texts(content: Content) -> tuple[str, str, str, str]:
    return (
        content.value,
        content.how_met,
        content.document_reference,
        content.not_applicable_reason,
    )


def given_of(workbook: AnswerWorkbook) -> dict[str, AnswerInput]:
    """The answers that the workbook gave, by question id."""
    return {question_id: AnswerInput(**texts) for question_id, texts in workbook.given.items()}


def differences(
    session: Session, assessment: Assessment, workbook: AnswerWorkbook
) -> list[Difference]:
    """Every answer that applying the workbook could change, in the catalogue's order.

    An answer that the workbook left as it was downloaded is none, whatever became of it since.
    """
    given = given_of(workbook)
    present = queries.answers_of(session, assessment.id)
    found = []
    for section in queries.catalogue_of(assessment).sections_in(assessment.profile_id):
        version = workbook.shown_versions.get(section.id, 0)
        asked = {
            question.id: (criterion, question)
            for criterion in section.criteria
            for question in criterion.questions
            if question.id in given
        }
        moved_on = [one for one in asked if one in present and present[one].version > version]
        later = queries.since(session, assessment.id, moved_on, version) if moved_on else {}
        for question_id, (criterion, question) in asked.items():
            row = present.get(question_id)
            now = Content.of(row)
            shown, foreign = shown_of(now, later.get(question_id), version, "")
            verdict = settle(given[question_id], shown=shown, present=now, foreign=foreign)
            if verdict is Verdict.KEEP:
                continue
            clash = row if verdict is Verdict.CLASH else None
            found.append(
                Difference(
                    section=section,
                    criterion=criterion,
                    question=question,
                    now=now,
                    then=given[question_id].onto(now),
                    by=clash.updated_by_name if clash else None,
                    at=clash.updated_at if clash else None,
                    locked=not assessment.editable(section.id),
                )
            )
    return found


def by_section(found: Sequence[Difference]) -> list[tuple[Section, list[Difference]]]:
    """The differences under their sections, in the order in which they stand."""
    return [(several[0].section, several) for several in _runs(found)]


def _runs(found: Sequence[Difference]) -> list[list[Difference]]:
    return [list(several) for _, several in groupby(found, key=lambda one: one.section.id)]
