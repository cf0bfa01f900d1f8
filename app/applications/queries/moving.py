"""Whether an open application may move to newer criteria, and what that would do."""

from dataclasses import dataclass

from app.applications.models import Application
from app.applications.queries import rows
from app.applications.queries.content import assessment_of
from app.applications.workflow import ApplicationState
from app.assessments.carriage import Takeover
from app.assessments.carrying_queries import takeover_of
from app.assessments.models import Assessment
from app.catalogues.model import Catalogue, UnknownIdError
from app.publications.queries import current
from app.traders.models import Trader
from app.work import Work

MOVES = (ApplicationState.DRAFT, ApplicationState.RETURNED)


@dataclass(frozen=True, slots=True)
class Offer:
    """The version to which an application may move; `obstacle` says why it cannot now."""

    assessment: Assessment
    catalogue: Catalogue
    profile_id: str
    obstacle: str | None = None


def offer_of(work: Work, application: Application) -> Offer | None:
    """The newer version in force of the application's own catalogue; `None` when it has the newest.

    A submitted or decided application is never offered anything. Of a returned one, what the
    agency asks for must be asked by the newer version too, or the answer would have no place.
    """
    if ApplicationState(application.state) not in MOVES:
        return None
    session = work.session
    assessment = assessment_of(session, application)
    trader = session.get_one(Trader, application.trader_id)
    kind = str(trader.entity_type)
    try:
        found = current(session, application.programme, kind, work.now.date())
        profile = found.profile_for(kind, application.tier)
    except UnknownIdError:
        return None
    here = (assessment.catalogue_id, assessment.catalogue_version)
    if found.id != assessment.catalogue_id or (found.id, found.version) == here:
        return None
    asked = {one.id for part in found.sections_in(profile.id) for one in part.criteria}
    named = rows.returned_comments(session, application)
    obstacle = (
        "The agency asks about a criterion that the newer version no longer has. Answer that first."
        if named.keys() - asked
        else None
    )
    return Offer(assessment, found, profile.id, obstacle)


def preview_of(work: Work, offer: Offer) -> Takeover:
    """What moving would take over, question by question."""
    return takeover_of(
        work.session, offer.assessment, offer.catalogue, offer.profile_id, annual=False
    )
