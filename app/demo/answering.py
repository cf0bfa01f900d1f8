"""What a company answers: plausible, mostly good, in its own tone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from app.assessments.rules import AnswerInput
from app.catalogues.model import Criterion, Question
from app.demo.cast import Company
from app.demo.texts import read

# Answers that a company which applies would hardly give.
WEAK = frozenset(
    (
        *(
            "never",
            "none",
            "nobody",
            "not",
            "nothing-set",
            "not-known",
            "unknown",
            "anyway",
            "opened",
        ),
        *("free", "open", "less", "no-rule", "not-tracked", "anywhere", "perimeter-only", "later"),
        *("not-checked", "not-tested", "no-count", "handwritten", "neither", "open-hours-free"),
        *("found-by-chance", "no-areas", "no-review", "alone", "served", "unscreened", "no-checks"),
        *("no-code", "not-measured", "no-channel", "nowhere", "unchecked", "not-noted", "idle"),
        *("experience", "on-arrival", "only-at-start", "three-years", "after-problem", "informal"),
        *("opinion", "first", "on-suspicion", "format"),
    )
)
PLANS = (
    (
        "Not yet. The operations manager will have it in place by the end of the next quarter;"
        " until then a supervisor checks each load and signs for it."
    ),
    (
        "Not yet. The money is in this year's budget and the supplier is chosen. We do it by hand"
        " until the work is finished in about ten weeks."
    ),
    (
        "Not yet. We wrote the procedure in draft, two people are trying it out, and it will be"
        " issued after the next meeting of the security group."
    ),
)
NO_GUARDS = "We have no guards of our own; the owner of the park employs them and answers for them."


@dataclass(slots=True)
class Answerer:
    """One company filling in one catalogue on one day.

    `honest_gaps` is the share of criteria on which it says that it is not there yet.
    """

    company: Company
    catalogue_id: str
    day: date
    purpose: str
    honest_gaps: float = 0.03
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = self.company.random(f"answers/{self.purpose}")

    def criterion(self, criterion: Criterion, titles: Mapping[str, str]) -> dict[str, AnswerInput]:
        """Answers to the questions of one criterion that apply.

        `titles` names the document that supports each criterion, where there is one.
        """
        lead = criterion.questions[0]
        if criterion.id == "10.10" and not self.company.large:
            return {lead.id: AnswerInput(not_applicable_reason=NO_GUARDS)}
        given: dict[str, str] = {}
        found: dict[str, AnswerInput] = {}
        says_no = lead.type == "yes_no" and self.random.random() < self.honest_gaps
        for number, question in enumerate(criterion.questions):
            shown = all(
                given.get(other) in condition.accepted
                for other, condition in question.show_if.items()
                if other in given or other in {one.id for one in criterion.questions}
            )
            if not shown:
                continue
            value = "no" if says_no and number == 0 else self._value(question)
            given[question.id] = value
            found[question.id] = (
                AnswerInput(
                    value=value,
                    how_met=self.random.choice(PLANS) if says_no else self.words(criterion.id),
                    document_reference=titles.get(criterion.id, ""),
                )
                if number == 0
                else AnswerInput(value=value)
            )
        return found

    def words(self, criterion_id: str) -> str:
        """How the company says that it meets a criterion."""
        source = "broker-answers" if self.catalogue_id == "broker" else "answers"
        return str(read(source)[criterion_id][0 if self.company.large else 1]).strip()

    def _value(self, question: Question) -> str:
        special = read("particulars")[self.catalogue_id]
        match question.type:
            case "yes_no":
                return (
                    "no" if question.show_if and self.random.random() < self.honest_gaps else "yes"
                )
            case "level" | "choice":
                return self._choice(question)
            case "number":
                low, high = special["numbers"][question.id]
                return str(self.random.randint(low, high))
            case "date":
                return (self.day - timedelta(days=self.random.randint(18, 290))).isoformat()
            case "table":
                names = [column.value for column in question.columns]
                rows = special["tables"][question.id]
                kept = rows if self.company.large else rows[: max(1, len(rows) - 1)]
                return json.dumps(
                    [dict(zip(names, row, strict=True)) for row in kept], ensure_ascii=False
                )
            case "text" | "doc_ref":
                texts = special["texts"][question.id]
                return str(texts[0 if self.company.large else -1])

    def _choice(self, question: Question) -> str:
        values = [one.value for one in question.choices]
        good = [one for one in values if one not in WEAK] or values
        if question.type == "level":
            good = good[-2:] if not self.company.large else good[-1:]
        return self.random.choice(good)
