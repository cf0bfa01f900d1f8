"""Assessments of the shipped catalogue, answered through the service."""

import json
from collections.abc import Iterable
from datetime import date

from app.assessments import queries, service
from app.assessments.models import Assessment
from app.assessments.rules import AnswerInput
from app.catalogues.loader import catalogues
from app.catalogues.model import Criterion, Question
from app.traders.models import Trader
from app.work import Work
from tests.factories.documents import make_document


def make_assessment(work: Work, trader: Trader, *, tier: int = 1) -> Assessment:
    """An assessment of the current security catalogue for the trader's entity type."""
    catalogue = catalogues().current("security", trader.entity_type, on=work.now.date())
    profile = catalogue.profile_for(trader.entity_type, tier)
    assessment = service.start(work, trader.id, catalogue=catalogue, profile_id=profile.id)
    work.session.flush()
    return assessment


def good_value(question: Question) -> str:
    """A value of the right form, the strongest where there is an order."""
    match question.type:
        case "yes_no":
            return "yes"
        case "level" | "choice":
            return question.choices[-1].value
        case "number":
            return "12"
        case "date":
            return date(2026, 3, 2).isoformat()
        case "table":
            return json.dumps([{column.value: "Ruth Delgado" for column in question.columns}])
        case _:
            return "In the reception, the dock office and on the intranet."


def good_answers(criteria: Iterable[Criterion]) -> dict[str, AnswerInput]:
    """Complete answers to every question of the criteria."""
    found = {}
    for criterion in criteria:
        for number, question in enumerate(criterion.questions):
            found[question.id] = AnswerInput(
                value=good_value(question),
                how_met=f"As our handbook says under {criterion.title}." if number == 0 else None,
                document_reference="SOP-12, section 3, page 4" if number == 0 else None,
            )
    return found


def answer_section(work: Work, assessment: Assessment, section_id: str) -> None:
    """Answer a section fully, with evidence where it is needed, and call it complete."""
    section = queries.section_in(assessment, section_id)
    row = queries.sections_of(work.session, assessment.id)[section_id]
    service.save_answers(
        work,
        assessment,
        section_id,
        answers=good_answers(section.criteria),
        expected_version=row.version,
    )
    for criterion in section.criteria:
        for _ in range(criterion.evidence.min):
            revision = make_document(work, assessment.trader_id)
            service.attach_evidence(work, assessment, criterion.id, revision.id)
    work.session.flush()
    service.complete_section(work, assessment, section_id)


def answer_everything(work: Work, assessment: Assessment) -> None:
    """Answer every section of the profile, so that nothing stands in the way of submitting."""
    for section in queries.catalogue_of(assessment).sections_in(assessment.profile_id):
        answer_section(work, assessment, section.id)
    work.session.flush()
