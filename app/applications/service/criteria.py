"""New criteria, for whoever is in the middle of answering the old ones."""

from sqlalchemy import select

from app.applications.models import Application
from app.applications.queries.rows import STATE
from app.applications.service.letters import day_in_words
from app.applications.workflow import ApplicationState
from app.assessments.models import Assessment
from app.authz.actor import TraderRole
from app.identity.models import Person
from app.notifications.service import send
from app.publications.models import Publication
from app.traders.models import Appointment, Trader
from app.traders.workflow import AppointmentState
from app.work import Work

WRITES = (TraderRole.OFFICER, TraderRole.PREPARER)
MOVES = (ApplicationState.DRAFT, ApplicationState.RETURNED)


def tell_of_criteria(work: Work, publication: Publication) -> None:
    """Write to the officers and preparers of each open application that is pinned to other words.

    A submitted application hears nothing: it is judged by what it was submitted under. No event:
    the publication has its own.
    """
    rows = work.session.execute(
        select(Application, Trader, Person)
        .join(Trader, Trader.id == Application.trader_id)
        .join(Assessment, Assessment.id == Application.assessment_id)
        .join(Appointment, Appointment.trader_id == Trader.id)
        .join(Person, Person.id == Appointment.person_id)
        .where(
            STATE.in_(MOVES),
            Assessment.catalogue_id == publication.catalogue_id,
            Assessment.catalogue_version != publication.version,
            Appointment.role.in_(list(WRITES)),
            Appointment._state == AppointmentState.ACTIVE,  # noqa: SLF001 - read, never written.
            Person.ended_at.is_(None),
        )
        .order_by(Application.started_at, Application.id, Person.id)
    ).all()
    for application, trader, person in rows:
        send(
            work,
            to=person.email,
            template="criteria-published",
            person_id=person.id,
            name=person.name,
            trader=trader.name,
            trader_id=trader.id,
            reference=application.reference,
            application_id=application.id,
            version=publication.version,
            day=day_in_words(publication.effective),
        )
