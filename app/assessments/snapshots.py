"""An assessment as one self-describing value: it can be read in ten years without this program."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.assessments import queries
from app.assessments.models import Answer, AnswerEvidence, Assessment
from app.assessments.rules import Content, as_json, spoken, standings
from app.catalogues.model import Question
from app.catalogues.rules import Applicability, applicable


def snapshot(session: Session, assessment: Assessment) -> dict[str, Any]:
    """Everything that was asked and answered, with the words of the questions, as JSON values.

    Top keys: `assessment_id`, `catalogue` (id, version, sha256, programme, title), `profile`,
    `sections`. Each section holds `criteria`, each of them `questions` (text, type, whether it
    `applies`, the value and its `label`, the three explanations, by whom and when) and
    `evidence` (file name, size, SHA-256, scan state, by whom and when). Instants are ISO 8601.
    """
    catalogue = queries.catalogue_of(assessment)
    answers = queries.answers_of(session, assessment.id)
    evidence = queries.evidence_of(session, assessment.id)
    rows = queries.sections_of(session, assessment.id)
    contents = {question_id: Content.of(answer) for question_id, answer in answers.items()}
    given = {question_id: content.given for question_id, content in contents.items()}
    applies = applicable(catalogue, assessment.profile_id, given)
    standing = {
        one.criterion.id: one
        for one in standings(catalogue, assessment.profile_id, contents, queries.usable(evidence))
    }
    return {
        "assessment_id": str(assessment.id),
        "catalogue": {
            "id": catalogue.id,
            "version": catalogue.version,
            "sha256": catalogue.sha256,
            "programme": catalogue.programme,
            "title": catalogue.title,
        },
        "profile": assessment.profile_id,
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "completed_at": _instant(rows[section.id].completed_at),
                "criteria": [
                    {
                        "id": criterion.id,
                        "title": criterion.title,
                        "statement": criterion.statement,
                        "modality": "must" if standing[criterion.id].must else "should",
                        "verified": criterion.verified,
                        "state": standing[criterion.id].state.value,
                        "evidence_wanted": standing[criterion.id].wanted,
                        "questions": [
                            _question(question, answers, applies.questions)
                            for question in criterion.questions
                        ],
                        "evidence": _evidence(evidence.get(criterion.id, ())),
                    }
                    for criterion in section.criteria
                ],
            }
            for section in catalogue.sections_in(assessment.profile_id)
        ],
    }


def _question(
    question: Question, answers: Mapping[str, Answer], applies: Mapping[str, Applicability]
) -> dict[str, Any]:
    answer = answers.get(question.id)
    content = Content.of(answer)
    return {
        "id": question.id,
        "text": question.text,
        "type": question.type,
        "applies": applies[question.id].value,
        **as_json(content),
        "label": spoken(question, content.value),
        "version": answer.version if answer else 0,
        "answered_by": answer.updated_by_name if answer else None,
        "answered_at": _instant(answer.updated_at) if answer else None,
    }


def _evidence(attached: Sequence[AnswerEvidence]) -> list[dict[str, Any]]:
    return [
        {
            "revision_id": str(one.document_revision_id),
            "document_id": str(one.revision.document_id),
            "title": one.revision.document.title,
            "filename": one.revision.filename,
            "media_type": one.revision.media_type,
            "size": one.revision.size,
            "sha256": one.revision.sha256,
            "scan_state": one.revision.scan_state,
            "attached_by": one.attached_by_name,
            "attached_at": _instant(one.attached_at),
        }
        for one in attached
    ]


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
