"""What the pages show, put together once, so that templates only write it down."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.assessments.errors import Clash
from app.assessments.models import AnswerEvidence
from app.assessments.rules import (
    EMPTY,
    AnswerInput,
    Content,
    Standing,
    evidence_field,
    field_of,
    spoken,
    table_rows,
)
from app.catalogues.model import Catalogue, Criterion, Question
from app.catalogues.rules import CriterionState
from app.documents.models import DocumentRevision
from app.kernel.errors import Problem

BLANK_ROWS = 2
# Beyond this many questions a page opens one criterion at a time, the others are headings.
CALM = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """On what a question hangs: `answers` are the labels that make it asked."""

    question: str
    answers: tuple[str, ...]
    of_first: bool


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question with what was given or typed for it.

    `explained` is whether its own "how you meet this" is shown: always for a criterion's first
    question, for others when something stands there. `claims` is the same for "does not apply".
    """

    question: Question
    content: Content
    first: bool
    explained: bool
    claims: bool
    condition: Condition | None
    errors: Mapping[str, Sequence[Problem]]
    clash: Clash | None

    @property
    def spoken(self) -> str:
        """The value in words."""
        return spoken(self.question, self.content.value)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of a table's control: those filled in, and some blank ones."""
        blank = {column.value: "" for column in self.question.columns}
        return [*table_rows(self.content.value), *(dict(blank) for _ in range(BLANK_ROWS))]

    @property
    def only_if_yes(self) -> bool:
        """Whether it is asked only after a yes to the criterion's first question."""
        return (
            self.condition is not None
            and self.condition.of_first
            and self.condition.answers == ("Yes",)
        )


@dataclass(frozen=True, slots=True)
class CriterionView:
    """One criterion with its questions, its evidence and how far it is."""

    criterion: Criterion
    standing: Standing
    questions: Sequence[QuestionView]
    evidence: Sequence[AnswerEvidence]
    file_errors: Sequence[Problem]
    is_open: bool

    @property
    def status(self) -> str:
        """The key of the words in `assessments/parts.html` that say how far it is."""
        if self.standing.state is CriterionState.NOT_APPLICABLE_CLAIMED:
            return "claimed"
        if self.standing.answered:
            if self.standing.plan_missing and self.standing.must:
                return "plan-missing"
            return "evidence-missing" if self.standing.evidence_missing else "answered"
        if any(one.content != EMPTY for one in self.questions) or self.evidence:
            return "started"
        return "unanswered"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a page that was refused sends back: the typed answers, the problems, the clashes."""

    answers: Mapping[str, AnswerInput] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    clashes: Sequence[Clash] = ()


def criterion_views(
    catalogue: Catalogue,
    standings: Iterable[Standing],
    contents: Mapping[str, Content],
    evidence: Mapping[str, Sequence[AnswerEvidence]],
    *,
    typed: Typed | None = None,
    opened: str = "",
) -> list[CriterionView]:
    """The criteria of a page in the catalogue's order; `opened` is the one to be open."""
    found = list(standings)
    sent = typed or Typed()
    beside: dict[str, list[Problem]] = {}
    for problem in sent.problems:
        beside.setdefault(problem.field or "", []).append(problem)
    if not opened:
        opened = next((one.criterion.id for one in found if not one.answered), "")
    crowded = sum(len(one.criterion.questions) for one in found) > CALM
    return [
        _criterion_view(
            catalogue,
            one,
            contents,
            evidence.get(one.criterion.id, ()),
            sent,
            beside,
            {opened} if crowded else None,
        )
        for one in found
    ]


def _criterion_view(
    catalogue: Catalogue,
    standing: Standing,
    contents: Mapping[str, Content],
    evidence: Sequence[AnswerEvidence],
    sent: Typed,
    beside: Mapping[str, Sequence[Problem]],
    opened: set[str] | None,
) -> CriterionView:
    criterion = standing.criterion
    clashes = {one.question_id: one for one in sent.clashes}
    lead = criterion.questions[0]
    shown = {
        one.id: sent.answers.get(one.id, AnswerInput()).onto(contents.get(one.id, EMPTY))
        for one in criterion.questions
    }
    questions = [
        QuestionView(
            question=one,
            content=shown[one.id],
            first=one is lead,
            explained=one is lead
            or bool(shown[one.id].how_met or shown[one.id].document_reference),
            claims=one is lead
            or shown[one.id].not_applicable_reason
            not in {"", shown[lead.id].not_applicable_reason},
            condition=_condition(catalogue, one, criterion),
            errors={
                name: beside.get(field_of(one.id, name), ())
                for name in ("value", "how_met", "document_reference", "not_applicable_reason")
            },
            clash=clashes.get(one.id),
        )
        for one in criterion.questions
    ]
    file_errors = beside.get(evidence_field(criterion.id), ())
    troubled = bool(file_errors) or any(one.clash or any(one.errors.values()) for one in questions)
    return CriterionView(
        criterion=criterion,
        standing=standing,
        questions=questions,
        evidence=evidence,
        file_errors=file_errors,
        is_open=troubled or opened is None or criterion.id in opened,
    )


def _condition(catalogue: Catalogue, question: Question, criterion: Criterion) -> Condition | None:
    for other, condition in question.show_if.items():
        # It may be a question of another criterion, even of another section.
        asked = catalogue.question(other)
        labels = tuple(spoken(asked, value) for value in condition.accepted)
        return Condition(asked.text, labels, of_first=asked is criterion.questions[0])
    return None


def reuse_options(
    reusable: Sequence[DocumentRevision], view: CriterionView
) -> list[DocumentRevision]:
    """The trader's files that can still be attached to this criterion."""
    attached = {one.document_revision_id for one in view.evidence}
    return [one for one in reusable if one.id not in attached]
