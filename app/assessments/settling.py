"""What a page or a workbook showed of an answer, read from the answer's history."""

from collections.abc import Sequence

from app.assessments.models import AnswerRevision
from app.assessments.rules import EMPTY, Content


def shown_of(
    now: Content,
    later: Sequence[AnswerRevision] | None,
    expected_version: int,
    page_key: str,
) -> tuple[Content, bool]:
    """What was shown or last saved for an answer, and whether somebody else wrote it after.

    `later` are its revisions from the one at `expected_version` on (see `queries.since`), `None`
    when it did not change since; `page_key` names the open page, whose own saves are nobody else's.
    """
    if later is None:
        return now, False
    shown, foreign = EMPTY, False
    for revision in later:
        mine = bool(page_key) and revision.saved_from == page_key
        if mine or revision.version <= expected_version:
            shown, foreign = Content.of(revision), False
        else:
            foreign = True
    return shown, foreign
