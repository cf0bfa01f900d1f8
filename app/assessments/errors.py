"""What an assessment refuses because of somebody else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.assessments.rules import AnswerInput, Content
from app.kernel.errors import ConflictError


class SectionLockedError(ConflictError):
    """The section cannot be written to now: it was submitted, or was not reopened (409)."""

    def __init__(self) -> None:
        super().__init__(
            "This section can no longer be changed: the application was submitted, or the agency"
            " did not ask for this section."
        )


class WorkbookOvertakenError(ConflictError):
    """Somebody changed chosen answers after their differences were shown; nothing was taken (409).

    `question_ids` are those answers.
    """

    def __init__(self, question_ids: Sequence[str]) -> None:
        super().__init__(
            "Somebody changed some of these answers after you opened this page. Nothing was taken:"
            " look at the differences again."
        )
        self.question_ids = tuple(question_ids)


@dataclass(frozen=True, slots=True)
class Clash:
    """One answer that two people wrote: `theirs` stands, `yours` was sent, `by` is their name."""

    question_id: str
    theirs: Content
    yours: Content
    by: str
    at: datetime


class AnswersClashError(ConflictError):
    """Somebody else wrote the same answers first; nothing was saved, nothing is lost (409).

    `merged` holds what the page is to show: yours where you wrote, theirs where only they did.
    `version` is the section's version with which the merged page may be saved.
    """

    def __init__(
        self, clashes: Sequence[Clash], *, merged: Mapping[str, AnswerInput], version: int
    ) -> None:
        super().__init__(
            "%(name)s changed the same answers while you were writing. Both versions are below:"
            " choose which to keep, then save again.",
            name=clashes[0].by,
        )
        self.clashes = tuple(clashes)
        self.merged = dict(merged)
        self.version = version
