"""Applications in every state, made through the services."""

from collections.abc import Mapping

from app.applications import queries, service
from app.applications.agreements import agreement_for
from app.applications.eligibility import for_trader
from app.applications.models import Agreement, Application, EligibilityCheck, Snapshot
from app.applications.queries.content import assessment_of
from app.applications.rules.frozen import fingerprint
from app.assessments import queries as assessments
from app.assessments import service as assessment_service
from app.identity.models import Person
from app.traders.models import Trader
from app.work import Work
from tests.factories.assessments import good_answers as answers_to
from tests.factories.documents import make_document
from tests.factories.identity import make_person
from tests.factories.traders import acting, complete_profile, make_trader

SECURITY = "security"


def good_answers(trader: Trader) -> dict[str, str]:
    """The answers that pass the eligibility check of the trader's kind."""
    eligibility = for_trader(SECURITY, trader.entity_type)
    assert eligibility is not None
    return {one.id: one.passes for one in eligibility.questions}


def check_eligibility(
    work: Work, trader: Trader, *, changes: Mapping[str, str] | None = None
) -> EligibilityCheck:
    """A check with good answers, but for `changes`."""
    return service.check_eligibility(
        work,
        trader,
        key=work.new_id(),
        programme=SECURITY,
        answers={**good_answers(trader), **(changes or {})},
    )


def make_applicant(work: Work, *, name: str = "Ada Brook") -> tuple[Trader, Person]:
    """An importer with a complete profile, and its officer."""
    officer = make_person(work, name=name)
    trader = make_trader(work, officer)
    complete_profile(work, trader)
    work.session.flush()
    return trader, officer


def make_application(work: Work, trader: Trader) -> Application:
    """A draft, after a passed check."""
    check_eligibility(work, trader)
    return service.start(work, trader, programme=SECURITY)


def sign(work: Work, application: Application) -> Agreement:
    """The agreement signed by the actor of `work`, who is an officer."""
    return service.sign_agreement(
        work,
        application,
        name=work.actor.name,
        agreed=True,
        version=agreement_for(application.programme).version,
    )


def answer_all(work: Work, application: Application) -> None:
    """Answer every section, let the same few documents prove everything, call all complete."""
    assessment = assessment_of(work.session, application)
    sections = assessments.catalogue_of(assessment).sections_in(assessment.profile_id)
    criteria = [one for section in sections for one in section.criteria]
    documents = [
        make_document(work, application.trader_id)
        for _ in range(max(one.evidence.min for one in criteria))
    ]
    for section in sections:
        assessment_service.save_answers(
            work,
            assessment,
            section.id,
            answers=answers_to(section.criteria),
            expected_version=0,
        )
        for criterion in section.criteria:
            for document in documents[: criterion.evidence.min]:
                assessment_service.attach_evidence(work, assessment, criterion.id, document.id)
        work.session.flush()
        assessment_service.complete_section(work, assessment, section.id)
    work.session.flush()


def make_ready(work: Work, application: Application) -> None:
    """Answer everything, attach what is needed and sign, so that only submitting is left."""
    answer_all(work, application)
    sign(work, application)
    work.session.flush()


def submit(work: Work, application: Application) -> Snapshot:
    """Submit as the actor of `work`, who is an officer and has looked at the check page."""
    return service.submit(
        work,
        application,
        key=work.new_id(),
        name=work.actor.name,
        declared=True,
        seen=fingerprint(queries.present_content(work, application)),
    )


def make_submitted(work: Work) -> tuple[Application, Person]:
    """An importer's application that the officer has just submitted."""
    trader, officer = make_applicant(work)
    own = acting(work, officer)
    application = make_application(own, trader)
    make_ready(own, application)
    submit(own, application)
    return application, officer
