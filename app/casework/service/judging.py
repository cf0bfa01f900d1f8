"""The verdict of a reviewer on one criterion."""

import uuid

from app.audit.tags import EventTag
from app.casework import queries
from app.casework.models import Case, CriterionReview
from app.casework.rules import verdicts
from app.casework.service.assignment import require_holder
from app.db.concurrency import first_with
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError
from app.work import Work


def judge(
    work: Work,
    case: Case,
    *,
    key: uuid.UUID,
    criterion_id: str,
    verdict: str,
    comment: str,
    snapshot_number: int,
) -> CriterionReview:
    """Accept a criterion as the trader answered it, or note what is to be returned.

    Side effects in order: the review, with `key` as its id, as the newest of this criterion; one
    event, without the comment. The trader learns of it only through a request that sends it. The
    same key again gives the first review back.
    Errors: as `require_holder`; `ConflictError` when `snapshot_number` is not the round under
    review any more, or once a determination is recommended; `NotFoundError` for an unknown
    criterion; `NotReadyError` with the fields `verdict` and `comment`.
    """
    earlier = first_with(work.session, CriterionReview, key)
    if earlier is not None and (earlier.case_id, earlier.criterion_id) == (case.id, criterion_id):
        return earlier
    require_holder(work, case)
    if "release" not in case.available():
        raise ConflictError(
            "A determination is recommended already. Take the recommendation back to judge again."
        )
    if snapshot_number != case.snapshot_number:
        raise ConflictError(
            "The trader has answered again since you opened this page. Look at the new answer"
            " before you judge it."
        )
    criterion = queries.dossier(work, case).criterion(criterion_id)
    if criterion is None or work.actor.person_id is None:
        raise NotFoundError
    problems = verdicts.problems(verdict, comment)
    if problems:
        raise NotReadyError(problems)
    review = CriterionReview(
        id=key if earlier is None else work.new_id(),
        case_id=case.id,
        trader_id=case.trader_id,
        criterion_id=criterion_id,
        number=queries.review_count(work.session, case, criterion_id) + 1,
        snapshot_number=case.snapshot_number,
        content_sha256=criterion.fingerprint,
        verdict=verdict,
        comment=comment.strip(),
        reviewer_id=work.actor.person_id,
        reviewer_name=work.actor.name,
        at=work.now,
    )
    work.session.add(review)
    work.session.flush()
    work.record(
        EventTag.CRITERION_JUDGED,
        case,
        criterion=criterion_id,
        verdict=verdict,
        round=case.snapshot_number,
    )
    return review
