"""What an answer may look like, when two people clash, and what is still missing: pure decisions."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from enum import Enum, auto
from typing import Final, Protocol

from app.catalogues.model import Catalogue, Criterion, Question, Section
from app.catalogues.rules import (
    Applicability,
    Applicable,
    CriterionState,
    Given,
    applicable,
    criterion_state,
)
from app.kernel.errors import Problem

LIMITS: Final = {
    "value": 4000,
    "how_met": 8000,
    "document_reference": 500,
    "not_applicable_reason": 2000,
}
MAX_ROWS: Final = 200
MAX_CELL: Final = 500
EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2099, 12, 31)

_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class HasContent(Protocol):
    """A row that holds the four texts of an answer."""

    value: str
    how_met: str
    document_reference: str
    not_applicable_reason: str


@dataclass(frozen=True, slots=True)
class Content:
    """The four texts of one answer; empty is "nothing given"."""

    value: str = ""
    how_met: str = ""
    document_reference: str = ""
    not_applicable_reason: str = ""

    @classmethod
    def of(cls, row: HasContent | None) -> "Content":
        """The content of a row; nothing at all for no row."""
        if row is None:
            return EMPTY
        return cls(row.value, row.how_met, row.document_reference, row.not_applicable_reason)

    @property
    def given(self) -> Given:
        """The answer as the catalogue's rules know it: a reason is the claim."""
        return Given(self.value, not_applicable=bool(self.not_applicable_reason))


EMPTY: Final = Content()


@dataclass(frozen=True, slots=True)
class AnswerInput:
    """What a page or a program sends for one question; `None` leaves that text as it is."""

    value: str | None = None
    how_met: str | None = None
    document_reference: str | None = None
    not_applicable_reason: str | None = None

    def cleaned(self) -> "AnswerInput":
        """The same without what no database keeps or no reader sees; line ends become one."""
        return AnswerInput(
            **{name: None if text is None else _clean(text) for name, text in self._texts()}
        )

    def onto(self, content: Content) -> Content:
        """`content` with the texts given here in their places."""
        return replace(content, **{name: text for name, text in self._texts() if text is not None})

    def agrees_with(self, content: Content) -> bool:
        """Whether it would change nothing of `content`."""
        return self.onto(content) == content

    def _texts(self) -> list[tuple[str, str | None]]:
        return [(one.name, getattr(self, one.name)) for one in fields(self)]


