"""Moving an open application to the criteria in force, when its trader wants that.

Source: the interface reference on criteria that change: a draft is pinned, with a preview; what was
submitted never moves; what was returned keeps its version, and may be moved.
"""

from app.applications.models import Application
from app.applications.queries.content import assessment_of
from app.applications.queries.moving import offer_of
from app.applications.rules.tasks import assessment_task
from app.applications.workflow import ApplicationState
from app.assessments import service as assessments
from app.assessments.models import Assessment
from app.db.concurrency import StaleError, lock_row
from app.kernel.errors import ConflictError
from app.work import Work


def move_to_criteria(work: Work, application: Application, *, seen: str) -> Assessment:
    """Take the application's answers over into the version in force; the old ones stay readable.

    `seen` is the SHA-256 of the version that the page showed. Side effects in order: the new
    assessment with all that is carried, with its event; the application answers that one now, and
    when it was returned, every section of it is open; the old assessment is closed, with its
    event. Errors: `ConflictError` when it cannot be moved, `StaleError` when another version came
    into force since the page was shown.
    """
    lock_row(work.session, application)
    offer = offer_of(work, application)
    if offer is None:
        raise ConflictError("There is nothing to move to: the application keeps its criteria.")
    if offer.catalogue.sha256 != seen:
        raise StaleError
    if offer.obstacle is not None:
        raise ConflictError(offer.obstacle)
    old = assessment_of(work.session, application)
    new = assessments.carry_over(
        work, old, catalogue=offer.catalogue, profile_id=offer.profile_id, annual=False
    )
    application.assessment_id = new.id
    if application.state == ApplicationState.RETURNED:
        sections = offer.catalogue.sections_in(offer.profile_id)
        tasks = {assessment_task(one.id) for one in sections}
        application.reopened_tasks = sorted({*application.reopened_tasks, *tasks})
    work.session.flush()
    assessments.supersede(work, old, new)
    work.session.flush()
    return new
