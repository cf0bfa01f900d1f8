"""What a section's page sends, read without judging it; the service judges.

Names of controls are those of `rules.field_of` and `rules.evidence_field`. The form is made from
the catalogue, not from a class: what is asked is data.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping

from werkzeug.datastructures import FileStorage, MultiDict

from app.assessments.errors import Clash
from app.assessments.models import Answer
from app.assessments.rules import (
    MAX_ROWS,
    AnswerInput,
    Content,
    evidence_field,
    field_of,
    table_text,
)
from app.assessments.service import PageInput, Upload
from app.catalogues.model import Criterion, Question
from app.kernel.errors import Problem

Sent = MultiDict[str, str]
CHOICES_OF_CLASH = ("mine", "theirs")


def cell_field(question_id: str, row: int, column: str) -> str:
    """The name of one cell of a table's control."""
    return f"{question_id}.cell_{row}_{column}"


def keep_field(question_id: str) -> str:
    """The name of the control that settles a clash."""
    return f"keep.{question_id}"


def reuse_field(criterion_id: str) -> str:
    """The name of the control that picks a file uploaded before."""
    return f"reuse.{criterion_id}"


def read_answers(sent: Sent, criteria: Iterable[Criterion]) -> dict[str, AnswerInput]:
    """What was typed for the questions of these criteria; a control not on the page is `None`.

    A claim that a criterion does not apply is one control, at its first question, and holds for
    all of its questions that have no control of their own.
    """
    found = {}
    for criterion in criteria:
        claim = sent.get(field_of(criterion.questions[0].id, "not_applicable_reason"))
        for question in criterion.questions:
            given = AnswerInput(
                value=_value(sent, question),
                how_met=sent.get(field_of(question.id, "how_met")),
                document_reference=sent.get(field_of(question.id, "document_reference")),
                not_applicable_reason=sent.get(
                    field_of(question.id, "not_applicable_reason"), claim
                ),
            )
            if given != AnswerInput():
                found[question.id] = given
    return found


def _value(sent: Sent, question: Question) -> str | None:
    # Radio buttons have an empty hidden control before them, so that the page says "unanswered"
    # where a browser would say nothing.
    texts = sent.getlist(question.id)
    if not texts:
        return None
    if question.type != "table":
        return texts[-1]
    return table_text(_rows(sent, question))


def _rows(sent: Sent, question: Question) -> Iterator[dict[str, str]]:
    pattern = re.compile(re.escape(question.id) + r"\.cell_([0-9]{1,3})_.+")
    numbers = sorted({int(found[1]) for name in sent if (found := pattern.fullmatch(name))})
    for number in numbers[: MAX_ROWS + 1]:
        yield {
            column.value: sent.get(cell_field(question.id, number, column.value), "")
            for column in question.columns
        }


def _last(sent: Sent, name: str) -> str:
    """The last of equal names: an empty hidden control stands before radio buttons."""
    texts = sent.getlist(name)
    return texts[-1] if texts else ""


def read_completed(sent: Sent) -> bool | None:
    """Whether the person calls the section complete; `None` when the page did not ask."""
    return {"yes": True, "no": False}.get(_last(sent, "completed"))


def read_version(sent: Sent) -> int:
    """The section's version on the page; 0, before everything, when it was tampered with."""
    text = sent.get("version", "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def read_page_key(sent: Sent) -> str:
    """The name of the open page; empty when it was tampered with."""
    text = sent.get("page_key", "")
    return text if re.fullmatch(r"[0-9a-f-]{36}", text) else ""


def read_page(
    sent: Sent, files: MultiDict[str, FileStorage], criteria: Iterable[Criterion]
) -> PageInput:
    """Everything that the whole page sent."""
    asked = list(criteria)
    return PageInput(
        answers=read_answers(sent, asked),
        expected_version=read_version(sent),
        page_key=read_page_key(sent),
        uploads=[
            Upload(one.id, chosen.filename, chosen.stream)  # type: ignore[arg-type]
            for one in asked
            for chosen in files.getlist(evidence_field(one.id))
            if chosen.filename
        ],
        reuse=[
            (one.id, revision_id)
            for one in asked
            if (revision_id := read_id(sent.get(reuse_field(one.id), "")))
        ],
        completed=read_completed(sent),
    )


def read_id(text: str) -> uuid.UUID | None:
    """A UUID, or nothing when the text is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def settled(
    sent: Sent, answers: Mapping[str, AnswerInput]
) -> tuple[dict[str, AnswerInput], list[Problem]]:
    """The answers without those where the person keeps the other version, and what is undecided."""
    kept = dict(answers)
    undecided = []
    for question_id in sent.getlist("clash"):
        choice = _last(sent, keep_field(question_id))
        if choice == "theirs":
            kept.pop(question_id, None)
        elif choice not in CHOICES_OF_CLASH and question_id in kept:
            undecided.append(
                Problem("Choose which version to keep.", field=keep_field(question_id))
            )
    return kept, undecided


def clashes_again(
    sent: Sent, answers: Mapping[str, AnswerInput], present: Mapping[str, Answer]
) -> list[Clash]:
    """The clashes of a page that was sent back undecided, as things stand now."""
    return [
        Clash(
            question_id,
            theirs=Content.of(row),
            yours=answers[question_id].cleaned().onto(Content.of(row)),
            by=row.updated_by_name,
            at=row.updated_at,
        )
        for question_id in sent.getlist("clash")
        if question_id in answers and (row := present.get(question_id))
    ]
