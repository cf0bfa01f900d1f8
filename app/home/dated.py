"""The dated facts of one company, for `app.home.duties`."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.applications.models import Application, EligibilityCheck
from app.applications.queries import applications_of, latest_checks
from app.applications.workflow import ApplicationState
from app.assessments.models import Assessment
from app.assessments.queries import catalogue_of, evidence_of
from app.catalogues.model import Catalogue, UnknownIdError
from app.documents.age import last_day_of
from app.documents.workflow import ScanState
from app.home.duties import Cover, Duty, Facts, Licence, NewCriteria, Promise, Proof, duties
from app.kernel.errors import UnavailableError
from app.kernel.identifiers import Scheme
from app.plans.pages import title_of
from app.plans.queries import open_actions
from app.publications.queries import current as current_criteria
from app.publications.queries import known_version
from app.register.queries import standings_of
from app.traders.kinds import BondKind, EntityType
from app.traders.models import Trader, TraderIdentifier
from app.traders.queries import bonds_of
from app.work import Work

LICENCES = frozenset({Scheme.LICENCE, Scheme.FILER})
DEBT = "no-debt"
"""The question of the eligibility check about a final debt; the profile cannot tell it."""
UNPAID = "unpaid-debt"
"""The reason of a standing that rests on one."""
ANNOUNCED = timedelta(days=180)
COUNTS = (
    ApplicationState.DRAFT,
    ApplicationState.SUBMITTED,
    ApplicationState.RETURNED,
    ApplicationState.GRANTED,
)


def duties_of(work: Work, trader: Trader) -> list[Duty]:
    """What the company has to do by a day, the earliest first.

    A constant number of statements for each assessment that counts.
    """
    session, today = work.session, work.now.date()
    proofs: list[Proof] = []
    criteria: list[NewCriteria] = []
    for application in _counting(work, trader):
        assessment = session.get_one(Assessment, application.assessment_id)
        try:
            catalogue = catalogue_of(assessment)
        except UnavailableError:
            continue
        proofs += _proofs(work, assessment, catalogue)
        criteria += _criteria(session, trader, application, assessment, catalogue, today)
    facts = Facts(
        covers=[
            Cover(one.number, one.valid_from, one.valid_until)
            for one in bonds_of(session, trader.id)
            if one.kind is BondKind.CONTINUOUS
        ],
        licences=_licences(work, trader),
        debt_told_on=_debt(work, trader),
        proofs=proofs,
        criteria=criteria,
        promises=[
            Promise(
                title_of(_named(work, assessment_id), action.criterion_id),
                action.due_on,
                assessment_id,
                action.id,
            )
            for action, assessment_id in open_actions(session, trader.id)
        ],
    )
    return duties(facts, today)


def _named(work: Work, assessment_id: object) -> Catalogue:
    assessment = work.session.get_one(Assessment, assessment_id)
    return known_version(work.session, assessment.catalogue_id, assessment.catalogue_version)


def _counting(work: Work, trader: Trader) -> list[Application]:
    """The newest application of each programme that is open or was granted."""
    found: dict[str, Application] = {}
    for one in work.session.scalars(applications_of(trader.id)):
        if one.state in COUNTS:
            found.setdefault(one.programme, one)
    return list(found.values())


def _proofs(work: Work, assessment: Assessment, catalogue: Catalogue) -> list[Proof]:
    """Each document with the first day after which some criterion cannot count on it."""
    first: dict[object, Proof] = {}
    for criterion_id, attached in evidence_of(work.session, assessment.id).items():
        rule = catalogue.criterion(criterion_id).evidence
        for one in attached:
            revision = one.revision
            if revision.scan_state == ScanState.INFECTED:
                continue
            last = last_day_of(revision.stored_at.date(), revision.expires_on, rule.max_age_months)
            known = first.get(revision.document_id)
            if last is not None and (known is None or last < known.last):
                first[revision.document_id] = Proof(
                    revision.document.title, revision.document_id, last
                )
    return list(first.values())


def _criteria(
    session: Session,
    trader: Trader,
    application: Application,
    assessment: Assessment,
    catalogue: Catalogue,
    today: date,
) -> list[NewCriteria]:
    """The version that new assessments use by then, when this one answered an earlier one."""
    try:
        current = current_criteria(
            session, application.programme, trader.entity_type.value, on=today + ANNOUNCED
        )
    except (UnknownIdError, UnavailableError):
        return []
    if current.id != catalogue.id or current.effective <= catalogue.effective:
        return []
    return [NewCriteria(current.title, current.version, current.effective, assessment.id)]


def _licences(work: Work, trader: Trader) -> list[Licence]:
    if trader.entity_type is not EntityType.BROKER:
        return []
    found = work.session.scalars(
        select(TraderIdentifier)
        .where(TraderIdentifier.trader_id == trader.id, TraderIdentifier.scheme.in_(LICENCES))
        .order_by(TraderIdentifier.claimed_at, TraderIdentifier.id)
    )
    return [Licence(one.shown, _day(one.withdrawn_at or one.refused_at)) for one in found]


def _debt(work: Work, trader: Trader) -> date | None:
    """The day from which a final debt is known to be unpaid, and nothing to the contrary.

    The agency's word is the standing that rests on it; the company's own is its last check.
    """
    for standing in standings_of(work.session, trader.id, valid_at=work.now).values():
        if standing.reason_code == UNPAID:
            return standing.effective_from.date()
    checks: Iterable[EligibilityCheck] = latest_checks(work.session, trader.id).values()
    newest = max(checks, key=lambda one: one.at, default=None)
    if newest is None or not any(one.get("id") == DEBT for one in newest.reasons):
        return None
    return newest.at.date()


def _day(at: datetime | None) -> date | None:
    return None if at is None else at.date()