def _clean(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (
        char
        for char in lines
        if char in "\n\t" or (unicodedata.category(char) not in {"Cc", "Cs"} and char not in _BIDI)
    )
    return "".join(kept).strip()


def field_of(question_id: str, text: str = "value") -> str:
    """The name of a control, which is also the field of a problem with it."""
    return question_id if text == "value" else f"{question_id}.{text}"


def evidence_field(criterion_id: str) -> str:
    """The name of a criterion's file control."""
    return f"file.{criterion_id}"


def shape_problems(question: Question, given: AnswerInput) -> list[Problem]:
    """What is wrong with the form of an answer, each beside its control; meaning is not judged."""
    found = []
    for name, limit in LIMITS.items():
        text = getattr(given, name)
        if text is not None and question.type != "table" and len(text) > limit:
            found.append(
                Problem(
                    "This is %(length)s characters long; at most %(limit)s are kept. Shorten it,"
                    " or put it into a file.",
                    field=field_of(question.id, name),
                    code="too-long",
                    params={"length": len(text), "limit": limit},
                )
            )
    if given.value and not found:
        message = _value_problem(question, given.value)
        if message:
            found.append(Problem(message, field=field_of(question.id), code=question.type))
    return found


def _value_problem(question: Question, value: str) -> str | None:
    message = None
    match question.type:
        case "yes_no" | "level" | "choice":
            if value not in (question.possible or ()):
                message = "Choose one of the answers offered."
        case "number":
            if not _NUMBER.fullmatch(value):
                message = "Write a number in digits alone, for example 1200 or 12.5."
        case "date":
            message = _date_problem(value)
        case "table":
            message = _table_problem(question, value)
        case "text" | "doc_ref":
            pass
    return message


def _date_problem(value: str) -> str | None:
    wrong = "Write the date as year, month and day, for example 2026-11-24."
    if not _DATE.fullmatch(value):
        return wrong
    try:
        given = date.fromisoformat(value)
    except ValueError:
        return "This day is not in the calendar."
    return None if EARLIEST <= given <= LATEST else "Check the year of this date."


def _table_problem(question: Question, value: str) -> str | None:
    columns = {column.value for column in question.columns}
    try:
        rows = json.loads(value)
        cells = [row[name] for row in rows for name in columns]
        fits = isinstance(rows, list) and len(cells) == sum(len(row) for row in rows)
    except (ValueError, TypeError, KeyError, RecursionError):
        fits, rows, cells = False, [], []
    if not fits or not all(isinstance(cell, str) for cell in cells):
        return "This table could not be read. Fill it in again."
    if any(len(cell) > MAX_CELL for cell in cells):
        return "One cell of this table is too long; at most 500 characters fit."
    if len(rows) > MAX_ROWS:
        return "This table has more than 200 rows. Attach it as a file instead."
    return None


def table_text(rows: Iterable[Mapping[str, str]]) -> str:
    """A table's rows as the text that is kept; rows with nothing in them go."""
    filled = [
        {name: _clean(text) for name, text in row.items()}
        for row in rows
        if any(_clean(text) for text in row.values())
    ]
    return json.dumps(filled, ensure_ascii=False) if filled else ""


def table_rows(value: str) -> list[dict[str, str]]:
    """The rows of a table's text; none when it cannot be read."""
    try:
        rows = json.loads(value) if value else []
    except ValueError:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def spoken(question: Question, value: str) -> str:
    """A value in the words that people read: the label of a choice, the rows of a table."""
    if question.type == "yes_no":
        return {"yes": "Yes", "no": "No"}.get(value, value)
    if question.choices:
        return next((one.label for one in question.choices if one.value == value), value)
    if question.type == "table":
        return "\n".join(
            "; ".join(f"{one.label}: {row.get(one.value, '')}" for one in question.columns)
            for row in table_rows(value)
        )
    return value


class Verdict(Enum):
    """What becomes of an answer that was sent from a page."""

    KEEP = auto()
    WRITE = auto()
    CLASH = auto()


def settle(given: AnswerInput, *, shown: Content, present: Content, foreign: bool) -> Verdict:
    """Decide about one answer that a page sent.

    `shown` is what the page showed or last saved for it, `present` what stands now, `foreign`
    whether somebody else wrote it in between. What the page did not touch never overwrites; what both wrote alike is no clash.
    """
    if given.agrees_with(present):
        return Verdict.KEEP
    if not foreign:
        return Verdict.WRITE
    return Verdict.KEEP if given.agrees_with(shown) else Verdict.CLASH


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one criterion is answered. `files` counts its evidence, `wanted` what is needed."""

    criterion: Criterion
    section: Section
    must: bool
    state: CriterionState
    files: int
    wanted: int
    open_question: str | None
    plan_missing: bool

    @property
    def answered(self) -> bool:
        """Whether every question that applies has an answer or a claim."""
        return self.state in {CriterionState.ANSWERED, CriterionState.NOT_APPLICABLE_CLAIMED}

    @property
    def applies(self) -> bool:
        """Whether it counts at all."""
        return self.state is not CriterionState.DOES_NOT_APPLY

    @property
    def evidence_missing(self) -> bool:
        """Whether it is answered and fewer files support it than are needed."""
        return self.answered and self.files < self.wanted


def standings(
    catalogue: Catalogue,
    profile_id: str,
    answers: Mapping[str, Content],
    evidence: Mapping[str, int],
    *,
    section_id: str | None = None,
) -> list[Standing]:
    """How far each criterion of a profile, or of one section, is answered, in the catalogue's order.

    `answers` by question id; `evidence` counts usable files by criterion id.
    """
    given = {question_id: content.given for question_id, content in answers.items()}
    applies = applicable(catalogue, profile_id, given)
    return [
        _standing(catalogue, profile_id, section, criterion, applies, answers, evidence)
        for section in catalogue.sections_in(profile_id)
        if section_id in {None, section.id}
        for criterion in section.criteria
    ]


def _standing(
    catalogue: Catalogue,
    profile_id: str,
    section: Section,
    criterion: Criterion,
    applies: Applicable,
    answers: Mapping[str, Content],
    evidence: Mapping[str, int],
) -> Standing:
    given = {one.id: answers.get(one.id, EMPTY).given for one in criterion.questions}
    state = criterion_state(criterion, applies.questions, given)
    asked = [
        given[one.id]
        for one in criterion.questions
        if applies.questions[one.id] is Applicability.APPLIES
    ]
    # Questions that hang on a claimed one stay undetermined; the claim speaks for them as well.
    if asked and all(one.not_applicable for one in asked):
        state = CriterionState.NOT_APPLICABLE_CLAIMED
    lead = answers.get(criterion.questions[0].id, EMPTY)
    says_no = criterion.questions[0].type == "yes_no" and lead.value == "no"
    claimed = state is CriterionState.NOT_APPLICABLE_CLAIMED
    return Standing(
        criterion=criterion,
        section=section,
        must=catalogue.modality(profile_id, criterion.id) == "must",
        state=state,
        files=evidence.get(criterion.id, 0),
        wanted=0 if says_no or claimed else criterion.evidence.min,
        open_question=next(
            (
                one.id
                for one in criterion.questions
                if applies.questions[one.id] is Applicability.APPLIES
                and not given[one.id].is_answered
                and not given[one.id].not_applicable
            ),
            None,
        ),
        plan_missing=says_no and not claimed and not lead.how_met,
    )


def gaps(
    catalogue: Catalogue,
    profile_id: str,
    answers: Mapping[str, Content],
    evidence: Mapping[str, int],
) -> list[Problem]:
    """What stands in the way of submitting, in the catalogue's order.

    That is: musts that are open, that were answered no without a plan, or that lack evidence.
    Each problem's `field` is the control's name; its params hold `criterion`, `title` and
    `section`, from which a page makes the link.
    """
    found: list[Problem] = []
    for one in standings(catalogue, profile_id, answers, evidence):
        found += gap_of(one)
    return found


def gap_of(one: Standing) -> Sequence[Problem]:
    """The gaps of one criterion; a should has none."""
    if not one.must or not one.applies:
        return ()
    params: dict[str, object] = {
        "criterion": one.criterion.id,
        "title": one.criterion.title,
        "section": one.section.id,
    }
    lead = one.criterion.questions[0].id
    if not one.answered:
        return (
            Problem(
                "%(criterion)s %(title)s: not answered yet.",
                field=field_of(one.open_question or lead),
                code="unanswered",
                params=params,
            ),
        )
    found = []
    if one.plan_missing:
        found.append(
            Problem(
                "%(criterion)s %(title)s: you answered no, so say how and by when you will meet it.",
                field=field_of(lead, "how_met"),
                code="plan-missing",
                params=params,
            )
        )
    if one.evidence_missing:
        found.append(
            Problem(
                "%(criterion)s %(title)s: attach evidence (%(files)s of %(wanted)s).",
                field=evidence_field(one.criterion.id),
                code="evidence-missing",
                params={**params, "files": one.files, "wanted": one.wanted},
            )
        )
    return found


def as_json(content: Content) -> dict[str, str]:
    """The four texts by name."""
    return asdict(content)
