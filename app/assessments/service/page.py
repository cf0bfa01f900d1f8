"""All that one press of a button on a section's page asks for."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from app.assessments.models import Assessment
from app.assessments.rules import AnswerInput
from app.assessments.service.answers import save_answers
from app.assessments.service.evidence import attach_evidence, detach_evidence, upload_evidence
from app.assessments.service.sections import complete_section, reopen_section, section_gaps
from app.kernel.errors import Problem
from app.work import Work


@dataclass(frozen=True, slots=True)
class Upload:
    """One chosen file of a page."""

    criterion_id: str
    filename: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class PageInput:
    """Everything that one press of a button on a section's page sends.

    `reuse` pairs criterion ids with revisions of the trader; `completed` is `None` when the page
    did not ask.
    """

    answers: Mapping[str, AnswerInput]
    expected_version: int
    page_key: str
    uploads: Sequence[Upload] = ()
    reuse: Sequence[tuple[str, uuid.UUID]] = ()
    detach: Sequence[uuid.UUID] = ()
    completed: bool | None = None


def save_page(
    work: Work, assessment: Assessment, section_id: str, page: PageInput
) -> list[Problem]:
    """Do all that a page asks for, in this order: answers, files, evidence, complete or not.

    Each part is one of the verbs above, with its event and its errors, and one error undoes all
    of them. Returns the gaps for which the section was not marked complete although the page
    asked for it: the answers are worth keeping all the same.
    """
    save_answers(
        work,
        assessment,
        section_id,
        answers=page.answers,
        expected_version=page.expected_version,
        page_key=page.page_key,
        closing=True,
    )
    for upload in page.uploads:
        upload_evidence(
            work,
            assessment,
            upload.criterion_id,
            filename=upload.filename,
            stream=upload.stream,
        )
    for criterion_id, revision_id in page.reuse:
        attach_evidence(work, assessment, criterion_id, revision_id)
    for evidence_id in page.detach:
        detach_evidence(work, assessment, evidence_id)
    if page.completed is None:
        return []
    if not page.completed:
        reopen_section(work, assessment, section_id)
        return []
    work.session.flush()
    problems = section_gaps(work, assessment, section_id)
    if not problems:
        complete_section(work, assessment, section_id)
    return problems
